"""Noisy programs that measure and go on, by shot splitting: shots that saw the same errors and outcomes share a state.

Every channel of noise is told as a mixture of nothing, with nearly all of the weight, and of errors. How long a run of
shots goes without an error is drawn ahead; where errors strike, the shots that they strike part from the others. That
is exactly what that many single shots would do: relaxation is not twirled.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.channels import Error, errors_of
from antiphon.adapters.targets.sim.engines.branching import MAX_STEPS, never_ended
from antiphon.adapters.targets.sim.engines.bytecode import Assign, Bytecode, Finish, Jump, Run, Split, compile_program
from antiphon.adapters.targets.sim.engines.classical import with_bit
from antiphon.adapters.targets.sim.engines.lightning_state import LightningState
from antiphon.adapters.targets.sim.readout import Readout, draw
from antiphon.adapters.targets.sim.task import Ran, Task
from antiphon.domain.noise import Noise
from antiphon.errors import UnsupportedProgramError

_SURE = 1e-14


@dataclass(frozen=True)
class _Places:
    """Where errors may strike within a run of gates.

    Attributes:
        stops: How many of the run's calls come before each.
        hazard: -log of the chance that no error has struck up to and including each.
        errors: What may strike at each.
        shares: Cumulative probability of each of `errors`, given that one strikes.
    """

    stops: list[int]
    hazard: NDArray[np.float64]
    errors: list[tuple[Error, ...]]
    shares: list[NDArray[np.float64]]

    @classmethod
    def of(cls, run: Run) -> _Places:
        found = [(stop, errors) for stop, channel in run.noise if (errors := errors_of(channel))]
        chances = np.array([math.fsum(error.chance for error in errors) for _, errors in found])
        hazard = np.cumsum(-np.log1p(-np.minimum(chances, 1.0 - 1e-15)))
        shares = [np.cumsum([error.chance for error in errors]) for _, errors in found]
        return cls([stop for stop, _ in found], hazard, [errors for _, errors in found], shares)


@dataclass(frozen=True)
class _Program:
    """The program as instructions, and for each run of gates where errors may strike."""

    code: Bytecode
    places: dict[int, _Places]
    misread: list[tuple[float, float]]


_programs: BoundedCache[_Program] = BoundedCache(
    500_000, lambda program: len(program.code.instructions) + sum(len(each.stops) for each in program.places.values())
)


@dataclass(slots=True)
class _Branch:
    """Shots of one history so far, at an instruction, and within a run of gates at a call and a place of errors.

    Attributes:
        ahead: Places of this run where an error will strike one of the shots, the next one last; None when not drawn.
        struck: Errors of the place just passed, with the shots that each strikes.
    """

    state: LightningState
    word: int
    shots: int
    at: int = 0
    call: int = 0
    place: int = 0
    ahead: list[int] | None = None
    struck: list[tuple[Error, int]] = field(default_factory=list)


def sample(task: Task) -> Ran:
    """Counts of every parameter set.

    Raises:
        UnsupportedProgramError: There is no noise.
        ExecutionError: A loop on measured bits did not end within the bound on steps.
    """
    noise, features = task.noise(), task.features
    if noise is None:
        raise UnsupportedProgramError(
            "Noisy branching needs a noise model.", next_step='Give the option "noise", or use the engine branching.'
        )
    program = _programs.get((task.key, noise), lambda: _compiled(task, noise))
    readout = Readout(features.circuit.registers, ())
    rng = task.generator()
    counts, num_histories = [], 0
    for row in program.code.parameters.rows(task.parameters):
        walker = _Walker(program, row, features.num_qubits, rng, has_while=features.has_while)
        walker.walk(task.shots)
        counts.append(readout.counts_of_words(walker.words()))
        num_histories += walker.num_histories
    method = f"state vector, {num_histories} histories of errors and measurements"
    return Ran(method, "double", num_histories, counts=tuple(counts))


def _compiled(task: Task, noise: Noise) -> _Program:
    features = task.features
    code = compile_program(features.operations, features.num_qubits, noise)
    places = {index: _Places.of(item) for index, item in enumerate(code.instructions) if isinstance(item, Run)}
    return _Program(code, places, [noise.readout(qubit) for qubit in range(features.num_qubits)])


class _Walker:
    """Follows branches depth first, the one with the fewest shots first: about log2(shots) states live at a time."""

    def __init__(
        self,
        program: _Program,
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
        self.num_histories = 0
        self.steps = 0
        self.waiting: list[_Branch] = []
        self.spare: list[LightningState] = []
        self.finished: dict[int, list[NDArray[np.int64]]] = {}
        self.pairs: tuple[tuple[int, int], ...] = ()

    def walk(self, shots: int) -> None:
        start = _Branch(LightningState(max(self.num_qubits, 1)), 0, shots)
        start.state.reset()
        self.waiting = [start]
        while self.waiting:
            branch = self.waiting.pop()
            if self.follow(branch):
                self.spare.append(branch.state)
                self.num_histories += 1

    def follow(self, branch: _Branch) -> bool:
        """Go on until the end (True), or until the branch has parted and waits among others (False)."""
        instructions = self.program.code.instructions
        while True:
            instruction = instructions[branch.at]
            self.count_step()
            match instruction:
                case Run(calls):
                    if not self.run(branch, calls, self.program.places[branch.at]):
                        return False
                    branch.at += 1
                case Split():
                    branch.at += 1
                    if not self.split(branch, instruction):
                        return False
                case Assign(_, update):
                    branch.at += 1
                    branch.word = update(branch.word)
                case Jump(test, to):
                    branch.at = to if test is None or not test(branch.word) else branch.at + 1
                case Finish(pairs):
                    self.pairs = pairs
                    self.finish(branch)
                    return True

    def run(self, branch: _Branch, calls: Sequence[object], places: _Places) -> bool:
        """A run of gates; False when the branch parted on the way, and goes on from there later."""
        while True:
            if branch.struck:
                error, shots = branch.struck.pop()
                if not self.part(branch, error, shots):
                    return False
                continue
            if branch.ahead is None:
                branch.ahead = self.strikes_ahead(branch, places)
            if not branch.ahead:
                branch.state.run(calls[branch.call :], self.parameters)  # type: ignore[arg-type]
                branch.call = branch.place = 0
                branch.ahead = None
                return True
            place = branch.ahead[-1]
            struck = 0
            while branch.ahead and branch.ahead[-1] == place:
                branch.ahead.pop()
                struck += 1
            stop = places.stops[place]
            branch.state.run(calls[branch.call : stop], self.parameters)  # type: ignore[arg-type]
            branch.call, branch.place = stop, place + 1
            shares = places.shares[place]
            chosen = np.searchsorted(shares, self.rng.random(struck) * shares[-1], side="right").tolist()
            errors = places.errors[place]
            branch.struck = [(errors[min(index, len(errors) - 1)], n) for index, n in sorted(Counter(chosen).items())]

    def strikes_ahead(self, branch: _Branch, places: _Places) -> list[int]:
        """Where the next error of each shot strikes, of those that one strikes in this run; the nearest last."""
        if branch.place >= len(places.stops):
            return []
        passed = places.hazard[branch.place - 1] if branch.place else 0.0
        reached = np.searchsorted(places.hazard, passed + self.rng.standard_exponential(branch.shots))
        found: list[int] = np.sort(reached[reached < len(places.stops)])[::-1].tolist()
        return found

    def part(self, branch: _Branch, error: Error, shots: int) -> bool:
        """Strike `shots` of the branch with an error; True when the branch itself, struck or not, is to go on now."""
        if shots == branch.shots:
            branch.ahead = None
            return self.strike(branch, error)
        struck = self.fork(branch, shots)
        self.wait(branch)
        if self.strike(struck, error):
            self.wait(struck)
        return False

    def strike(self, branch: _Branch, error: Error) -> bool:
        """Apply an error to all shots of the branch; False when that parted them, and both parts wait."""
        state = branch.state
        for letter, qubit in error.paulis:
            state.apply(letter, qubit)
        if error.damped is None:
            return True
        qubit, kept = error.damped
        excited = state.probability_of_one(qubit)
        falling = (1.0 - kept * kept) * excited
        fallen = int(self.rng.binomial(branch.shots, min(1.0, falling))) if falling > _SURE else 0
        if 0 < fallen < branch.shots:
            other = self.fork(branch, fallen)
            self.fall(other, qubit)
            self.stay(branch, qubit, kept, falling)
            self.wait(branch, other)
            return False
        if fallen:
            self.fall(branch, qubit)
        else:
            self.stay(branch, qubit, kept, falling)
        return True

    @staticmethod
    def fall(branch: _Branch, qubit: int) -> None:
        branch.state.collapse(qubit, 1)
        branch.state.apply("x", qubit)

    @staticmethod
    def stay(branch: _Branch, qubit: int, kept: float, falling: float) -> None:
        amplitudes = branch.state.amplitudes()
        amplitudes.reshape(-1, 2, 2**qubit)[:, 1] *= kept
        branch.state.load(amplitudes / math.sqrt(1.0 - falling))

    def split(self, branch: _Branch, split: Split) -> bool:
        chance = branch.state.probability_of_one(split.qubit)
        sure = not _SURE < chance < 1.0 - _SURE
        ones = (branch.shots if chance > 0.5 else 0) if sure else int(self.rng.binomial(branch.shots, chance))
        parts = [
            part
            for outcome, shots in ((0, branch.shots - ones), (1, ones))
            if shots
            for part in self.read(split, outcome, shots)
        ]
        branches = [self.fork(branch, shots) for _, _, shots in parts[1:]]
        branch.shots = parts[0][2]
        for each, (outcome, read, _) in zip([branch, *branches], parts, strict=True):
            if not sure:
                each.state.collapse(split.qubit, outcome)
            if split.clbit is not None:
                each.word = with_bit(each.word, split.clbit, read)
            elif outcome:
                each.state.apply("x", split.qubit)
        if branches:
            self.wait(branch, *branches)
        return not branches

    def read(self, split: Split, outcome: int, shots: int) -> list[tuple[int, int, int]]:
        """(outcome, what is read, shots) of a measurement; a reset is not read."""
        chance = 0.0 if split.clbit is None else self.program.misread[split.qubit][outcome]
        wrong = int(self.rng.binomial(shots, chance)) if chance else 0
        return [part for part in ((outcome, outcome, shots - wrong), (outcome, 1 - outcome, wrong)) if part[2]]

    def finish(self, branch: _Branch) -> None:
        if self.pairs:
            drawn = np.repeat(*draw(branch.state.probabilities(), branch.shots, self.rng))
        else:
            drawn = np.zeros(branch.shots, dtype=np.int64)
        self.finished.setdefault(branch.word, []).append(drawn)

    def words(self) -> dict[int, int]:
        """Classical bits packed into an integer, and the shots that ended with them."""
        counted: Counter[int] = Counter()
        for word, parts in self.finished.items():
            outcomes = np.concatenate(parts)
            bits = np.empty((len(outcomes), len(self.pairs)), dtype=np.uint8)
            for column, (qubit, _) in enumerate(self.pairs):
                one = outcomes >> qubit & 1
                p01, p10 = self.program.misread[qubit]
                bits[:, column] = one ^ (self.rng.random(len(one)) < np.where(one, p10, p01))
            for row, shots in Counter(map(bytes, bits)).items():
                ended = word
                for (_, clbit), value in zip(self.pairs, row, strict=True):
                    ended = with_bit(ended, clbit, value)
                counted[ended] += shots
        return counted

    def fork(self, branch: _Branch, shots: int) -> _Branch:
        """A copy of the branch with some of its shots, at the same point; its next errors are yet to be drawn."""
        state = self.spare.pop() if self.spare else LightningState(max(self.num_qubits, 1))
        state.load(branch.state.amplitudes())
        other = _Branch(state, branch.word, shots, branch.at, branch.call, branch.place)
        branch.shots -= shots
        return other

    def wait(self, *branches: _Branch) -> None:
        self.waiting.extend(sorted(branches, key=lambda branch: -branch.shots))

    def count_step(self) -> None:
        self.steps += 1
        if self.has_while and self.steps > MAX_STEPS:
            raise never_ended(MAX_STEPS)
