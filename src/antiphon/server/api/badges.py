"""Badges of targets: everybody sees them with the target, operators of the service give them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from antiphon.client.wire.facts import badge_to_json
from antiphon.domain.identity import Principal
from antiphon.engine.badges import LONGEST, MOST_CHECKS, give_badge
from antiphon.engine.context import EngineContext
from antiphon.engine.validate import find_driver
from antiphon.server.access.dependencies import Operator, ServicesOf
from antiphon.server.access.origin import origin_of
from antiphon.server.api.documents import answer, encode
from antiphon.server.api.problems import problems
from antiphon.server.api.submissions import Body, without_nul
from antiphon.server.api.target_resources import BadgeView
from antiphon.server.api.targets import EACH_TIME

router = APIRouter(tags=["targets"])

Short = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(without_nul)]
Count = Annotated[int, Field(strict=True, ge=0, le=MOST_CHECKS)]


class BadgeBody(Body):
    """What a run of the contract kit found."""

    version: Short = Field(description="The target's when it was checked.")
    antiphon: Short = Field(description="The kit's.")
    passed: Count
    not_applicable: Count
    failed: Annotated[list[Short], Field(max_length=MOST_CHECKS)] = Field(description="Names of checks.")


@router.put("/targets/{name}/badge", response_model=BadgeView, responses=problems(400, 404, 413))
async def put_badge(
    request: Request, name: str, body: BadgeBody, principal: Operator, services: ServicesOf
) -> Response:
    """Keep what a run of the contract kit found about a target, in place of what was found before."""
    return await services.call(_put, services.engine, request, principal, name, body)


def _put(ctx: EngineContext, request: Request, principal: Principal, name: str, body: BadgeBody) -> Response:
    badge = give_badge(ctx, target=name, **body.model_dump(), by=principal, where=origin_of(request))
    return answer(encode(badge_to_json(badge, find_driver(ctx.drivers, name).info.version)), headers=EACH_TIME)
