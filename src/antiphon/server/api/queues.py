"""Queues of targets and their prices: everybody may look, operators of the service decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response

from antiphon.client.wire.queues import prices_to_json, queue_to_json
from antiphon.domain.identity import Principal
from antiphon.domain.queues import QueuePolicy
from antiphon.engine.context import EngineContext
from antiphon.engine.prices import prices_of, set_prices
from antiphon.engine.queues.overview import overview
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.server.access.dependencies import Operator, Reader, ServicesOf, runs_the_service
from antiphon.server.access.origin import origin_of
from antiphon.server.api.conditional import require_match
from antiphon.server.api.documents import answer, encode
from antiphon.server.api.problems import problems
from antiphon.server.api.queue_resources import PolicyChange, PriceListBody, PricesView, QueueView
from antiphon.server.api.targets import EACH_TIME

router = APIRouter(tags=["queues"])


@router.get("/targets/{name}/queue", response_model=QueueView, responses=problems(404))
async def get_queue(name: str, principal: Reader, services: ServicesOf) -> Response:
    """Where the queue of a target stands and how it is run. Its ETag is that of the policy."""
    return await services.call(_queue, services.engine, principal, name)


def _queue(ctx: EngineContext, principal: Principal, name: str) -> Response:
    view = overview(ctx, name, workspace=principal.workspace, everything=runs_the_service(principal))
    links = {
        "self": f"/v1/targets/{name}/queue",
        "target": f"/v1/targets/{name}",
        "prices": f"/v1/targets/{name}/prices",
    }
    return answer(encode({**queue_to_json(view), "links": links}), headers={**EACH_TIME, "ETag": _tag(view.policy)})


@router.patch("/targets/{name}/queue", response_model=QueueView, responses=problems(400, 404, 409, 412, 413, 428))
async def change_queue(
    request: Request,
    name: str,
    body: PolicyChange,
    principal: Operator,
    services: ServicesOf,
    if_match: Annotated[  # noqa: ARG001 - declared for OpenAPI; read by `require_match`
        str | None, Header(alias="If-Match", description="The ETag of the queue as it was read, or *.")
    ] = None,
) -> Response:
    """Decide how the queue of a target is run, from its next start on; what is left out stays as it is.

    `If-Match` is needed: the ETag that came with the queue, or `*` to change it whatever it is.
    """
    changes = body.model_dump(exclude_unset=True)
    return await services.call(_change, services.engine, request, principal, name, changes)


def _change(
    ctx: EngineContext, request: Request, principal: Principal, name: str, changes: Mapping[str, Any]
) -> Response:
    set_queue_policy(
        ctx,
        target=name,
        **changes,
        check=lambda policy: require_match(request, _tag(policy)),
        by=principal,
        where=origin_of(request),
    )
    return _queue(ctx, principal, name)


def _tag(policy: QueuePolicy) -> str:
    return f'"v{policy.version}"'


@router.get("/targets/{name}/prices", response_model=PricesView, responses=problems(404))
async def get_prices(name: str, _: Reader, services: ServicesOf) -> Response:
    """What a target charges. Version 0 and null: nothing."""
    stored = await services.call(prices_of, services.engine, name)
    return answer(encode(prices_to_json(name, stored)), headers=EACH_TIME)


@router.put("/targets/{name}/prices", response_model=PricesView, responses=problems(400, 404, 409, 413))
async def put_prices(
    request: Request, name: str, body: PriceListBody, principal: Operator, services: ServicesOf
) -> Response:
    """Give a target a price list: a new version, which counts for jobs submitted from now on."""
    stored = await services.call(
        set_prices,
        services.engine,
        target=name,
        prices=body.model_dump(mode="json"),
        by=principal,
        where=origin_of(request),
    )
    return answer(encode(prices_to_json(name, stored)), headers=EACH_TIME)
