"""Small workloads for tests of the simulation: a line a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from antiphon.domain.policies.pick import Rule
from antiphon.domain.queues import Priority, QueuePolicy
from antiphon.domain.traces import TraceJob
from antiphon.simulation.contenders import CONTENDERS
from antiphon.simulation.played import Played
from antiphon.simulation.queue_run import SessionLimits
from antiphon.simulation.run import play
from antiphon.simulation.targets import SimTarget
from antiphon.simulation.workload import Workload, workload_of


def asked(submitted_at: float, run_s: float, who: str = "a/ann", **changes: Any) -> TraceJob:
    """A job of "workspace/user", planned as it runs."""
    workspace, user = who.split("/")
    if changes.pop("high", False):
        changes["priority"] = Priority.HIGH
    given = {"planned_s": run_s, "target": "qpu", **changes}
    return TraceJob(submitted_at=submitted_at, workspace=workspace, user=user, run_s=run_s, **given)


def session(
    start: float, run_s: float, think_s: float, count: int, name: str = "s", who: str = "a/ann"
) -> list[TraceJob]:
    """Jobs one after the other, each so long after the end of the last."""
    return [asked(start + number * (run_s + think_s), run_s, who, session=name, wait_s=0.0) for number in range(count)]


@dataclass
class Outcome:
    """What came of a few jobs on one target."""

    played: Played

    @property
    def starts(self) -> list[float]:
        """When each began, in the order of the lines."""
        return [float(each) for each in self.played.started_at]

    @property
    def ends(self) -> list[float]:
        """When each was done."""
        return [float(each) for each in self.played.ended_at]

    @property
    def rules(self) -> dict[str, int]:
        """Starts by the name of the rule."""
        return {Rule(rule).name: count for rule, count in self.played.queues[0].rules.items()}


def run(
    jobs: list[TraceJob] | Workload,
    *,
    sim: SimTarget | None = None,
    policy: str = "antiphon",
    limits: SessionLimits | None = None,
    allotments: dict[str, float] | None = None,
    seed: int = 0,
    **parameters: Any,
) -> Outcome:
    """Play jobs that are given in the order of their submits."""
    workload = jobs if isinstance(jobs, Workload) else workload_of(jobs)
    targets = [sim or SimTarget() for _ in workload.targets]
    return Outcome(
        play(
            workload,
            targets,
            CONTENDERS[policy],
            QueuePolicy(target="", slots=1, **parameters),
            limits=limits,
            allotments=allotments,
            seed=seed,
        )
    )
