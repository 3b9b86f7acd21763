from __future__ import annotations

from typing import Any

import pytest

from antiphon.domain.sessions import SessionStatus
from antiphon.engine.access.tenants import create_tenant
from antiphon.engine.cancel import cancel
from antiphon.engine.leases import release
from antiphon.engine.prices import set_prices
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.engine.queues.reservations import reserve
from antiphon.engine.requests import OpenSessionRequest
from antiphon.engine.sessions import cancel_session, check_due_sessions, close_session, open_or_join
from antiphon.errors import LimitError, SessionEndedError
from queue_desk import QPU, WORKSPACE, Desk


@pytest.fixture
def exclusive(desk: Desk) -> Desk:
    set_queue_policy(desk.ctx, target=QPU, access="exclusive", gap_s=60, by="op")
    return desk


@pytest.fixture
def dedicated(desk: Desk) -> Desk:
    set_queue_policy(desk.ctx, target=QPU, access="dedicated", by="op")
    return desk


def holding(desk: Desk) -> str:
    """A session that holds the target and has no job just now."""
    session = desk.open_session()
    first = desk.submit(session_id=session)
    assert desk.start() == [first]
    desk.end(first)
    return session


def test_a_session_holds_the_target_while_jobs_keep_coming(exclusive: Desk) -> None:
    session = holding(exclusive)
    other = exclusive.submit("bob", high=True)
    exclusive.clock.advance(50)
    assert exclusive.start() == []
    again = exclusive.submit(session_id=session)
    assert exclusive.start() == [again]
    exclusive.end(again, after=100)
    exclusive.clock.advance(61)
    assert exclusive.start() == [other]
    assert exclusive.log(session) == [
        "opened",
        "submit job",
        "hold taken",
        "job ended",
        "submit job",
        "job ended",
        "hold lost",
    ]


def test_a_session_knows_how_long_it_held(exclusive: Desk) -> None:
    session = holding(exclusive)
    since = exclusive.session(session).holding_since
    assert since is not None
    exclusive.clock.advance(1_000)
    exclusive.start()
    after = exclusive.session(session)
    assert after.holding_since is None
    assert after.held_s == pytest.approx(60, abs=0.1)
    assert exclusive.state().held_by is None, "although nobody else waits"


def test_an_idle_session_that_lost_its_hold_lives_and_takes_it_again(exclusive: Desk) -> None:
    session = holding(exclusive)
    exclusive.clock.advance(100)
    exclusive.start()
    assert exclusive.session(session).status is SessionStatus.EXECUTING
    exclusive.submit("bob", high=True)
    again = exclusive.submit(session_id=session)
    assert exclusive.start() == [again], "its job queues as a session's"
    assert exclusive.session(session).holding_since == exclusive.clock.now()
    assert exclusive.state().held_by == session


def test_a_dedicated_session_holds_until_it_is_closed(dedicated: Desk) -> None:
    session = holding(dedicated)
    other = dedicated.submit("bob")
    dedicated.clock.advance(500)
    assert dedicated.start() == []
    close_session(dedicated.ctx, WORKSPACE, session, who="ann")
    assert dedicated.state().held_by is None
    assert dedicated.start() == [other]


def test_a_hold_ends_with_its_sessions_limits(dedicated: Desk) -> None:
    session = dedicated.open_session(total_limit_s=300)
    job_id = dedicated.submit(session_id=session)
    dedicated.start()
    dedicated.clock.advance(301)
    check_due_sessions(dedicated.ctx)
    assert dedicated.session(session).status is SessionStatus.TIMED_OUT
    assert dedicated.state().held_by is None
    other = dedicated.submit("bob")
    assert dedicated.start() == [], "what runs may finish"
    dedicated.end(job_id)
    assert dedicated.start() == [other]


def test_a_session_that_fails_lets_go_in_the_same_transaction(dedicated: Desk) -> None:
    session = dedicated.open_session()
    first = dedicated.submit(session_id=session)
    dedicated.submit(session_id=session)
    dedicated.start()
    dedicated.end(first, fails=True)
    assert dedicated.session(session).status is SessionStatus.FAILED
    assert dedicated.state().held_by is None


