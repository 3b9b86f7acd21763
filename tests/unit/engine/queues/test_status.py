from __future__ import annotations

import pytest

from antiphon.domain.queues import Rank
from antiphon.engine.access.tenants import create_tenant
from antiphon.engine.queues.allotments import set_allotment
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.engine.queues.reservations import reserve
from antiphon.engine.queues.status import queue_status
from antiphon.errors import NotFoundError
from queue_desk import QPU, WORKSPACE, Desk


def test_what_waits_is_counted_by_class_and_what_runs_apart(desk: Desk) -> None:
    session = desk.open_session()
    runs = desk.submit(high=True)
    desk.start()
    desk.submit("ann", planned_s=5)
    desk.submit("bob", planned_s=7)
    desk.submit("bob", high=True)
    desk.submit(session_id=session)
    status = queue_status(desk.ctx, QPU)
    assert status.waiting == {Rank.SESSION_HIGH: 0, Rank.SESSION: 1, Rank.HIGH: 1, Rank.STANDARD: 2}
    assert status.waiting_s[Rank.STANDARD] == pytest.approx(12)
    assert (status.running, status.policy.slots, status.state.owner) == (1, 1, desk.ctx.engine_id)
    assert desk.job(runs).owner is not None


def test_who_holds_the_target_and_until_when(desk: Desk) -> None:
    set_queue_policy(desk.ctx, target=QPU, access="exclusive", gap_s=60, by="op")
    session = desk.open_session()
    job_id = desk.submit(session_id=session)
    desk.start()
    assert queue_status(desk.ctx, QPU).state.held_by == session
    desk.end(job_id)
    assert queue_status(desk.ctx, QPU).state.held_until == desk.clock.now() + 60
    desk.clock.advance(61)
    assert queue_status(desk.ctx, QPU).state.held_by is None


def test_what_is_booked_now_and_next(desk: Desk) -> None:
    now = desk.clock.now()
    first = reserve(desk.ctx, target=QPU, workspace=WORKSPACE, starts_at=now, ends_at=now + 10, by="op")
    second = reserve(desk.ctx, target=QPU, workspace=WORKSPACE, starts_at=now + 50, ends_at=now + 60, by="op")
    status = queue_status(desk.ctx, QPU)
    assert (status.reservation, status.next_reservation) == (first, second)


def test_what_everybody_used_as_a_part_of_what_is_theirs(desk: Desk) -> None:
    create_tenant(desk.ctx, "large", by="op")
    set_allotment(desk.ctx, workspace="large", weight=4, by="op")
    for user, workspace, seconds in (("ann", WORKSPACE, 10.0), ("bob", WORKSPACE, 30.0), ("cyd", "large", 40.0)):
        job_id = desk.submit(user, workspace=workspace)
        desk.start()
        desk.end(job_id, seconds=seconds)
    shares = {(each.workspace, each.user): each for each in queue_status(desk.ctx, QPU).shares}
    assert shares[WORKSPACE, ""].used_s == pytest.approx(40, rel=1e-4)
    assert shares[WORKSPACE, ""].fraction == pytest.approx(0.8, rel=1e-4)
    assert shares["large", ""].fraction == pytest.approx(0.2, rel=1e-4)
    assert shares["large", ""].weight == 4
    assert shares[WORKSPACE, "ann"].fraction == pytest.approx(0.25, rel=1e-4)


def test_a_queue_that_never_stood_anywhere(desk: Desk) -> None:
    status = queue_status(desk.ctx, "sim.auto")
    assert (status.running, sum(status.waiting.values()), status.shares) == (0, 0, ())
    assert status.state.owner is None
    with pytest.raises(NotFoundError):
        queue_status(desk.ctx, "sim.none")
