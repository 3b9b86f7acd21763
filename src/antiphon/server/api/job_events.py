"""Logs of jobs and sessions: as an array, or as a stream of server-sent events that can be taken up again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from antiphon.domain.identity import Principal, Scope
from antiphon.domain.jobs import FINAL_STATUSES
from antiphon.domain.sessions import SessionStatus
from antiphon.engine.context import EngineContext
from antiphon.engine.job_record import event_to_json
from antiphon.errors import AuthenticationError, LimitError, PermissionDeniedError, RateLimitedError
from antiphon.ports.job_store import StoredEvent
from antiphon.server.access.dependencies import Reader, ServicesOf, require
from antiphon.server.api.documents import answer, encode
from antiphon.server.api.problems import Responses, problems
from antiphon.server.api.resources import EventView
from antiphon.server.api.sessions import find_session
from antiphon.server.api.waiting import find_job
from antiphon.server.services import Services

router = APIRouter(tags=["events"])

EVENT_STREAM = "text/event-stream"
KEEP_ALIVE_S = 15.0
STILL_KNOWN_S = 15.0
"""How often it is asked whether a stream's key or token still opens it: a revoked one sees nothing after so long."""
FINAL = {status.value for status in FINAL_STATUSES} | {status.value for status in SessionStatus if status.is_final}
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
STREAMED: Responses = {
    200: {
        "description": "The log so far; or, asked for with Accept: text/event-stream, the log as it grows.",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    }
}

LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", description="Send only lines with a larger seq.", max_length=30)
]


@router.get("/jobs/{job_id}/events", response_model=list[EventView], responses={**problems(404), **STREAMED})
async def get_events_of_job(
    request: Request, job_id: str, principal: Reader, services: ServicesOf, last_event_id: LastEventId = None
) -> Response:
    """The log of a job. As a stream it goes on until the job has ended, and can be taken up with Last-Event-ID."""
    return await _events(request, services, principal, job_id, find_job, last_event_id)


@router.get("/sessions/{session_id}/events", response_model=list[EventView], responses={**problems(404), **STREAMED})
async def get_events_of_session(
    request: Request, session_id: str, principal: Reader, services: ServicesOf, last_event_id: LastEventId = None
) -> Response:
    """The log of a session. As a stream it goes on until the session has ended."""
    return await _events(request, services, principal, session_id, find_session, last_event_id)


async def _events(
    request: Request,
    services: Services,
    principal: Principal,
    subject: str,
    find: Callable[[EngineContext, Principal, str], object],
    last_event_id: str | None,
) -> Response:
    after = sequence(last_event_id)
    await services.call(find, services.engine, principal, subject)
    if not wants_stream(request):
        lines = await services.call(log_of, services.engine, subject)
        return answer(encode([event_to_json(line) for line in lines if line.seq > after]))
    return await streaming(request, services, _follow(services, principal, subject, after))


def wants_stream(request: Request) -> bool:
    """Whether the client asks for server-sent events."""
    return EVENT_STREAM in request.headers.get("Accept", "")


def sequence(last_event_id: str | None) -> int:
    """The `seq` of a Last-Event-ID; 0 without one.

    Raises:
        LimitError: It is no id of ours (code "event-id-invalid").
    """
    if last_event_id is None or not last_event_id.strip():
        return 0
    text = last_event_id.strip()
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    raise LimitError(
        "Last-Event-ID is no id of an event.",
        code="event-id-invalid",
        next_step="Send the id of the last event that was received, or leave the header out.",
    )


def log_of(ctx: EngineContext, subject: str) -> list[StoredEvent]:
    """The lines of one job or session, oldest first."""
    with ctx.store.read() as tx:
        return tx.events(subject)


def framed(line: StoredEvent) -> bytes:
    """One line as a server-sent event: its id is the line's `seq`, its type what happened."""
    data: dict[str, Any] = {**event_to_json(line), "subject": line.subject}
    return format_sse_event(data_str=encode(data).decode(), event=line.event, id=str(line.seq))


async def streaming(request: Request, services: Services, parts: AsyncGenerator[bytes]) -> Response:
    """A stream whose first part is there: what refuses it is raised before the answer begins.

    It ends when its key or token opens nothing any more, and can be taken up with another.
    """
    first = await anext(parts)
    loop = asyncio.get_running_loop()

    async def all_parts() -> AsyncIterator[bytes]:
        looked = loop.time()
        async with aclosing(parts):
            yield first
            async for part in parts:
                if loop.time() - looked >= STILL_KNOWN_S:
                    if not await _is_still_known(request, services):
                        return
                    looked = loop.time()
                yield part

    return StreamingResponse(all_parts(), headers=STREAM_HEADERS, media_type=EVENT_STREAM)


async def _is_still_known(request: Request, services: Services) -> bool:
    try:
        now = await services.authenticator.authenticate(request)
        require(now, Scope.JOBS_READ)
    except (AuthenticationError, PermissionDeniedError, RateLimitedError):
        return False
    before: Principal = request.state.principal
    return now.workspace == before.workspace


async def _follow(services: Services, principal: Principal, subject: str, after: int) -> AsyncGenerator[bytes]:
    async with services.hub.watch(subject, key=principal.caller) as watch:
        yield KEEPALIVE_COMMENT
        while not services.draining:
            lines = await services.call(log_of, services.engine, subject)
            new = [line for line in lines if line.seq > after]
            if new:
                after = new[-1].seq
                yield b"".join(map(framed, new))
            if lines and lines[-1].status in FINAL:
                return
            if not await watch.changed(KEEP_ALIVE_S):
                yield KEEPALIVE_COMMENT
