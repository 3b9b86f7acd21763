"""What the workspace's jobs used."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from antiphon.client.wire.access import usage_to_json
from antiphon.domain.usage import DEFAULT_DAYS, MOST_DAYS, UsageBy
from antiphon.engine.access.usage import DAY_S, last_days, summarise_usage
from antiphon.server.access.dependencies import Reader, ServicesOf
from antiphon.server.api.access_resources import UsageView
from antiphon.server.api.documents import answer, encode
from antiphon.server.api.problems import problems
from antiphon.server.api.times import Moment, seconds_of
from antiphon.server.api.workspace import UNCACHED

router = APIRouter(tags=["usage"])


@router.get("/usage", response_model=UsageView, responses=problems(404))
async def get_usage(
    principal: Reader,
    services: ServicesOf,
    by: Annotated[UsageBy, Query(description="What to sum up over.")] = UsageBy.TARGET,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="So many days (UTC), unless `after` is given.")] = (
        DEFAULT_DAYS
    ),
    after: Moment = None,
    before: Moment = None,
) -> Response:
    """What the jobs submitted in a period used: the last 28 days, with today, unless another is given."""
    engine = services.engine
    since, until = last_days(engine.clock.now(), days)
    begin, end = seconds_of(after), seconds_of(before)
    if end is not None:
        since, until = end - days * DAY_S, end
    if begin is not None:
        since = begin
    summary = await services.call(summarise_usage, engine, principal.workspace, since=since, until=until, by=by)
    return answer(encode(usage_to_json(summary)), headers=UNCACHED)
