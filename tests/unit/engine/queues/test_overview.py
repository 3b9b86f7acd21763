from __future__ import annotations

from antiphon.domain.queues import Priority
from antiphon.engine.access.tenants import create_tenant
from antiphon.engine.queues.overview import overview
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.engine.queues.reservations import reserve
from queue_desk import QPU, WORKSPACE, Desk


def test_others_learn_that_it_is_held_and_booked_and_not_by_whom(desk: Desk) -> None:
    create_tenant(desk.ctx, "others", by="op")
    set_queue_policy(desk.ctx, target=QPU, access="exclusive", by="op")
    now = desk.clock.now()
    booked = reserve(
        desk.ctx, target=QPU, workspace=WORKSPACE, starts_at=now + 500, ends_at=now + 600, note="secret", by="op"
    )
    session = desk.open_session()
    desk.submit(session_id=session)
    desk.start()

    own = overview(desk.ctx, QPU, workspace=WORKSPACE)
    assert own.hold is not None
    assert (own.hold.session, own.hold.workspace) == (session, WORKSPACE)
    assert own.next_reservation == booked
    assert {each.workspace for each in own.shares} == {WORKSPACE}

    seen = overview(desk.ctx, QPU, workspace="others")
    assert seen.hold is not None
    assert (seen.hold.session, seen.hold.workspace, seen.hold.since) == (None, None, own.hold.since)
    assert seen.next_reservation is not None
    assert (seen.next_reservation.starts_at, seen.next_reservation.ends_at) == (booked.starts_at, booked.ends_at)
    assert seen.shares == ()
    assert seen.policy.updated_by == ""
    assert set(seen.waits) == set(Priority)
    assert all(word not in f"{seen!r}{seen}" for word in (WORKSPACE, session, booked.id, "secret", "'op'"))

    everything = overview(desk.ctx, QPU, workspace="others", everything=True)
    assert everything.hold == own.hold
    assert everything.next_reservation == booked
    assert everything.policy.updated_by == "op"
    assert {each.workspace for each in everything.shares} == {WORKSPACE}
