"""What came of a simulation: when each job ran, and what each queue did."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np

from antiphon.simulation.workload import Floats, Indices, Workload


@dataclass(slots=True)
class QueueFacts:
    """What one queue did besides running jobs.

    Attributes:
        kept_idle_s: Slot-seconds that were free, open, and not used though a job waited: kept for a hold or a
            reservation.
        past_bound: Jobs before which more were started than the starvation bound allows; `old` those that waited
            longer than the queue's patience.
        interrupted: Runs that were lost to an outage.
        yields: How often a batch gave way.
        cut: Jobs of sessions that reached their total limit, and so never ran.
        holds: (session, since, until, whether it was lost while the session still had jobs).
        rules: Starts by rule.
    """

    kept_idle_s: float = 0.0
    past_bound: int = 0
    old: int = 0
    interrupted: int = 0
    yields: int = 0
    cut: int = 0
    holds: list[tuple[int, float, float, bool]] = field(default_factory=list)
    rules: dict[str, int] = field(default_factory=dict)


class Played:
    """The times of every job of a workload under one policy; NaN where it never came to that.

    Attributes:
        submitted_at: When it was submitted: for a job that follows another this depends on the policy.
        started_at: When it first began to run; `ended_at` when it was done.
        queues: Facts by target.
    """

    def __init__(self, workload: Workload, name: str) -> None:
        self.name = name
        self.workload = workload
        self.submitted_at = np.full(len(workload), np.nan)
        self.started_at = np.full(len(workload), np.nan)
        self.ended_at = np.full(len(workload), np.nan)
        self.queues: list[QueueFacts] = [QueueFacts() for _ in workload.targets]
        self.cpu_s = 0.0
        self._jobs = array("i")
        self._from = array("d")
        self._until = array("d")

    def ran(self, job: int, start: float, end: float) -> None:
        """A job occupied a slot."""
        self._jobs.append(job)
        self._from.append(start)
        self._until.append(end)

    def runs(self) -> tuple[Indices, Floats, Floats]:
        """(job, from, until) of every time a job occupied a slot; a batch that gave way has several."""
        return np.array(self._jobs, dtype=np.int32), np.array(self._from), np.array(self._until)

    @property
    def wait_s(self) -> Floats:
        """From submit to the first start."""
        waited: Floats = self.started_at - self.submitted_at
        return waited
