"""Reservations: windows of a target that are booked for a workspace."""

from __future__ import annotations

from antiphon.domain.identity import Principal
from antiphon.domain.queues import DAY_S, Reservation
from antiphon.engine.access import audit
from antiphon.engine.access.principals import LOCAL
from antiphon.engine.access.quotas import iso
from antiphon.engine.access.tenants import require_tenant
from antiphon.engine.context import EngineContext
from antiphon.engine.ids import new_id
from antiphon.engine.queues.policies import operating, policy_of
from antiphon.engine.validate import LONGEST_NAME, check_text, find_driver, is_number
from antiphon.errors import ConflictError, LimitError, NotFoundError

LONGEST_S = 366 * DAY_S


def reserve(
    ctx: EngineContext,
    *,
    target: str,
    workspace: str,
    starts_at: float,
    ends_at: float,
    note: str = "",
    by: Principal | str,
    where: str = LOCAL,
) -> Reservation:
    """Book a window of a target with slots for a workspace: meanwhile nobody else's jobs start there.

    Jobs of others that are planned to run into it wait until it is over. What runs longer than it was planned is not
    stopped.

    Args:
        starts_at, ends_at: Seconds since the epoch (UTC).

    Raises:
        NotFoundError: No such target or workspace.
        LimitError: It ends before it starts or is over already, is longer than 366 days, or the target has no slots
            (code "reservation-invalid").
        ConflictError: The target is booked in that time already (code "reservation-overlap").
    """
    find_driver(ctx.drivers, target)
    check_text("note of the reservation", note, LONGEST_NAME)
    now = ctx.clock.now()
    _check_window(starts_at, ends_at, now)
    actor = operating(by)
    booked = Reservation(
        id=new_id("res"),
        target=target,
        workspace=workspace,
        starts_at=float(starts_at),
        ends_at=float(ends_at),
        created_by=actor.name,
        created_at=now,
        note=note,
    )
    with ctx.store.write() as tx:
        tx.queue_state(target)  # two bookings of one target must not both find it free
        require_tenant(tx, workspace)
        if not policy_of(ctx, tx, target).is_queued:
            raise _invalid("The target has no slots: whatever comes starts at once, and nothing need be booked.")
        for other in tx.reservations(target, booked.starts_at):
            if other.starts_at < booked.ends_at:
                raise ConflictError(
                    f"{target} is booked from {iso(other.starts_at)} to {iso(other.ends_at)} already.",
                    code="reservation-overlap",
                    next_step="Choose another time, or cancel that reservation.",
                    details={"id": other.id, "starts_at": other.starts_at, "ends_at": other.ends_at},
                )
        tx.add_reservation(booked)
        details = {"target": target, "workspace": workspace, "from": f"{starts_at:.15g}", "until": f"{ends_at:.15g}"}
        audit.note(ctx, tx, actor, "queue.reserve", booked.id, where=where, details=details)
    ctx.wakeup.set()
    return booked


def list_reservations(ctx: EngineContext, target: str | None = None) -> list[Reservation]:
    """The windows that are open or to come, by their start; of one target or of all.

    Raises:
        NotFoundError: No such target.
    """
    if target is not None:
        find_driver(ctx.drivers, target)
    with ctx.store.read() as tx:
        return tx.reservations(target, ctx.clock.now())


def cancel_reservation(
    ctx: EngineContext, reservation_id: str, *, by: Principal | str, where: str = LOCAL
) -> Reservation:
    """Give the window back, also while it is open. To cancel it again changes nothing.

    Raises:
        NotFoundError: No such reservation.
    """
    actor = operating(by)
    now = ctx.clock.now()
    with ctx.store.write() as tx:
        if tx.cancel_reservation(reservation_id, now):
            audit.note(ctx, tx, actor, "queue.cancel-reservation", reservation_id, where=where)
        found = tx.reservation(reservation_id)
    if found is None:
        raise reservation_not_found(reservation_id)
    ctx.wakeup.set()
    return found


def reservation_not_found(reservation_id: str) -> NotFoundError:
    """What is said of a reservation that is none."""
    return NotFoundError(
        f"There is no reservation {reservation_id[:80]}.",
        next_step="See those that are open or to come with `antiphon reservations list`.",
    )


def _check_window(starts_at: float, ends_at: float, now: float) -> None:
    if not (is_number(starts_at) and is_number(ends_at)):
        raise _invalid("A start and an end are seconds since the epoch.")
    if ends_at <= starts_at:
        raise _invalid("It ends before it starts.")
    if ends_at <= now:
        raise _invalid("It is over already.")
    if ends_at - starts_at > LONGEST_S or starts_at - now > 10 * LONGEST_S:
        raise _invalid("It is longer than 366 days, or begins in more than ten years.")


def _invalid(cause: str) -> LimitError:
    return LimitError(
        "There cannot be such a reservation.",
        code="reservation-invalid",
        cause=cause,
        next_step="Give a start and a later end, of a target with slots.",
    )