def test_cancelling_the_last_waiting_job_begins_the_gap(exclusive: Desk) -> None:
    session = holding(exclusive)
    exclusive.clock.advance(30)
    job_id = exclusive.submit(session_id=session)
    exclusive.clock.advance(50)
    cancel(exclusive.ctx, WORKSPACE, job_id, who="ann")
    assert exclusive.state().held_until == pytest.approx(exclusive.clock.now() + 60)


def test_a_target_that_is_to_be_shared_is_held_by_nobody_any_more(dedicated: Desk) -> None:
    session = holding(dedicated)
    other = dedicated.submit("bob")
    set_queue_policy(dedicated.ctx, target=QPU, access="shared", by="op")
    assert dedicated.start() == [other]
    assert dedicated.session(session).holding_since is None


def test_a_hold_that_began_under_another_policy_ends_by_the_new_one(dedicated: Desk) -> None:
    """Nobody noted a gap when its last job ended."""
    holding(dedicated)
    other = dedicated.submit("bob")
    set_queue_policy(dedicated.ctx, target=QPU, access="exclusive", gap_s=10, by="op")
    assert dedicated.start() == []
    dedicated.clock.advance(11)
    assert dedicated.start() == [other]


def test_a_reservation_takes_the_hold_away_and_says_so(dedicated: Desk) -> None:
    session = holding(dedicated)
    create_tenant(dedicated.ctx, "guest", by="op")
    now = dedicated.clock.now()
    reserve(dedicated.ctx, target=QPU, workspace="guest", starts_at=now, ends_at=now + 10, by="op")
    theirs = dedicated.submit(workspace="guest")
    assert dedicated.start() == [theirs]
    assert dedicated.log(session)[-1] == "hold lost"


def test_an_idle_hold_ends_at_once_when_the_target_is_to_be_shared(exclusive: Desk) -> None:
    set_queue_policy(exclusive.ctx, target=QPU, gap_s=3_600, by="op")
    holding(exclusive)
    other = exclusive.submit("bob")
    assert exclusive.start() == []
    set_queue_policy(exclusive.ctx, target=QPU, access="shared", by="op")
    assert exclusive.start() == [other]


def test_a_reservation_goes_before_an_idle_hold(exclusive: Desk) -> None:
    set_queue_policy(exclusive.ctx, target=QPU, gap_s=3_600, by="op")
    holding(exclusive)
    create_tenant(exclusive.ctx, "guest", by="op")
    now = exclusive.clock.now()
    reserve(exclusive.ctx, target=QPU, workspace="guest", starts_at=now, ends_at=now + 10, by="op")
    theirs = exclusive.submit(workspace="guest")
    assert exclusive.start() == [theirs]


def test_a_shorter_gap_counts_for_a_hold_that_is_idle(exclusive: Desk) -> None:
    set_queue_policy(exclusive.ctx, target=QPU, gap_s=86_400, by="op")
    holding(exclusive)
    other = exclusive.submit("bob")
    set_queue_policy(exclusive.ctx, target=QPU, gap_s=10, by="op")
    assert exclusive.start() == []
    exclusive.clock.advance(11)
    assert exclusive.start() == [other]


def test_a_clock_that_was_ahead_for_a_moment_keeps_no_target_held(exclusive: Desk) -> None:
    session = exclusive.open_session()
    first = exclusive.submit(session_id=session)
    assert exclusive.start() == [first]
    ahead = 1e7
    exclusive.clock._now += ahead
    exclusive.end(first)
    exclusive.clock._now -= ahead
    other = exclusive.submit("bob")
    assert exclusive.start() == []
    exclusive.clock.advance(61)
    assert exclusive.start() == [other]


@pytest.fixture
def paid(exclusive: Desk) -> Desk:
    set_queue_policy(exclusive.ctx, target=QPU, slots=3, gap_s=3_600, by="op")
    set_prices(exclusive.ctx, target=QPU, prices={"currency": "EUR", "session_per_second": 1.0}, by="op")
    return exclusive


def idle_paid(desk: Desk, jobs: list[str], after: float = 0.0) -> float:
    """What these jobs paid for time in which their session held the target and ran nothing."""
    ended = [desk.end(job, after=after) for job in jobs]
    return sum(float(line["amount"]) for job in ended for line in job.cost if line["dimension"] == "session-hold")


