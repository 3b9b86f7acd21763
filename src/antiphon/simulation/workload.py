"""What is asked of targets: one row a job, in columns, with the names behind the numbers."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from antiphon.domain.queues import Rank, rank_of
from antiphon.domain.traces import TraceJob
from antiphon.domain.work import JobKind

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]

NONE = -1
"""In a column of indices: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Jobs and who submits them; columns of the same length, times in seconds.

    Attributes:
        submitted_at: When a job is submitted, or where it follows another, when it was in the trace (NaN if unknown).
        follows: The job of the same session after whose end it is submitted, or NONE; always one with a lower index.
        think_s: How long after that end.
        target, user, session: Indices; session NONE outside of one.
        rank: The class, as `Rank`.
        planned_s: What the target plans it to take; `run_s` what it takes.
        batch: Whether it gives way after a quantum.
        user_workspace: The workspace of each user; a name in two workspaces is two users.
        session_closes: Whether the session is closed when its last job has ended, or left to its idle limit.
        left_out: Jobs of a trace that never ran.
    """

    submitted_at: Floats
    follows: Indices
    think_s: Floats
    target: Indices
    user: Indices
    session: Indices
    rank: npt.NDArray[np.int8]
    planned_s: Floats
    run_s: Floats
    batch: npt.NDArray[np.bool_]
    targets: tuple[str, ...]
    workspaces: tuple[str, ...]
    users: tuple[str, ...]
    user_workspace: Indices
    session_closes: npt.NDArray[np.bool_]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.run_s)

    @property
    def span(self) -> tuple[float, float]:
        """When the first and the last job come that follow no other."""
        first = self.submitted_at[self.follows == NONE]
        return (float(first.min()), float(first.max())) if len(first) else (0.0, 0.0)


def workload_of(trace: Iterable[TraceJob]) -> Workload:
    """A recorded trace, to be played again.

    In a session a job follows the job whose end was the last before its submit, as long after it as it did then: the
    classical program waits for its results. Without that knowledge it comes when it came.
    """
    jobs = list(trace)
    ran = sorted((job for job in jobs if job.run_s is not None), key=lambda job: job.submitted_at)
    targets = sorted({job.target for job in ran})
    parties = sorted({(job.workspace, job.user) for job in ran})
    workspaces = sorted({workspace for workspace, _ in parties})
    sessions = {name: at for at, name in enumerate(dict.fromkeys(_session_of(job) for job in ran if job.session))}
    follows, think_s = _chains(ran)
    target_of = {name: at for at, name in enumerate(targets)}
    user_of = {party: at for at, party in enumerate(parties)}
    workspace_of = {name: at for at, name in enumerate(workspaces)}
    ranks: list[Rank] = [rank_of(job.priority, in_session=job.session is not None) for job in ran]
    return Workload(
        submitted_at=np.array([job.submitted_at for job in ran], dtype=np.float64),
        follows=np.array(follows, dtype=np.int32),
        think_s=np.array(think_s, dtype=np.float64),
        target=np.array([target_of[job.target] for job in ran], dtype=np.int32),
        user=np.array([user_of[job.workspace, job.user] for job in ran], dtype=np.int32),
        session=np.array([sessions[_session_of(job)] if job.session else NONE for job in ran], dtype=np.int32),
        rank=np.array(ranks, dtype=np.int8),
        planned_s=np.array([job.planned_s for job in ran], dtype=np.float64),
        run_s=np.array([job.run_s for job in ran], dtype=np.float64),
        batch=np.array([job.kind == JobKind.BATCH for job in ran], dtype=np.bool_),
        targets=tuple(targets),
        workspaces=tuple(workspaces),
        users=tuple(user for _, user in parties),
        user_workspace=np.array([workspace_of[workspace] for workspace, _ in parties], dtype=np.int32),
        session_closes=np.ones(len(sessions), dtype=np.bool_),
        left_out=len(jobs) - len(ran),
    )


def _session_of(job: TraceJob) -> tuple[str, str, str]:
    return (job.workspace, job.target, job.session or "")


def _chains(jobs: Sequence[TraceJob]) -> tuple[list[int], list[float]]:
    follows, think_s = [NONE] * len(jobs), [0.0] * len(jobs)
    ends: dict[tuple[str, str, str], list[tuple[float, int]]] = {}
    for at, job in enumerate(jobs):
        if not job.session:
            continue
        earlier = ends.setdefault(_session_of(job), [])
        before = bisect_right(earlier, (job.submitted_at, at))
        if before:
            end, follows[at] = earlier[before - 1]
            think_s[at] = job.submitted_at - end
        if job.ended_at is not None:
            insort(earlier, (job.ended_at, at))
    return follows, think_s


def sped_up(workload: Workload, factor: float) -> Workload:
    """The same jobs and think times, submitted `factor` times as fast."""
    begin = workload.span[0]
    return replace(workload, submitted_at=begin + (workload.submitted_at - begin) / factor)
