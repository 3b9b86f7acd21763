"""The part of a transaction that is about windows booked on targets."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select, update

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.queue_tables import reservations
from antiphon.adapters.store.statements import Statement, given, insert_into
from antiphon.domain.queues import Reservation

_c = reservations.c

_ADD = insert_into(reservations)
_BY_ID = Statement(("id",), lambda _: select(reservations).where(_c.id == given(reservations, "id")))


def _to_come(*, of_target: bool) -> Statement:
    query = select(reservations).where(
        _c.cancelled_at.is_(None), _c.ends_at > bindparam("ends_after", type_=_c.ends_at.type)
    )
    if of_target:
        query = query.where(_c.target == given(reservations, "target"))
    ordered = query.order_by(_c.starts_at, _c.id)
    return Statement(("ends_after", "target") if of_target else ("ends_after",), lambda _: ordered)


_TO_COME = _to_come(of_target=False)
_TO_COME_ON = _to_come(of_target=True)
_CANCEL = Statement(
    ("cancelled_at", "cancelled_id"),
    lambda _: (
        update(reservations)
        .where(_c.id == bindparam("cancelled_id", type_=_c.id.type), _c.cancelled_at.is_(None))
        .values({"cancelled_at": given(reservations, "cancelled_at")})
    ),
)


class ReservationTransaction(EventTransaction):
    """Reservations: see `antiphon.ports.queue_store` for what each method promises."""

    def add_reservation(self, reservation: Reservation) -> None:
        """Insert it."""
        self._runner.change(
            _ADD,
            (
                reservation.id,
                reservation.target,
                reservation.workspace,
                reservation.starts_at,
                reservation.ends_at,
                reservation.created_by,
                reservation.created_at,
                reservation.note,
                reservation.cancelled_at,
            ),
        )

    def reservation(self, reservation_id: str) -> Reservation | None:
        """It, or None."""
        row = self._runner.row(_BY_ID, (reservation_id,))
        return None if row is None else _reservation_of(row)

    def reservations(self, target: str | None, ends_after: float) -> list[Reservation]:
        """Those not cancelled that end after a time, by their start; of one target or of all."""
        if target is None:
            rows = self._runner.rows(_TO_COME, (ends_after,))
        else:
            rows = self._runner.rows(_TO_COME_ON, (ends_after, target))
        return [_reservation_of(row) for row in rows]

    def cancel_reservation(self, reservation_id: str, at: float) -> bool:
        """Cancel it; False if there is none that is not cancelled."""
        return bool(self._runner.change(_CANCEL, (at, reservation_id)))


def _reservation_of(row: tuple[Any, ...]) -> Reservation:
    return Reservation(
        id=row[0],
        target=row[1],
        workspace=row[2],
        starts_at=row[3],
        ends_at=row[4],
        created_by=row[5],
        created_at=row[6],
        note=row[7],
        cancelled_at=row[8],
    )