def test_a_session_with_a_long_queue_pays_for_no_time_in_which_it_ran(paid: Desk) -> None:
    set_queue_policy(paid.ctx, target=QPU, slots=1, by="op")
    session = paid.open_session()
    jobs = [paid.submit(session_id=session) for _ in range(30)]
    for job in jobs:
        assert paid.start() == [job]
        assert idle_paid(paid, [job], after=10.0) == 0.0


def test_a_pause_is_paid_once_by_jobs_that_start_together(paid: Desk) -> None:
    session = holding(paid)
    paid.clock.advance(100)
    jobs = [paid.submit(session_id=session) for _ in range(3)]
    assert sorted(paid.start()) == sorted(jobs)
    assert idle_paid(paid, jobs, after=1.0) == pytest.approx(100, abs=1)


def test_no_pause_is_paid_while_a_job_of_long_ago_still_runs(paid: Desk) -> None:
    session = paid.open_session()
    long = paid.submit(session_id=session)
    assert paid.start() == [long]
    for _ in range(30):
        paid.clock.advance(10)
        short = paid.submit(session_id=session)
        assert paid.start() == [short]
        assert idle_paid(paid, [short], after=1.0) == 0.0


def test_a_hold_outlives_the_engine_that_gave_it(exclusive: Desk, other: Desk) -> None:
    session = holding(exclusive)
    exclusive.submit("bob", high=True)
    release(exclusive.ctx)
    again = other.submit(session_id=session)
    assert other.start() == [again]
    assert other.log(session).count("hold taken") == 1


# --- limits and keys of sessions


def test_a_session_takes_at_most_so_many_jobs(desk: Desk) -> None:
    session = desk.open_session(max_jobs=2)
    desk.submit(session_id=session)
    desk.submit(session_id=session)
    with pytest.raises(SessionEndedError) as caught:
        desk.submit(session_id=session)
    assert caught.value.code == "session-limit"


def test_a_session_ends_once_its_jobs_used_its_seconds(desk: Desk) -> None:
    session = desk.open_session(max_seconds=10)
    first, second = desk.submit(session_id=session), desk.submit(session_id=session)
    desk.start()
    desk.end(first, seconds=12)
    ended = desk.session(session)
    assert (ended.status, ended.used_seconds) == (SessionStatus.SUCCEEDED, 12)
    assert ended.end_reason == "its jobs used 12 of 10 s of the target"
    assert desk.job(second).status.value == "Cancelled"


def test_a_session_ends_once_its_jobs_cost_too_much(desk: Desk) -> None:
    set_prices(desk.ctx, target=QPU, prices={"currency": "EUR", "per_task": 3.0}, by="op")
    session = desk.open_session(max_cost=5)
    for _ in range(2):
        desk.submit(session_id=session)
        desk.end(desk.start()[0])
    ended = desk.session(session)
    assert (ended.used_cost, ended.accepting_jobs) == (6, False)


@pytest.mark.parametrize(
    "limits", [{"max_jobs": 0}, {"max_jobs": 1.5}, {"max_seconds": -1}, {"max_cost": float("nan")}]
)
def test_limits_that_are_none_are_refused(desk: Desk, limits: dict[str, Any]) -> None:
    with pytest.raises(LimitError) as caught:
        desk.open_session(**limits)
    assert caught.value.code == "session-limit-invalid"


def test_another_process_joins_a_session_by_its_key_as_it_was_opened(desk: Desk, other: Desk) -> None:
    opened = desk.open_session(key="night", max_jobs=3, max_seconds=50.0)
    joined, is_new = open_or_join(
        other.ctx, OpenSessionRequest(workspace=WORKSPACE, who="bob", target=QPU, key="night", max_jobs=99)
    )
    assert (joined.id, is_new, joined.max_jobs, joined.max_seconds) == (opened, False, 3, 50.0)
    job_id = other.submit("bob", session_id=joined.id)
    assert other.start() == [job_id]


def test_a_cancelled_session_lets_go(dedicated: Desk) -> None:
    session = holding(dedicated)
    cancel_session(dedicated.ctx, WORKSPACE, session, who="ann")
    assert dedicated.state().held_by is None
    assert dedicated.session(session).holding_since is None
