"""Gates as they are counted before anything runs: of a program, and of the tasks that it becomes.

Each execution of each gate counts: gates x shots x parameter sets. A gate on N > 2 qubits counts as 6 (N - 2) two-qubit
gates (the rule of IonQ on Azure Quantum). Of the two sides of a branch the larger counts, so that the number is an
upper bound. A loop that ends on a measurement, and a program without a circuit that we can read (QIR with classical
arithmetic), cannot be counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from antiphon.domain.circuits import For, Gate, If, Measure, Operation, Unitary, While
from antiphon.domain.evolve import evolve
from antiphon.domain.programs import Program


class Counting(StrEnum):
    """How well the gates of a task are known."""

    EXACT = "exact"
    BOUND = "bound"  # at most so many: a branch decides at run time
    UNKNOWN = "unknown"  # at least so many


@dataclass(frozen=True, slots=True)
class Gates:
    """What one run of a program executes."""

    one_qubit: int = 0
    two_qubit: int = 0
    measured: int = 0
    counting: Counting = Counting.EXACT


@dataclass(frozen=True, slots=True)
class Tasks:
    """`tasks` alike tasks: programs with one parameter set each. The other numbers are of one task.

    Attributes:
        shots: Repetitions; 0 for exact expectation values, which only simulators give.
        one_qubit, two_qubit: Gate executions, over all shots.
        measured: Measurements of a qubit, over all shots.
    """

    tasks: int
    shots: int
    one_qubit: int
    two_qubit: int
    measured: int
    counting: Counting = Counting.EXACT

    @classmethod
    def of(cls, gates: Gates, tasks: int, shots: int) -> Tasks:
        """So many tasks of a program with these gates, each with so many shots."""
        return cls(
            tasks, shots, gates.one_qubit * shots, gates.two_qubit * shots, gates.measured * shots, gates.counting
        )

    def to_json(self) -> list[Any]:
        """A short row of JSON values."""
        return [self.tasks, self.shots, self.one_qubit, self.two_qubit, self.measured, self.counting.value]

    @classmethod
    def from_json(cls, row: Sequence[Any]) -> Tasks:
        """The inverse of `to_json`."""
        tasks, shots, one_qubit, two_qubit, measured, counting = row
        return cls(tasks, shots, one_qubit, two_qubit, measured, Counting(counting))


def count_gates(program: Program) -> Gates:
    """What one run of a program executes."""
    if program.circuit is None:
        return Gates(measured=sum(register.size for register in program.registers), counting=Counting.UNKNOWN)
    return _count(program.circuit.operations)


def _count(operations: Iterable[Operation]) -> Gates:
    one = two = measured = 0
    worst = Counting.EXACT
    for operation in operations:
        match operation:
            case Gate(_, qubits, _) | Unitary(_, qubits):
                if len(qubits) == 1:
                    one += 1
                else:
                    two += 1 if len(qubits) == 2 else 6 * (len(qubits) - 2)
                continue
            case Measure():
                measured += 1
                continue
            case If(_, then, otherwise):
                found = _larger(_count(then), _count(otherwise))
            case While(_, body):
                found = evolve(_count(body), counting=Counting.UNKNOWN)
            case For(bodies):
                found = _count(inner for body in bodies for inner in body)
            case _:
                continue
        one, two, measured = one + found.one_qubit, two + found.two_qubit, measured + found.measured
        worst = _worse(worst, found.counting)
    return Gates(one, two, measured, worst)


def _larger(left: Gates, right: Gates) -> Gates:
    return Gates(
        max(left.one_qubit, right.one_qubit),
        max(left.two_qubit, right.two_qubit),
        max(left.measured, right.measured),
        _worse(Counting.BOUND, _worse(left.counting, right.counting)),
    )


def _worse(left: Counting, right: Counting) -> Counting:
    order = list(Counting)
    return left if order.index(left) >= order.index(right) else right
