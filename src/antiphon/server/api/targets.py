"""Targets: what a job can run on, with their queues."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from antiphon.client.connection import TargetView as TargetFacts
from antiphon.client.wire.facts import target_to_json
from antiphon.engine.context import EngineContext
from antiphon.engine.estimates import expected_wait
from antiphon.engine.queues.policies import known_policy
from antiphon.engine.validate import find_driver
from antiphon.server.access.dependencies import Reader, ServicesOf
from antiphon.server.api.documents import answer, encode
from antiphon.server.api.problems import problems
from antiphon.server.api.resources import TargetList, TargetView

router = APIRouter(tags=["targets"])

EACH_TIME = {"Cache-Control": "no-store"}


@router.get("/targets", response_model=TargetList, responses=problems())
async def list_targets(_: Reader, services: ServicesOf) -> Response:
    """Every target, with what it takes and how long its queue is."""
    return await services.call(_all, services.engine)


def _all(ctx: EngineContext) -> Response:
    return answer(encode({"targets": [_document(view) for view in _views(ctx)]}), headers=EACH_TIME)


@router.get("/targets/{name}", response_model=TargetView, responses=problems(404))
async def get_target(name: str, _: Reader, services: ServicesOf) -> Response:
    """One target, with what it takes and how long its queue is."""
    return await services.call(_one, services.engine, name)


def _one(ctx: EngineContext, name: str) -> Response:
    find_driver(ctx.drivers, name)
    view = next(view for view in _views(ctx) if view.info.name == name)
    return answer(encode(_document(view)), headers=EACH_TIME)


def _views(ctx: EngineContext) -> list[TargetFacts]:
    with ctx.store.read() as tx:
        depths = tx.queue_depths()
    return [
        TargetFacts(driver.info, *depths.get(name, (0, 0)), expected_wait(ctx, name), policy.slots, policy.access)
        for name, driver in ctx.drivers.items()
        for policy in (known_policy(ctx, name),)
    ]


def _document(view: TargetFacts) -> dict[str, Any]:
    return {**target_to_json(view), "links": {"self": f"/v1/targets/{view.info.name}"}}
