"""Targets: what a job can run on, with their queues."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from antiphon.client.connection import TargetView as TargetFacts
from antiphon.client.wire.facts import target_to_json
from antiphon.domain.identity import Principal
from antiphon.engine.context import EngineContext
from antiphon.engine.estimates import expected_wait
from antiphon.engine.queues.policies import known_policy
from antiphon.engine.validate import find_driver
from antiphon.server.access.dependencies import Reader, ServicesOf, runs_the_service
from antiphon.server.api.documents import answer, encode
from antiphon.server.api.problems import problems
from antiphon.server.api.target_resources import TargetList, TargetView

router = APIRouter(tags=["targets"])

EACH_TIME = {"Cache-Control": "no-store"}


@router.get("/targets", response_model=TargetList, responses=problems())
async def list_targets(principal: Reader, services: ServicesOf) -> Response:
    """Every target, with what it takes and how long its queue is."""
    return await services.call(_all, services.engine, principal)


def _all(ctx: EngineContext, principal: Principal) -> Response:
    return answer(encode({"targets": [_document(view, principal) for view in _views(ctx)]}), headers=EACH_TIME)


@router.get("/targets/{name}", response_model=TargetView, responses=problems(404))
async def get_target(name: str, principal: Reader, services: ServicesOf) -> Response:
    """One target, with what it takes and how long its queue is."""
    return await services.call(_one, services.engine, principal, name)


def _one(ctx: EngineContext, principal: Principal, name: str) -> Response:
    find_driver(ctx.drivers, name)
    view = next(view for view in _views(ctx) if view.info.name == name)
    return answer(encode(_document(view, principal)), headers=EACH_TIME)


def _views(ctx: EngineContext) -> list[TargetFacts]:
    with ctx.store.read() as tx:
        depths, badges = tx.queue_depths(), tx.badges()
    return [
        TargetFacts(
            driver.info,
            *depths.get(name, (0, 0)),
            expected_wait(ctx, name),
            policy.slots,
            policy.access,
            badges.get(name),
        )
        for name, driver in ctx.drivers.items()
        for policy in (known_policy(ctx, name),)
    ]


def _document(view: TargetFacts, principal: Principal) -> dict[str, Any]:
    document = {**target_to_json(view), "links": {"self": f"/v1/targets/{view.info.name}"}}
    if document["badge"] is not None and not runs_the_service(principal):
        document["badge"]["by"] = ""
    return document
