"""Everything that happens to the jobs and sessions of a workspace, as one stream of server-sent events."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator

from fastapi import APIRouter
from fastapi.sse import KEEPALIVE_COMMENT
from starlette.requests import Request
from starlette.responses import Response

from antiphon.domain.identity import Principal
from antiphon.engine.context import EngineContext
from antiphon.errors import LimitError
from antiphon.ports.job_store import StoredEvent
from antiphon.server.access.dependencies import Reader, ServicesOf
from antiphon.server.api.job_events import (
    EVENT_STREAM,
    KEEP_ALIVE_S,
    LastEventId,
    framed,
    log_of,
    sequence,
    streaming,
)
from antiphon.server.api.problems import problems
from antiphon.server.services import Services

router = APIRouter(tags=["events"])

MOST_MISSED = 100_000
"""Lines of all workspaces that a stream looks through to take up where another ended."""
PAGE = 1_000
STEP_BACK = 100
"""Lines become visible not quite in the order of their `seq`; so many before the last one are sent again."""
SUBJECTS_REMEMBERED = 10_000


@router.get(
    "/events",
    responses={
        **problems(),
        200: {"description": "The stream.", "content": {EVENT_STREAM: {"schema": {"type": "string"}}}},
    },
)
async def get_events(
    request: Request, principal: Reader, services: ServicesOf, last_event_id: LastEventId = None
) -> Response:
    """What happens to jobs and sessions of the workspace, from now on, or from `Last-Event-ID` on.

    Each line comes at least once; one that comes again has the same id. Lines of one job or session are in order.
    """
    return await streaming(request, services, _follow(services, principal, sequence(last_event_id)))


async def _follow(services: Services, principal: Principal, after: int) -> AsyncGenerator[bytes]:
    ctx, workspace = services.engine, principal.workspace
    sent: OrderedDict[str, int] = OrderedDict()
    async with services.hub.watch_workspace(workspace, key=principal.caller) as subjects:
        start = await services.call(_last_seq, ctx)
        if after:
            _check_age(after, start)
        yield KEEPALIVE_COMMENT
        position = max(0, after - STEP_BACK) if after else start
        while position < start:
            until = min(position + PAGE, start)
            lines, position = await services.call(_missed, ctx, workspace, position, until), until
            for line in lines:
                sent[line.subject] = line.seq
            if lines:
                yield b"".join(map(framed, lines))
        awaited = asyncio.ensure_future(anext(subjects))
        try:
            while not services.draining:
                done, _ = await asyncio.wait({awaited}, timeout=KEEP_ALIVE_S)
                if not done:
                    yield KEEPALIVE_COMMENT
                    continue
                try:
                    subject = awaited.result()
                except StopAsyncIteration:
                    return
                lines = await services.call(log_of, ctx, subject)
                new = [line for line in lines if line.seq > sent.get(subject, start)]
                if new:
                    sent[subject] = new[-1].seq
                    sent.move_to_end(subject)
                    if len(sent) > SUBJECTS_REMEMBERED:
                        sent.popitem(last=False)
                    yield b"".join(map(framed, new))
                awaited = asyncio.ensure_future(anext(subjects))
        finally:
            awaited.cancel()


def _check_age(after: int, last: int) -> None:
    if last - after > MOST_MISSED:
        raise LimitError(
            "Too much has happened since that event to send it all.",
            code="event-id-too-old",
            next_step="List the jobs and sessions, and follow what happens from now on, without Last-Event-ID.",
            details={"last": last},
        )


def _last_seq(ctx: EngineContext) -> int:
    with ctx.store.read() as tx:
        return tx.last_seq()


def _missed(ctx: EngineContext, workspace: str, after: int, until: int) -> list[StoredEvent]:
    with ctx.store.read() as tx:
        return tx.workspace_events(workspace, after, until)
