"""A circuit with control flow as a flat list of instructions with jumps, which the branching engine walks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from antiphon.adapters.targets.sim.engines.classical import Test, Update, test_of, update_of
from antiphon.adapters.targets.sim.engines.lightning_state import Call
from antiphon.adapters.targets.sim.engines.tape import TapeBuilder, TapeParameters
from antiphon.domain.circuits import (
    AssignBit,
    Break,
    Condition,
    Continue,
    For,
    Gate,
    If,
    Measure,
    Operation,
    Reset,
    Unitary,
    While,
)
from antiphon.domain.noise import Channel, Noise


@dataclass(slots=True)
class Run:
    """Apply gates; each channel of noise follows that many of the calls."""

    calls: list[Call]
    noise: list[tuple[int, Channel]] = field(default_factory=list)


@dataclass(slots=True)
class Split:
    """Measure `qubit` into `clbit`, or reset it when `clbit` is None."""

    qubit: int
    clbit: int | None


@dataclass(slots=True)
class Assign:
    """Set classical bits, one after the other; `update` does all of it."""

    assignments: list[tuple[int, Condition]]
    update: Update = int


@dataclass(slots=True)
class Jump:
    """Go on at `to` unless `test` holds; `to` is filled in when it is known."""

    test: Test | None
    to: int = -1


@dataclass(slots=True)
class Finish:
    """The end: measure these (qubit, clbit) at once."""

    pairs: tuple[tuple[int, int], ...]


Instruction: TypeAlias = "Run | Split | Assign | Jump | Finish"


@dataclass(frozen=True)
class Bytecode:
    """Instructions, of which the last is a `Finish`, and the parameters of their calls."""

    instructions: list[Instruction]
    parameters: TapeParameters


@dataclass(slots=True)
class _Loop:
    breaks: list[Jump]
    continues: list[Jump]


class _Compiler:
    def __init__(self, num_qubits: int, noise: Noise | None) -> None:
        self.noise = noise
        self.builder = TapeBuilder(num_qubits, single=False)
        self.code: list[Instruction] = []
        self.loops: list[_Loop] = []
        self.landed = 0  # a jump lands here, so that gates from here on are apart from those before

    def block(self, operations: tuple[Operation, ...]) -> None:
        for operation in operations:
            self.operation(operation)
            if self.noise is not None and (channels := self.noise.after(operation)):
                run = self.run()
                run.noise.extend((len(run.calls), channel) for channel in channels)

    def run(self) -> Run:
        """The run of gates to add to."""
        last = self.code[-1] if len(self.code) > self.landed else None
        if not isinstance(last, Run):
            last = Run([])
            self.code.append(last)
        return last

    def assignments(self) -> list[tuple[int, Condition]]:
        """The run of assignments to add to."""
        last = self.code[-1] if len(self.code) > self.landed else None
        if not isinstance(last, Assign):
            last = Assign([])
            self.code.append(last)
        return last.assignments

    def operation(self, operation: Operation) -> None:
        match operation:
            case Gate() | Unitary():
                self.run().calls.extend(self.builder.gate(operation))
            case Measure(qubit, clbit):
                self.code.append(Split(qubit, clbit))
            case Reset(qubit):
                self.code.append(Split(qubit, None))
            case AssignBit(clbit, value):
                self.assignments().append((clbit, value))
            case If(condition, then, otherwise):
                self.branch(condition, then, otherwise)
            case While(condition, body):
                self.loop(condition, body)
            case For(turns):
                self.turns(turns)
            case Break():
                self.loops[-1].breaks.append(self.jump(None))
            case Continue():
                self.loops[-1].continues.append(self.jump(None))
            case _:
                pass

    def branch(self, condition: Condition, then: tuple[Operation, ...], otherwise: tuple[Operation, ...]) -> None:
        skip = self.jump(test_of(condition))
        self.block(then)
        if otherwise:
            done = self.jump(None)
            self.land(skip)
            self.block(otherwise)
            self.land(done)
        else:
            self.land(skip)

    def loop(self, condition: Condition, body: tuple[Operation, ...]) -> None:
        start = self.here()
        out = self.jump(test_of(condition))
        loop = _Loop([], [])
        self.loops.append(loop)
        self.block(body)
        self.loops.pop()
        self.code.append(Jump(None, start))
        for jump in loop.continues:
            jump.to = start
        for jump in (out, *loop.breaks):
            self.land(jump)

    def turns(self, turns: tuple[tuple[Operation, ...], ...]) -> None:
        loop = _Loop([], [])
        self.loops.append(loop)
        for turn in turns:
            loop.continues = []
            self.block(turn)
            for jump in loop.continues:
                self.land(jump)
        self.loops.pop()
        for jump in loop.breaks:
            self.land(jump)

    def jump(self, test: Test | None) -> Jump:
        jump = Jump(test)
        self.code.append(jump)
        return jump

    def land(self, jump: Jump) -> None:
        jump.to = self.here()

    def here(self) -> int:
        self.landed = len(self.code)
        return self.landed


def compile_program(operations: tuple[Operation, ...], num_qubits: int, noise: Noise | None = None) -> Bytecode:
    """Compile operations on qubits 0 … num_qubits-1; the measurements that end the program are made at once.

    With `noise`, which numbers qubits alike, its channels are part of the runs of gates.
    """
    end = len(operations)
    while end and isinstance(operations[end - 1], Measure):
        end -= 1
    compiler = _Compiler(num_qubits, noise)
    compiler.block(operations[:end])
    pairs = tuple((op.qubit, op.clbit) for op in operations[end:] if isinstance(op, Measure))
    compiler.code.append(Finish(pairs))
    for instruction in compiler.code:
        if isinstance(instruction, Assign):
            instruction.update = update_of(instruction.assignments)
    return Bytecode(compiler.code, compiler.builder.parameters())
