"""Endpoints of webhooks and the log of deliveries to them: make, change, remove, test and replay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from antiphon.domain.identity import Principal
from antiphon.domain.webhooks import EVENT_TYPES, Delivery, Endpoint, sent_again
from antiphon.engine.access.audit import note
from antiphon.engine.access.principals import LOCAL, acting
from antiphon.engine.access.tenants import require_tenant
from antiphon.engine.context import EngineContext
from antiphon.engine.ids import new_id
from antiphon.engine.outbox import delivery_of, probe_event
from antiphon.errors import ConflictError, LimitError, NotFoundError
from antiphon.ports.webhook_store import DeliveryQuery, WebhookTransaction

MOST_ENDPOINTS = 20
"""In one workspace: the end of each job writes a line for each of them."""
MOST_DELIVERIES = 1_000
BY_OWNER = "its owner disabled it"


def create_endpoint(
    ctx: EngineContext,
    *,
    workspace: str,
    url: str,
    events: Iterable[str] = (),
    by: Principal | str,
    where: str = LOCAL,
) -> Endpoint:
    """Make an endpoint. Whoever calls this has checked that the service may send to the URL.

    Args:
        events: Types it wants, of EVENT_TYPES; none means all.

    Raises:
        NotFoundError: No such workspace.
        LimitError: An event type that there is not (code "event-unknown"), or too many endpoints
            (code "endpoints-exceeded").
    """
    actor = acting(by, workspace)
    wanted = checked_events(events)
    now = ctx.clock.now()
    endpoint = Endpoint(
        id=new_id("whk"), workspace=workspace, url=url, events=wanted, created_at=now, created_by=actor.name
    )
    with ctx.store.write() as tx:
        require_tenant(tx, workspace)
        if len(tx.endpoints(workspace)) >= MOST_ENDPOINTS:
            raise LimitError(
                f"The workspace {workspace} has {MOST_ENDPOINTS} webhooks, and cannot have more.",
                code="endpoints-exceeded",
                next_step="Remove one that nobody reads any more.",
                details={"limit": MOST_ENDPOINTS},
            )
        tx.save_endpoint(endpoint)
        # The path of such a URL is often a secret by itself; the log names the host alone.
        facts = {"host": urlsplit(url).hostname or "", "events": " ".join(wanted)}
        note(ctx, tx, actor, "webhook.create", endpoint.id, where=where, details=facts)
    return endpoint


def list_endpoints(ctx: EngineContext, workspace: str) -> list[Endpoint]:
    """All endpoints of a workspace, oldest first.

    Raises:
        NotFoundError: No such workspace.
    """
    with ctx.store.read() as tx:
        require_tenant(tx, workspace)
        return tx.endpoints(workspace)


def get_endpoint(ctx: EngineContext, workspace: str, endpoint_id: str) -> Endpoint:
    """One endpoint of a workspace.

    Raises:
        NotFoundError: The workspace has no such endpoint.
    """
    with ctx.store.read() as tx:
        return _own_endpoint(tx, workspace, endpoint_id)


def change_endpoint(
    ctx: EngineContext,
    *,
    workspace: str,
    endpoint_id: str,
    enabled: bool | None = None,
    events: Iterable[str] | None = None,
    check: Callable[[Endpoint], None] | None = None,
    by: Principal | str,
    where: str = LOCAL,
) -> Endpoint:
    """Enable or disable an endpoint, or let it want other events; None leaves a thing as it is.

    What happens while it is disabled is never told it; deliveries that were waiting fail, and can be replayed.

    Args:
        check: Looks at it as it is, in the transaction that changes it; nothing is changed when it raises.

    Raises:
        NotFoundError: The workspace has no such endpoint.
        LimitError: An event type that there is not.
    """
    actor = acting(by, workspace)
    with ctx.store.write() as tx:
        before = after = _own_endpoint(tx, workspace, endpoint_id)
        if check is not None:
            check(before)
        if events is not None:
            after = replace(after, events=checked_events(events))
        if enabled is True:
            after = replace(after, disabled_at=None, disabled_because="")
        elif enabled is False and after.disabled_at is None:
            after = replace(after, disabled_at=ctx.clock.now(), disabled_because=BY_OWNER)
        if after != before:
            tx.save_endpoint(after)
            facts = {"enabled": str(after.disabled_at is None).lower(), "events": " ".join(after.events)}
            note(ctx, tx, actor, "webhook.change", endpoint_id, where=where, details=facts)
    return after


def rotate_secret(
    ctx: EngineContext, *, workspace: str, endpoint_id: str, by: Principal | str, where: str = LOCAL
) -> Endpoint:
    """Give an endpoint a new secret. For `domain.webhooks.ROTATION_S` the one before signs beside it.

    Raises:
        NotFoundError: The workspace has no such endpoint.
    """
    actor = acting(by, workspace)
    with ctx.store.write() as tx:
        before = _own_endpoint(tx, workspace, endpoint_id)
        after = replace(before, secret_version=before.secret_version + 1, rotated_at=ctx.clock.now())
        tx.save_endpoint(after)
        note(ctx, tx, actor, "webhook.rotate", endpoint_id, where=where, details={"version": str(after.secret_version)})
    return after


def note_secret_shown(
    ctx: EngineContext, *, workspace: str, endpoint_id: str, by: Principal | str, where: str = LOCAL
) -> Endpoint:
    """The endpoint whose secret is about to be shown again, which the audit log says.

    Raises:
        NotFoundError: The workspace has no such endpoint.
    """
    actor = acting(by, workspace)
    with ctx.store.write() as tx:
        endpoint = _own_endpoint(tx, workspace, endpoint_id)
        note(ctx, tx, actor, "webhook.show-secret", endpoint_id, where=where)
    return endpoint


def remove_endpoint(
    ctx: EngineContext, *, workspace: str, endpoint_id: str, by: Principal | str, where: str = LOCAL
) -> None:
    """Forget an endpoint with its deliveries.

    Raises:
        NotFoundError: The workspace has no such endpoint.
    """
    actor = acting(by, workspace)
    with ctx.store.write() as tx:
        if not tx.remove_endpoint(workspace, endpoint_id):
            raise endpoint_not_found(endpoint_id)
        note(ctx, tx, actor, "webhook.remove", endpoint_id, where=where)


def send_test(
    ctx: EngineContext, *, workspace: str, endpoint_id: str, by: Principal | str, where: str = LOCAL
) -> Delivery:
    """Send an endpoint an event of type "webhook.test", whatever it wants otherwise; returns the delivery to follow.

    Raises:
        NotFoundError: The workspace has no such endpoint.
        ConflictError: It is disabled (code "webhook-disabled").
    """
    actor = acting(by, workspace)
    with ctx.store.write() as tx:
        endpoint = _enabled(_own_endpoint(tx, workspace, endpoint_id))
        now = ctx.clock.now()
        delivery = delivery_of(endpoint, probe_event(endpoint, now, actor.name), now)
        tx.add_deliveries([delivery])
        note(ctx, tx, actor, "webhook.test", endpoint_id, where=where, details={"delivery": delivery.id})
    ctx.announce_change(delivery.id)
    return delivery


def replay_delivery(
    ctx: EngineContext, *, workspace: str, delivery_id: str, by: Principal | str, where: str = LOCAL
) -> Delivery:
    """Send a delivery again, at once and with all its tries before it; its `webhook-id` and body stay the same.

    Raises:
        NotFoundError: The workspace has no such delivery.
        ConflictError: Its endpoint is disabled (code "webhook-disabled").
    """
    actor = acting(by, workspace)
    with ctx.store.read() as tx:
        endpoint_id = _own_delivery(tx, workspace, delivery_id).endpoint
    with ctx.store.write() as tx:
        # Endpoint before delivery: everybody locks in one order.
        _enabled(_own_endpoint(tx, workspace, endpoint_id))
        again = sent_again(_own_delivery(tx, workspace, delivery_id), ctx.clock.now())
        tx.save_delivery(again)
        note(ctx, tx, actor, "webhook.replay", delivery_id, where=where, details={"endpoint": endpoint_id})
    ctx.announce_change(delivery_id)
    return again


def list_deliveries(ctx: EngineContext, query: DeliveryQuery) -> list[Delivery]:
    """Deliveries that match, newest first.

    Raises:
        NotFoundError: The query names an endpoint that the workspace does not have.
        LimitError: More than 1,000 at a time, or none (code "limit-out-of-range").
    """
    if not 1 <= query.limit <= MOST_DELIVERIES:
        raise LimitError(
            f"{query.limit} deliveries cannot be read at a time.",
            code="limit-out-of-range",
            next_step=f"Ask for 1 to {MOST_DELIVERIES}.",
        )
    with ctx.store.read() as tx:
        if query.endpoint is not None:
            _own_endpoint(tx, query.workspace, query.endpoint)
        return tx.find_deliveries(query)


def get_delivery(ctx: EngineContext, workspace: str, delivery_id: str) -> Delivery:
    """One delivery of a workspace.

    Raises:
        NotFoundError: The workspace has no such delivery.
    """
    with ctx.store.read() as tx:
        return _own_delivery(tx, workspace, delivery_id)


def checked_events(events: Iterable[str]) -> tuple[str, ...]:
    """The event types, each once, in the order of EVENT_TYPES.

    Raises:
        LimitError: There is no such type (code "event-unknown").
    """
    given = set(events)
    unknown = sorted(given.difference(EVENT_TYPES))
    if unknown:
        raise LimitError(
            f"There is no event {unknown[0][:80]!r}.",
            code="event-unknown",
            next_step=f"Choose among {', '.join(EVENT_TYPES)}, or none for all of them.",
            details={"events": list(EVENT_TYPES)},
        )
    return tuple(each for each in EVENT_TYPES if each in given)


def endpoint_not_found(endpoint_id: str) -> NotFoundError:
    """What is said of an endpoint that the workspace does not have."""
    return NotFoundError(
        f"There is no webhook {endpoint_id[:80]} in this workspace.",
        next_step="See them with `antiphon webhooks list`.",
    )


def delivery_not_found(delivery_id: str) -> NotFoundError:
    """What is said of a delivery that the workspace does not have."""
    return NotFoundError(
        f"There is no delivery {delivery_id[:80]} in this workspace.",
        next_step="See them with `antiphon webhooks deliveries`.",
    )


def _own_endpoint(tx: WebhookTransaction, workspace: str, endpoint_id: str) -> Endpoint:
    endpoint = tx.endpoint(endpoint_id, workspace=workspace)
    if endpoint is None:
        raise endpoint_not_found(endpoint_id)
    return endpoint


def _own_delivery(tx: WebhookTransaction, workspace: str, delivery_id: str) -> Delivery:
    delivery = tx.delivery(delivery_id, workspace=workspace)
    if delivery is None:
        raise delivery_not_found(delivery_id)
    return delivery


def _enabled(endpoint: Endpoint) -> Endpoint:
    if endpoint.disabled_at is not None:
        raise ConflictError(
            f"The webhook {endpoint.id} is disabled, so nothing is sent to it.",
            code="webhook-disabled",
            cause=endpoint.disabled_because,
            next_step="Enable it first.",
        )
    return endpoint
