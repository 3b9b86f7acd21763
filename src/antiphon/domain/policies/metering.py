"""Metering: what of a work a price list can charge for, counted before it runs.

Gates are counted in the circuits as submitted (see `gate_counts`), or where a plan makes others of them, as the plan
tells: mitigation runs a program many times over, with gates repeated and put in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.gate_counts import Counting, Gates, Tasks, count_gates
from antiphon.domain.queues import Priority
from antiphon.domain.work import Plan, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFacts:
    """What of a job can be charged.

    Attributes:
        seconds: In the target: as planned, or as measured.
        on_device: `seconds` are those of the machine that the target stands for, however long its emulation takes.
        most_gates: What the target takes at most in one program: the bound for what cannot be counted.
        rows: How many of `tasks` each program of the job is, where the plan makes several of one; else empty.
    """

    tasks: tuple[Tasks, ...]
    seconds: float = 0.0
    priority: Priority = Priority.STANDARD
    most_gates: int = 5_000_000
    rows: tuple[int, ...] = ()
    on_device: bool = False

    @property
    def num_tasks(self) -> int:
        """Programs with their parameter sets; where the plan makes several of one, all of them."""
        return sum(part.tasks for part in self.tasks)

    @property
    def num_programs(self) -> int:
        """What `without` counts positions in."""
        return len(self.rows) or self.num_tasks

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
        return self if self.on_device else evolve(self, seconds=seconds)

    def times(self, jobs: int) -> WorkFacts:
        """So many such jobs as one: a batch of all their programs."""
        tasks = tuple(evolve(part, tasks=part.tasks * jobs) for part in self.tasks)
        return evolve(self, tasks=tasks, seconds=self.seconds * jobs, rows=())

    def as_run(self, tasks: Sequence[Sequence[Sequence[Any]]]) -> WorkFacts:
        """The same work with the tasks that really ran, of each program, as `Tasks.to_json` wrote them."""
        found = tuple(Tasks.from_json(row) for rows in tasks for row in rows)
        return self._of(found, tuple(len(rows) for rows in tasks))

    def without(self, positions: Iterable[int]) -> WorkFacts:
        """The same work without the programs at these positions, counted from 0."""
        if self.rows:
            ends = [0, *accumulate(self.rows)]
            kept = [place for place in range(len(self.rows)) if place not in set(positions)]
            tasks = tuple(task for place in kept for task in self.tasks[ends[place] : ends[place + 1]])
            return self._of(tasks, tuple(self.rows[place] for place in kept))
        gone = Counter[int]()
        ends = list(accumulate(part.tasks for part in self.tasks))
        for position in set(positions):
            gone[bisect_right(ends, position)] += 1
        left = (evolve(part, tasks=part.tasks - gone[row]) for row, part in enumerate(self.tasks))
        return self._of(tuple(part for part in left if part.tasks), ())

    def _of(self, tasks: tuple[Tasks, ...], rows: tuple[int, ...]) -> WorkFacts:
        """The same work with other tasks; on a device each shot takes as long as before."""
        other = evolve(self, tasks=tasks, rows=rows)
        if not self.on_device or not self.shots:
            return other
        return evolve(other, seconds=self.seconds * other.shots / self.shots)

    def to_json(self) -> dict[str, Any]:
        """The facts as JSON values, one short row for each kind of task."""
        return {
            "tasks": [part.to_json() for part in self.tasks],
            "seconds": self.seconds,
            "priority": self.priority.value,
            "most_gates": self.most_gates,
            **({"rows": list(self.rows)} if self.rows else {}),
            **({"on_device": True} if self.on_device else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WorkFacts:
        """The facts that `to_json` wrote."""
        return cls(
            tasks=tuple(Tasks.from_json(row) for row in data["tasks"]),
            seconds=data["seconds"],
            priority=Priority(data["priority"]),
            most_gates=data["most_gates"],
            rows=tuple(data.get("rows", ())),
            on_device=data.get("on_device", False),
        )


def meter(work: Work, plan: Plan, *, priority: Priority = Priority.STANDARD, most_gates: int) -> WorkFacts:
    """What of a work can be charged, for as long as its target planned.

    Tasks that are alike and follow each other are one row: a sweep of any length is one, and so is a batch of one
    program many times.
    """
    seconds, on_device = (plan.cost, False) if plan.device_s is None else (plan.device_s, True)
    if plan.tasks:
        rows = tuple(len(part) for part in plan.tasks)
        every = tuple(task for part in plan.tasks for task in part)
        return WorkFacts(
            tasks=every, seconds=seconds, priority=priority, most_gates=most_gates, rows=rows, on_device=on_device
        )
    counted: dict[str, Gates] = {}
    found: list[Tasks] = []
    for pub in work.pubs:
        gates = counted.get(pub.program.digest)
        if gates is None:
            gates = counted[pub.program.digest] = count_gates(pub.program)
        row = Tasks.of(gates, pub.parameters.num_sets, pub.shots or 0)
        if found and evolve(found[-1], tasks=row.tasks) == row:
            found[-1] = evolve(row, tasks=found[-1].tasks + row.tasks)
        else:
            found.append(row)
    return WorkFacts(tasks=tuple(found), seconds=seconds, priority=priority, most_gates=most_gates, on_device=on_device)
