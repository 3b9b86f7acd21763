"""The engine's side of sending: take what is due, each try by one sender only, and keep how it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from antiphon.domain.webhooks import Attempt, Delivery, DeliveryStatus, Endpoint, after_attempt
from antiphon.engine.access.audit import note
from antiphon.engine.access.principals import local_principal
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext

LEASE_S = 60.0
"""A try that was begun so long ago and has not ended never will: its sender died, and another one tries again."""

GONE = "it answered 410 Gone"


@decided_again
def claim_due(
    ctx: EngineContext, limit: int, *, most_per_endpoint: int, under_way: Mapping[str, int]
) -> list[tuple[Delivery, Endpoint | None]]:
    """Take up to `limit` deliveries that are due, for this caller alone for the next LEASE_S seconds.

    Args:
        most_per_endpoint: How many may be under way to one endpoint; the rest of its deliveries wait, others' do not.
        under_way: How many of this caller's are, by endpoint.

    Returns:
        Each with its endpoint as it is now; None when that was removed. `attempts` counts the try about to be made.
    """
    now = ctx.clock.now()
    with ctx.store.read() as tx:
        if not tx.due_deliveries(now, 1):
            return []
    counts = Counter(under_way)
    claimed = []
    with ctx.store.write() as tx:
        busy = [endpoint for endpoint, count in counts.items() if count >= most_per_endpoint]
        for due in tx.due_deliveries(now, limit, passing_over=busy):
            if counts[due.endpoint] < most_per_endpoint:
                counts[due.endpoint] += 1
                taken = replace(due, attempts=due.attempts + 1, next_at=now + LEASE_S)
                tx.save_delivery(taken)
                claimed.append(taken)
    # Not in the same transaction, which holds locks on deliveries: everybody else locks endpoints before these.
    with ctx.store.read() as tx:
        return [(each, tx.endpoint(each.endpoint, workspace=each.workspace)) for each in claimed]


def record_attempt(ctx: EngineContext, delivery: Delivery, attempt: Attempt, *, spread: float) -> Delivery | None:
    """Keep how a try went; an answer of 410 also disables the endpoint.

    Args:
        delivery: As `claim_due` returned it.
        spread: See `domain.webhooks.after_attempt`.

    Returns:
        The delivery as stored; None when it is not this try's any more: it was taken over, replayed or removed.
    """
    if attempt.is_gone:
        _disable(ctx, delivery)
    return _record(ctx, delivery, attempt, spread)


@decided_again
def _record(ctx: EngineContext, delivery: Delivery, attempt: Attempt, spread: float) -> Delivery | None:
    with ctx.store.write() as tx:
        current = tx.delivery(delivery.id, workspace=delivery.workspace)
        if (
            current is None
            or current.status is not DeliveryStatus.PENDING
            or (current.attempts, current.next_at) != (delivery.attempts, delivery.next_at)
        ):
            return None
        after = after_attempt(current, attempt, now=ctx.clock.now(), spread=spread)
        tx.save_delivery(after)
        return after


@decided_again
def _disable(ctx: EngineContext, delivery: Delivery) -> None:
    with ctx.store.write() as tx:
        endpoint = tx.endpoint(delivery.endpoint, workspace=delivery.workspace)
        if endpoint is None or endpoint.disabled_at is not None:
            return
        tx.save_endpoint(replace(endpoint, disabled_at=ctx.clock.now(), disabled_because=GONE))
        receiver = local_principal(endpoint.workspace, "antiphon")
        note(ctx, tx, receiver, "webhook.disable", endpoint.id, details={"because": GONE, "delivery": delivery.id})
