from __future__ import annotations

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.queues import Reservation
from antiphon.engine.queues.reservations import cancel_reservation, list_reservations, reserve
from antiphon.errors import ConflictError, LimitError, NotFoundError
from antiphon.ports.access_store import AuditQuery
from queue_desk import QPU, WORKSPACE, Desk


def book(desk: Desk, start: float, end: float, target: str = QPU) -> Reservation:
    """From so many seconds from now until so many."""
    now = desk.clock.now()
    return reserve(
        desk.ctx,
        target=target,
        workspace=WORKSPACE,
        starts_at=now + start,
        ends_at=now + end,
        note="a demonstration",
        by="op",
    )


def test_a_window_is_booked_and_listed_until_it_is_over(desk: Desk, clock: ManualClock) -> None:
    later, soon = book(desk, 200, 300), book(desk, 10, 200)
    assert (soon.workspace, soon.note, soon.created_by) == (WORKSPACE, "a demonstration", "op")
    assert list_reservations(desk.ctx) == list_reservations(desk.ctx, QPU) == [soon, later]
    assert list_reservations(desk.ctx, "sim.auto") == []
    clock.advance(250)
    assert list_reservations(desk.ctx) == [later]
    clock.advance(50)
    assert list_reservations(desk.ctx) == []


@pytest.mark.parametrize(("start", "end"), [(10, 20), (0, 11), (19, 30), (5, 40), (12, 13)])
def test_two_windows_of_one_target_do_not_overlap(desk: Desk, start: float, end: float) -> None:
    first = book(desk, 10, 20)
    with pytest.raises(ConflictError) as caught:
        book(desk, start, end)
    assert caught.value.code == "reservation-overlap"
    assert caught.value.details["id"] == first.id
    book(desk, 0, 10)
    book(desk, 20, 30)


def test_a_window_that_was_cancelled_is_free(desk: Desk, clock: ManualClock) -> None:
    booked = book(desk, 10, 20)
    cancelled = cancel_reservation(desk.ctx, booked.id, by="op")
    assert cancelled.cancelled_at == clock.now()
    clock.advance(1)
    assert cancel_reservation(desk.ctx, booked.id, by="op") == cancelled
    assert list_reservations(desk.ctx) == []
    book(desk, 5, 15)
    with desk.ctx.store.read() as tx:
        actions = [entry.action for entry in tx.audit(AuditQuery(WORKSPACE, subject=booked.id))]
    assert actions == ["queue.cancel-reservation", "queue.reserve"]


@pytest.mark.parametrize(
    ("start", "end"), [(10, 10), (20, 10), (-20, -10), (float("nan"), 10), (0, float("inf")), (0, 400 * 86_400)]
)
def test_a_window_that_is_none_is_refused(desk: Desk, start: float, end: float) -> None:
    with pytest.raises(LimitError) as caught:
        book(desk, start, end)
    assert caught.value.code == "reservation-invalid"


def test_only_a_target_with_slots_can_be_booked(desk: Desk) -> None:
    with pytest.raises(LimitError) as caught:
        book(desk, 0, 10, "sim.auto")
    assert caught.value.code == "reservation-invalid"


def test_what_is_not_there(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        book(desk, 0, 10, "sim.none")
    with pytest.raises(NotFoundError):
        reserve(
            desk.ctx, target=QPU, workspace="nobody", starts_at=desk.clock.now(), ends_at=desk.clock.now() + 9, by="op"
        )
    with pytest.raises(NotFoundError):
        cancel_reservation(desk.ctx, "res-none", by="op")
    with pytest.raises(NotFoundError):
        list_reservations(desk.ctx, "sim.none")
