"""Metering: what of a work a price list can charge for, counted before it runs.

Gates are counted in the circuit as submitted, each execution of each gate: gates x shots x parameter sets. A gate on
N > 2 qubits counts as 6 (N - 2) two-qubit gates (the rule of IonQ on Azure Quantum). Of the two sides of a branch the
larger counts, so that the number is an upper bound. A loop that ends on a measurement, and a program without a circuit
that we can read (QIR with classical arithmetic), cannot be counted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Any

from antiphon.domain.circuits import For, Gate, If, Measure, Operation, Unitary, While
from antiphon.domain.evolve import evolve
from antiphon.domain.programs import Program
from antiphon.domain.queues import Priority
from antiphon.domain.work import Work


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFacts:
    """What of a job can be charged.

    Attributes:
        seconds: In the target: as planned, or as measured.
        most_gates: What the target takes at most in one program: the bound for what cannot be counted.
    """

    tasks: tuple[Tasks, ...]
    seconds: float = 0.0
    priority: Priority = Priority.STANDARD
    most_gates: int = 5_000_000

    @property
    def num_tasks(self) -> int:
        """Programs with their parameter sets."""
        return sum(part.tasks for part in self.tasks)

    @property
    def shots(self) -> int:
        """Shots of all tasks together."""
        return sum(part.tasks * part.shots for part in self.tasks)

    @property
    def counting(self) -> Counting:
        """How well the gates are known: as the least known task."""
        found = {part.counting for part in self.tasks}
        return next((each for each in (Counting.UNKNOWN, Counting.BOUND) if each in found), Counting.EXACT)

    def after(self, seconds: float) -> WorkFacts:
        """The same work once it has taken so long."""
        return evolve(self, seconds=seconds)

    def times(self, jobs: int) -> WorkFacts:
        """So many such jobs as one: a batch of all their programs."""
        return evolve(
            self, tasks=tuple(evolve(part, tasks=part.tasks * jobs) for part in self.tasks), seconds=self.seconds * jobs
        )

    def without(self, positions: Iterable[int]) -> WorkFacts:
        """The same work without the tasks at these positions, counted from 0."""
        gone = Counter[int]()
        ends = list(accumulate(part.tasks for part in self.tasks))
        for position in set(positions):
            gone[bisect_right(ends, position)] += 1
        left = (evolve(part, tasks=part.tasks - gone[row]) for row, part in enumerate(self.tasks))
        return evolve(self, tasks=tuple(part for part in left if part.tasks))

    def to_json(self) -> dict[str, Any]:
        """The facts as JSON values, one short row for each kind of task."""
        return {
            "tasks": [
                [part.tasks, part.shots, part.one_qubit, part.two_qubit, part.measured, part.counting.value]
                for part in self.tasks
            ],
            "seconds": self.seconds,
            "priority": self.priority.value,
            "most_gates": self.most_gates,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WorkFacts:
        """The facts that `to_json` wrote."""
        return cls(
            tasks=tuple(_tasks(row) for row in data["tasks"]),
            seconds=data["seconds"],
            priority=Priority(data["priority"]),
            most_gates=data["most_gates"],
        )


def meter(work: Work, seconds: float, *, priority: Priority = Priority.STANDARD, most_gates: int) -> WorkFacts:
    """What of a work can be charged; `seconds` is what its target planned.

    Tasks that are alike and follow each other are one row: a sweep of any length is one, and so is a batch of one
    program many times.
    """
    counted: dict[str, Gates] = {}
    rows: list[Tasks] = []
    for pub in work.pubs:
        gates = counted.get(pub.program.digest)
        if gates is None:
            gates = counted[pub.program.digest] = count_gates(pub.program)
        shots = pub.shots or 0
        row = Tasks(
            pub.parameters.num_sets,
            shots,
            gates.one_qubit * shots,
            gates.two_qubit * shots,
            gates.measured * shots,
            gates.counting,
        )
        if rows and evolve(rows[-1], tasks=row.tasks) == row:
            rows[-1] = evolve(row, tasks=rows[-1].tasks + row.tasks)
        else:
            rows.append(row)
    return WorkFacts(tasks=tuple(rows), seconds=seconds, priority=priority, most_gates=most_gates)


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


def _tasks(row: Sequence[Any]) -> Tasks:
    tasks, shots, one_qubit, two_qubit, measured, counting = row
    return Tasks(tasks, shots, one_qubit, two_qubit, measured, Counting(counting))
