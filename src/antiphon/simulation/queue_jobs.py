"""What one queue is asked, as Python's own numbers: NumPy's are several times slower one by one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from antiphon.simulation.workload import NONE, Indices, Workload


class JobRow(NamedTuple):
    """A job's columns."""

    rank: int
    user: int
    session: int
    planned_s: float
    run_s: float
    batch: bool


class QueueJobs:
    """The jobs of one target.

    Attributes:
        rows: Their columns, by number.
        arrivals: (time, job) of those that follow no other, by time.
        followers: (job, think time) of those that follow a job, by that job.
        workspace_of: The workspace of each user.
        session_left: How many jobs each session has.
    """

    def __init__(self, load: Workload, members: Indices) -> None:
        columns = (load.rank, load.user, load.session, load.planned_s, load.run_s, load.batch)
        lists = [column[members].tolist() for column in columns]
        self.rows: dict[int, JobRow] = dict(zip(members.tolist(), map(JobRow, *lists), strict=True))
        chained = members[load.follows[members] != NONE]
        self.followers: dict[int, list[tuple[int, float]]] = {}
        for job, before, think_s in zip(
            chained.tolist(), load.follows[chained].tolist(), load.think_s[chained].tolist(), strict=True
        ):
            self.followers.setdefault(before, []).append((job, think_s))
        first = members[load.follows[members] == NONE]
        first = first[np.argsort(load.submitted_at[first], kind="stable")]
        self.arrivals: list[tuple[float, int]] = list(
            zip(load.submitted_at[first].tolist(), first.tolist(), strict=True)
        )
        self.workspace_of: list[int] = load.user_workspace.tolist()
        sessions = load.session[members]
        numbers, counts = np.unique(sessions[sessions != NONE], return_counts=True)
        self.session_left: dict[int, int] = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
