"""Webhooks of the workspace, and the log of deliveries to them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from antiphon.client.wire.webhooks import delivery_to_json, endpoint_to_json
from antiphon.domain.identity import Principal, Scope
from antiphon.domain.webhooks import Delivery, DeliveryStatus, Endpoint
from antiphon.engine import webhooks
from antiphon.ports.webhook_store import DeliveryQuery
from antiphon.server.access.dependencies import ServicesOf, permitted
from antiphon.server.access.origin import origin_of
from antiphon.server.api.conditional import content_tag, require_match
from antiphon.server.api.documents import answer, encode, is_id
from antiphon.server.api.paging import LARGEST_PAGE, decode_cursor, link_header, next_address
from antiphon.server.api.problems import problems
from antiphon.server.api.webhook_resources import (
    DeliveryPage,
    DeliveryView,
    WebhookBody,
    WebhookChange,
    WebhookList,
    WebhookView,
    WebhookWithSecret,
)
from antiphon.server.api.workspace import UNCACHED
from antiphon.server.services import Services

router = APIRouter(tags=["webhooks"])

Keeper = Annotated[Principal, Depends(permitted(Scope.WEBHOOKS))]


@router.post("/webhooks", status_code=201, response_model=WebhookWithSecret, responses=problems(400, 413))
async def create_webhook(request: Request, body: WebhookBody, principal: Keeper, services: ServicesOf) -> Response:
    """Make a webhook. Its host is resolved now and again for each delivery; a private address is refused."""
    await services.addresses.destinations(body.url)
    endpoint = await services.call(
        webhooks.create_endpoint,
        services.engine,
        workspace=principal.workspace,
        url=body.url,
        events=body.events,
        by=principal,
        where=origin_of(request),
    )
    return _with_secret(services, endpoint, 201, {"Location": f"/v1/webhooks/{endpoint.id}", "ETag": _tag(endpoint)})


@router.get("/webhooks", response_model=WebhookList, responses=problems())
async def list_webhooks(principal: Keeper, services: ServicesOf) -> Response:
    """All webhooks of the workspace, oldest first."""
    found = await services.call(webhooks.list_endpoints, services.engine, principal.workspace)
    return answer(encode({"webhooks": [endpoint_to_json(each) for each in found]}), headers=UNCACHED)


@router.get("/webhooks/deliveries/{delivery_id}", response_model=DeliveryView, responses=problems(404))
async def get_delivery(delivery_id: str, principal: Keeper, services: ServicesOf) -> Response:
    """One delivery with the event that it carries."""
    _check_delivery(delivery_id)
    return _told(await services.call(webhooks.get_delivery, services.engine, principal.workspace, delivery_id))


@router.post(
    "/webhooks/deliveries/{delivery_id}/replay",
    status_code=202,
    response_model=DeliveryView,
    responses=problems(404, 409),
)
async def replay_delivery(request: Request, delivery_id: str, principal: Keeper, services: ServicesOf) -> Response:
    """Send a delivery again, with the same webhook-id and body, and all its retries before it."""
    _check_delivery(delivery_id)
    delivery = await services.call(
        webhooks.replay_delivery,
        services.engine,
        workspace=principal.workspace,
        delivery_id=delivery_id,
        by=principal,
        where=origin_of(request),
    )
    return _told(delivery, 202)


@router.get("/webhooks/{webhook_id}", response_model=WebhookView, responses=problems(404))
async def get_webhook(webhook_id: str, principal: Keeper, services: ServicesOf) -> Response:
    """One webhook of the workspace."""
    _check(webhook_id)
    found = await services.call(webhooks.get_endpoint, services.engine, principal.workspace, webhook_id)
    return _view(found)


@router.patch("/webhooks/{webhook_id}", response_model=WebhookView, responses=problems(400, 404, 409, 412, 413, 428))
async def change_webhook(
    request: Request,
    webhook_id: str,
    body: WebhookChange,
    principal: Keeper,
    services: ServicesOf,
    if_match: Annotated[  # noqa: ARG001 - declared for OpenAPI; read by `require_match`
        str | None, Header(alias="If-Match", description="The ETag of the webhook as it was read, or *.")
    ] = None,
) -> Response:
    """Enable or disable a webhook, or let it want other events. What happens while it is disabled is not told it.

    `If-Match` is needed: the ETag that came with the webhook, or `*` to change it whatever it is.
    """
    _check(webhook_id)
    found = await services.call(
        webhooks.change_endpoint,
        services.engine,
        workspace=principal.workspace,
        endpoint_id=webhook_id,
        enabled=body.enabled,
        events=body.events,
        check=lambda endpoint: require_match(request, _tag(endpoint)),
        by=principal,
        where=origin_of(request),
    )
    return _view(found)


@router.delete("/webhooks/{webhook_id}", status_code=204, response_class=Response, responses=problems(404))
async def remove_webhook(request: Request, webhook_id: str, principal: Keeper, services: ServicesOf) -> Response:
    """Remove a webhook with its deliveries."""
    _check(webhook_id)
    await services.call(
        webhooks.remove_endpoint,
        services.engine,
        workspace=principal.workspace,
        endpoint_id=webhook_id,
        by=principal,
        where=origin_of(request),
    )
    return Response(None, 204)


@router.get("/webhooks/{webhook_id}/secret", response_model=WebhookWithSecret, responses=problems(404))
async def get_webhook_secret(request: Request, webhook_id: str, principal: Keeper, services: ServicesOf) -> Response:
    """The webhook with its signing secret, which is derived and never stored. The audit log says who saw it."""
    _check(webhook_id)
    endpoint = await services.call(
        webhooks.note_secret_shown,
        services.engine,
        workspace=principal.workspace,
        endpoint_id=webhook_id,
        by=principal,
        where=origin_of(request),
    )
    return _with_secret(services, endpoint)


@router.post("/webhooks/{webhook_id}/rotate", response_model=WebhookWithSecret, responses=problems(404))
async def rotate_webhook_secret(request: Request, webhook_id: str, principal: Keeper, services: ServicesOf) -> Response:
    """Give a webhook a new signing secret. For a day deliveries carry a signature of the one before too."""
    _check(webhook_id)
    endpoint = await services.call(
        webhooks.rotate_secret,
        services.engine,
        workspace=principal.workspace,
        endpoint_id=webhook_id,
        by=principal,
        where=origin_of(request),
    )
    return _with_secret(services, endpoint)


@router.post("/webhooks/{webhook_id}/test", status_code=202, response_model=DeliveryView, responses=problems(404, 409))
async def test_webhook(request: Request, webhook_id: str, principal: Keeper, services: ServicesOf) -> Response:
    """Send an event of type webhook.test; read the delivery again to see how it went."""
    _check(webhook_id)
    delivery = await services.call(
        webhooks.send_test,
        services.engine,
        workspace=principal.workspace,
        endpoint_id=webhook_id,
        by=principal,
        where=origin_of(request),
    )
    return _told(delivery, 202)


@router.get("/webhooks/{webhook_id}/deliveries", response_model=DeliveryPage, responses=problems(404))
async def list_deliveries(
    request: Request,
    webhook_id: str,
    principal: Keeper,
    services: ServicesOf,
    status: Annotated[DeliveryStatus | None, Query(description="Only those that stand so.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 100,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """What was sent to a webhook and what is to be sent; newest first, a page at a time."""
    _check(webhook_id)
    query = DeliveryQuery(principal.workspace, webhook_id, status, decode_cursor(cursor), limit + 1)
    found = await services.call(webhooks.list_deliveries, services.engine, query)
    page = found[:limit]
    more = next_address(request, (page[-1].created_at, page[-1].id)) if len(found) > len(page) else None
    document = {"deliveries": [delivery_to_json(each) for each in page], "next": more}
    return answer(encode(document), headers={**UNCACHED, **link_header(more)})


def _with_secret(
    services: Services, endpoint: Endpoint, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    secret = services.secrets.webhook_secret(endpoint.id, endpoint.secret_version)
    document = {**endpoint_to_json(endpoint), "secret": secret}
    return answer(encode(document), status, {**UNCACHED, **(headers or {})})


def _told(delivery: Delivery, status: int = 200) -> Response:
    headers = UNCACHED if status == 200 else {**UNCACHED, "Location": f"/v1/webhooks/deliveries/{delivery.id}"}
    return answer(encode(delivery_to_json(delivery)), status, headers)


def _tag(endpoint: Endpoint) -> str:
    return content_tag(encode(endpoint_to_json(endpoint)))


def _view(endpoint: Endpoint) -> Response:
    return answer(encode(endpoint_to_json(endpoint)), headers={**UNCACHED, "ETag": _tag(endpoint)})


def _check(webhook_id: str) -> None:
    if not is_id(webhook_id):
        raise webhooks.endpoint_not_found(webhook_id)


def _check_delivery(delivery_id: str) -> None:
    if not is_id(delivery_id):
        raise webhooks.delivery_not_found(delivery_id)
