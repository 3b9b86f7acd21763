from __future__ import annotations

import math

import pytest

from antiphon.domain.queues import Access, Reservation
from antiphon.simulation.queue_run import SessionLimits
from antiphon.simulation.targets import Closure, SimTarget
from simulated import asked, run, session


def booked(starts_at: float, ends_at: float, workspace: str) -> Reservation:
    return Reservation(
        id="res",
        target="qpu",
        workspace=workspace,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by="op",
        created_at=0.0,
    )


def test_one_slot_runs_one_job_at_a_time_and_two_slots_two() -> None:
    jobs = [asked(0, 10, f"w/u{number}") for number in range(4)]
    assert run(jobs).starts == [0, 10, 20, 30]
    assert run(jobs, sim=SimTarget(slots=2)).starts == [0, 0, 10, 10]


def test_classes_go_before_shares_and_shares_before_age() -> None:
    jobs = [
        asked(0, 10, "a/ann"),
        asked(1, 10, "a/ann"),
        asked(2, 10, "b/bob"),
        asked(3, 10, "a/ann", high=True),
        asked(4, 10, "a/ann", session="s"),
    ]
    outcome = run(jobs)
    assert outcome.starts == [0, 40, 30, 20, 10]
    assert outcome.rules == {"SHARE": 3, "PRIORITY": 1, "SESSION": 1}


def test_a_job_of_a_session_comes_when_the_program_has_thought_about_the_last_result() -> None:
    """The second job waits for the first, which waits for another: it is not submitted before."""
    jobs = [asked(-5, 10, "b/bob"), *session(0, 2, 3, 3)]
    outcome = run(jobs, policy="fifo")
    assert outcome.starts == [-5, 5, 10, 15]
    assert list(outcome.played.submitted_at) == [-5, 0, 10, 15]


@pytest.mark.parametrize(
    ("access", "starts"),
    [
        # Others wait all the time: shared, a job of theirs runs while the program thinks; exclusive, it does not.
        (Access.SHARED, [0, 10, 20, 2, 12, 22]),
        (Access.EXCLUSIVE, [0, 5, 10, 12, 20, 28]),
        (Access.DEDICATED, [0, 5, 10, 12, 20, 28]),
    ],
)
def test_what_a_session_gets_of_its_target(access: Access, starts: list[float]) -> None:
    jobs = sorted(
        [*session(0, 2, 3, 3), *(asked(0.5, 8, "b/bob") for _ in range(3))], key=lambda job: job.session is None
    )
    # Given by the order of submits: the session's first, the three of bob, and the session's others.
    outcome = run(jobs, access=access)
    order = [0, 4, 5, 1, 2, 3]
    assert [outcome.starts[at] for at in order] == starts


def test_an_exclusive_hold_ends_with_its_gap_and_comes_back_with_the_next_job() -> None:
    jobs = [*session(0, 2, 20, 2), asked(0.5, 8, "b/bob"), asked(0.6, 100, "b/bob")]
    outcome = run(jobs, access=Access.EXCLUSIVE, gap_s=5)
    first, bob, bob_again, second = outcome.starts
    assert first == 0
    assert bob == pytest.approx(7)  # 2 s of running, 5 s of gap
    assert bob_again == pytest.approx(15)
    assert second == pytest.approx(115)  # submitted at 22, when the hold was lost
    holds = outcome.played.queues[0].holds
    assert [lost for *_, lost in holds] == [True, False]
    assert outcome.played.queues[0].kept_idle_s == pytest.approx(5)


def test_a_dedicated_hold_is_kept_while_the_program_thinks_and_ends_with_the_session() -> None:
    jobs = [*session(0, 2, 200, 2), asked(0.5, 8, "b/bob")]
    first, bob, second = run(jobs, access=Access.DEDICATED).starts
    assert (first, second, bob) == (0, 202, 204)


def test_a_session_ends_at_its_total_limit_and_what_it_still_has_does_not_run() -> None:
    jobs = [*session(0, 10, 1, 5), asked(0.5, 8, "b/bob")]
    outcome = run(jobs, access=Access.DEDICATED, limits=SessionLimits(total_s=15))
    assert outcome.played.queues[0].cut == 3
    assert sum(math.isnan(each) for each in outcome.ends) == 3
    assert outcome.starts[1] == 21  # after the second of the session, which was running at the limit


def test_a_batch_gives_way_after_its_quantum_and_goes_on_when_nobody_waits() -> None:
    jobs = [asked(0, 100, "a/ann", kind="batch"), asked(15, 5, "b/bob"), asked(60, 5, "a/ann")]
    outcome = run(jobs, quantum_s=10)
    # Bob comes at 15 and starts at 20; a job of the same user does not make it give way.
    assert outcome.starts == [0, 20, 105]
    assert outcome.ends[0] == 105
    assert outcome.played.queues[0].yields == 1


def test_an_outage_loses_what_runs_and_a_calibration_only_waits() -> None:
    jobs = [asked(0, 10), asked(1, 10)]
    outcome = run(jobs, sim=SimTarget(closures=(Closure(5, 20), Closure(32, 50, is_outage=False))))
    assert outcome.starts == [0, 30]
    assert outcome.ends == [30, 40]
    assert outcome.played.queues[0].interrupted == 1


def test_nobody_else_starts_in_a_reservation_or_runs_into_it() -> None:
    sim = SimTarget(reservations=(booked(20, 40, "a"),))
    jobs = [asked(0, 15, "b/bob"), asked(1, 10, "b/bob"), asked(2, 4, "b/uwe"), asked(25, 5, "a/ann")]
    outcome = run(jobs, sim=sim)
    assert outcome.starts == [0, 40, 15, 25]


def test_the_oldest_gets_its_turn_however_many_come_before_it() -> None:
    jobs = [
        asked(0, 10, "a/ann"),
        asked(1, 10, "a/ann"),
        *(asked(2 + 5 * at, 10, "b/bob", high=True) for at in range(40)),
    ]
    patient = run(jobs, patience_s=1e9)
    bounded = run(jobs, patience_s=30, aged_every=3)
    assert patient.starts[1] > 350
    assert bounded.starts[1] <= 30 + 10 * 3 + 10
    assert bounded.rules["AGED"] > 0
    assert bounded.played.queues[0].past_bound == 0


def test_a_policy_without_the_bound_is_seen_to_break_it() -> None:
    jobs = [
        asked(0, 10, "a/ann"),
        asked(1, 10, "a/ann"),
        *(asked(2 + 5 * at, 10, "b/bob", high=True) for at in range(40)),
    ]
    assert run(jobs, policy="priority", patience_s=30, aged_every=3).played.queues[0].past_bound > 0


def test_allotments_decide_how_a_full_target_is_divided() -> None:
    jobs = sorted(
        (asked(0.01 * at, 10, who) for at in range(60) for who in ("a/ann", "b/bob")), key=lambda job: job.submitted_at
    )
    outcome = run(jobs, allotments={"a": 3.0}, patience_s=1e9)
    load = outcome.played.workload
    first = [load.users[load.user[at]] for at in sorted(range(120), key=lambda at: outcome.starts[at])[:40]]
    assert first.count("ann") == pytest.approx(30, abs=1)
