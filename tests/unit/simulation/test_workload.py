from __future__ import annotations

import pytest

from antiphon.domain.queues import Rank
from antiphon.simulation.workload import NONE, sped_up, workload_of
from simulated import asked, run, session


def test_a_trace_played_on_the_target_it_came_from_gives_the_times_it_had() -> None:
    jobs = sorted([*session(0, 2, 3, 4), asked(1, 10, "b/bob")], key=lambda job: job.submitted_at)
    first = run(jobs)
    waits = first.played.wait_s
    again = run(
        [
            asked(float(first.played.submitted_at[at]), job.run_s or 0.0, f"{job.workspace}/{job.user}",
                  session=job.session, wait_s=float(waits[at]))
            for at, job in enumerate(jobs)
        ]
    )  # fmt: skip
    assert sorted(again.starts) == sorted(first.starts)


def test_a_job_follows_the_result_that_came_last_before_it() -> None:
    jobs = [
        asked(0, 10, session="s", wait_s=0),
        asked(1, 2, session="s", wait_s=0),  # before the first has a result: it does not follow
        asked(5, 1, session="s", wait_s=0),  # after the second's, at 3
        asked(12, 1, session="s", wait_s=0),  # after the first's, at 10
        asked(13, 1, session="s"),  # of this nobody knows when it ended
        asked(14, 1, session="s", wait_s=0),
    ]
    workload = workload_of(jobs)
    assert list(workload.follows) == [NONE, NONE, 1, 0, 3, 3]
    assert list(workload.think_s) == [0, 0, 2, 2, 0, 1]


def test_the_same_name_elsewhere_is_somebody_else() -> None:
    workload = workload_of([asked(0, 1, "a/ann", session="s"), asked(1, 1, "b/ann", session="s", high=True)])
    assert workload.users == ("ann", "ann")
    assert list(workload.user_workspace) == [0, 1]
    assert list(workload.session) == [0, 1]
    assert list(workload.rank) == [Rank.SESSION, Rank.SESSION_HIGH]


def test_jobs_that_never_ran_are_left_out_and_counted() -> None:
    never = asked(0, 1)
    workload = workload_of([type(never)(submitted_at=0, workspace="a", user="u", target="t", planned_s=1), never])
    assert (len(workload), workload.left_out) == (1, 1)
    assert len(workload_of([])) == 0
    assert workload_of([]).span == (0.0, 0.0)


def test_a_trace_can_come_faster_while_programs_think_as_long() -> None:
    workload = sped_up(workload_of([*session(100, 2, 3, 2), asked(150, 1)]), 5.0)
    assert workload.submitted_at[[0, 2]] == pytest.approx([100, 110])
    assert workload.think_s[1] == 3
