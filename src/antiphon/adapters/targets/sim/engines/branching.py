"""Programs that measure and go on, by shot splitting: the state is evolved once for each measurement history.

At every measurement or reset the shots of a branch are split between the outcomes by a binomial draw, which is exactly
what that many single shots would do. Branches are followed depth first, so that few states live at a time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.engines.bytecode import (
    Assign,
    Bytecode,
    Finish,
    Jump,
    Run,
    Split,
    compile_program,
)
from antiphon.adapters.targets.sim.engines.classical import with_bit
from antiphon.adapters.targets.sim.engines.lightning_state import LightningState
from antiphon.adapters.targets.sim.readout import Readout, draw
from antiphon.adapters.targets.sim.task import Ran, Task
from antiphon.errors import ExecutionError

MAX_STEPS = 10_000_000
MAX_SURE_STEPS = 1_000_000
"""Steps of one history in which no outcome is left to chance, in a program with loops on measured bits."""
MAX_LIVE_BYTES = 2 * 2**30
_SURE = 1e-14
_ASSIGNED_IN_A_STEP = 16

_REHEARSED_STEPS = 3_000
_REHEARSED_QUBITS = 10

_rehearsals: BoundedCache[Ran] = BoundedCache(64)
_lengthy: BoundedCache[bool] = BoundedCache(4096)
_programs: BoundedCache[Bytecode] = BoundedCache(500_000, lambda program: len(program.instructions))


class TooManyHistoriesError(Exception):
    """More measurement histories than can be followed; an engine that runs shot by shot is the way on."""


@dataclass(slots=True)
class _Branch:
    """One measurement history so far: its state, classical bits, shots, and the next instruction."""

    state: LightningState
    word: int
    shots: int
    at: int
    chance_at: int = 0  # the step at which something was last left to chance


def sample(task: Task) -> Ran:
    """Counts of every parameter set.

    Raises:
        TooManyHistoriesError: The program has no loop on measured bits, and more histories than can be followed.
        ExecutionError: A loop on measured bits did not end within the bound on steps.
    """
    rehearsed = _rehearsals.pop(_run_of(task))
    return rehearsed or _sampled(task, MAX_STEPS)


def ends_soon(task: Task) -> bool:
    """Whether the run of a program with loops on measured bits ends within few steps, so that no worker is needed.

    That is found by making it, since the same seed takes the same steps; `sample` then hands out what it gave, once.
    """
    if task.features.num_qubits > _REHEARSED_QUBITS or _lengthy.has(task.key):
        return False
    started = time.perf_counter()
    try:
        ran = _sampled(task, _REHEARSED_STEPS)
    except (ExecutionError, TooManyHistoriesError):
        _lengthy.get(task.key, lambda: True)
        return False
    _rehearsals.put(_run_of(task), replace(ran, seconds=time.perf_counter() - started))
    return True


def _run_of(task: Task) -> tuple[object, ...]:
    return task.key, task.pub.seed, task.pub.shots, task.pub.parameters.data


def _sampled(task: Task, max_steps: int) -> Ran:
    features = task.features
    program = _programs.get(task.key, lambda: compile_program(features.operations, features.num_qubits))
    readout = Readout(features.circuit.registers, ())
    rng = task.generator()
    counts, num_histories, steps = [], 0, 0
    for row in program.parameters.rows(task.parameters):
        walker = _Walker(program, row, features.num_qubits, rng, has_while=features.has_while)
        walker.steps, walker.max_steps = steps, max_steps
        walker.walk(task.shots)
        steps = walker.steps if max_steps < MAX_STEPS else 0
        counts.append(readout.counts_of_words(walker.words))
        num_histories += walker.num_histories
    method = f"state vector, {num_histories} measurement histories"
    return Ran(method, "double", num_histories, counts=tuple(counts))


class _Walker:
    def __init__(
        self,
        program: Bytecode,
        parameters: Sequence[Sequence[float]],
        num_qubits: int,
        rng: np.random.Generator,
        *,
        has_while: bool,
    ) -> None:
        self.program = program
        self.parameters = parameters
        self.num_qubits = num_qubits
        self.rng = rng
        self.has_while = has_while
        self.words: Counter[int] = Counter()
        self.num_histories = 0
        self.steps = 0
        self.max_steps = MAX_STEPS
        self.spare: list[LightningState] = []
        self.max_live = max(2, MAX_LIVE_BYTES // (16 * 2**num_qubits))

    def walk(self, shots: int) -> None:
        waiting = [_Branch(self.fresh(), 0, shots, 0)]
        waiting[0].state.reset()
        while waiting:
            branch = waiting.pop()
            self.follow(branch, waiting)
            self.spare.append(branch.state)
            self.num_histories += 1

    def follow(self, branch: _Branch, waiting: list[_Branch]) -> None:
        instructions = self.program.instructions
        branch.chance_at = self.steps
        while True:
            instruction = instructions[branch.at]
            branch.at += 1
            self.count_steps(1)
            if self.has_while and self.steps - branch.chance_at > MAX_SURE_STEPS:
                raise never_ended(MAX_SURE_STEPS, "of one history, no outcome left to chance, ")
            match instruction:
                case Run(calls):
                    branch.state.run(calls, self.parameters)
                case Split():
                    self.split(branch, instruction, waiting)
                case Assign(assignments, update):
                    self.count_steps(len(assignments) // _ASSIGNED_IN_A_STEP)
                    branch.word = update(branch.word)
                case Jump(test, to):
                    if test is None or not test(branch.word):
                        branch.at = to
                case Finish(pairs):
                    self.finish(branch, pairs)
                    return

    def split(self, branch: _Branch, split: Split, waiting: list[_Branch]) -> None:
        chance = branch.state.probability_of_one(split.qubit)
        if chance <= _SURE or chance >= 1.0 - _SURE:
            self.settle(branch, split, int(chance > 0.5), sure=True)
            return
        branch.chance_at = self.steps
        ones = int(self.rng.binomial(branch.shots, chance))
        if 0 < ones < branch.shots:
            if len(waiting) >= self.max_live:
                raise TooManyHistoriesError
            other = _Branch(self.fresh(), branch.word, ones, branch.at)
            other.state.load(branch.state.amplitudes())
            self.settle(other, split, 1, sure=False)
            waiting.append(other)
            branch.shots -= ones
            self.settle(branch, split, 0, sure=False)
        else:
            self.settle(branch, split, int(ones > 0), sure=False)

    @staticmethod
    def settle(branch: _Branch, split: Split, outcome: int, *, sure: bool) -> None:
        if not sure:
            branch.state.collapse(split.qubit, outcome)
        if split.clbit is not None:
            branch.word = with_bit(branch.word, split.clbit, outcome)
        elif outcome:
            branch.state.apply("x", split.qubit)

    def finish(self, branch: _Branch, pairs: tuple[tuple[int, int], ...]) -> None:
        if not pairs:
            self.words[branch.word] += branch.shots
            return
        if len(pairs) == 1:
            ((qubit, clbit),) = pairs
            ones = int(self.rng.binomial(branch.shots, min(1.0, max(0.0, branch.state.probability_of_one(qubit)))))
            for value, count in ((0, branch.shots - ones), (1, ones)):
                if count:
                    self.words[with_bit(branch.word, clbit, value)] += count
            return
        outcomes, times = draw(branch.state.probabilities(), branch.shots, self.rng)
        for outcome, count in zip(outcomes.tolist(), times.tolist(), strict=True):
            word = branch.word
            for qubit, clbit in pairs:
                word = with_bit(word, clbit, outcome >> qubit & 1)
            self.words[word] += count

    def fresh(self) -> LightningState:
        return self.spare.pop() if self.spare else LightningState(max(self.num_qubits, 1))

    def count_steps(self, number: int) -> None:
        self.steps += number
        if self.steps > self.max_steps:
            if not self.has_while:
                raise TooManyHistoriesError
            raise never_ended(self.max_steps)


def never_ended(steps: int, how: str = "") -> ExecutionError:
    """The error for a loop on measured bits that went on for so many steps."""
    return ExecutionError(
        "A loop of the program did not end.",
        code="loop-unbounded",
        cause=f"after {steps:,} steps {how}some shots were still inside a loop that ends on a measured bit",
        next_step="Give the loop a condition that some measurement makes false, or bound its turns.",
        details={"max_steps": steps},
    )
