"""Sessions: jobs grouped on one target, with classical code between them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BeforeValidator
from starlette.requests import Request
from starlette.responses import Response

from antiphon.domain.identity import Principal, Scope
from antiphon.domain.sessions import Session, SessionStatus
from antiphon.engine.archived import where_it_went
from antiphon.engine.context import EngineContext
from antiphon.engine.requests import Origin
from antiphon.engine.sessions import cancel_session, close_session, open_or_join, session_not_found
from antiphon.ports.job_store import JobQuery, SessionQuery
from antiphon.server.access.dependencies import Reader, ServicesOf, Submitter, require
from antiphon.server.access.origin import sender_of
from antiphon.server.api.conditional import tagged, version_tag
from antiphon.server.api.documents import answer, encode, is_id, session_document, session_path
from antiphon.server.api.headers import idempotency_key
from antiphon.server.api.job_result import EACH_TIME, UNCHANGED
from antiphon.server.api.jobs import KeyHeader, Text, jobs_page
from antiphon.server.api.paging import LARGEST_PAGE, decode_cursor, link_header, next_address
from antiphon.server.api.problems import problems
from antiphon.server.api.reading import session_request
from antiphon.server.api.resources import JobList, SessionList, SessionView
from antiphon.server.api.submissions import SessionBody

router = APIRouter(tags=["sessions"])

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]
Cursor = Annotated[str | None, Query(max_length=1000)]


def find_session(ctx: EngineContext, principal: Principal, session_id: str) -> Session:
    """The session as it stands.

    Raises:
        NotFoundError: None of that id in the caller's workspace.
    """
    if not is_id(session_id):
        raise session_not_found(session_id)
    with ctx.store.read() as tx:
        found = tx.session(session_id, workspace=principal.workspace)
        if found is None:
            raise where_it_went(tx, principal.workspace, session_id) or session_not_found(session_id)
    return found


@router.post(
    "/sessions",
    status_code=201,
    response_model=SessionView,
    responses={
        **problems(400, 404, 409, 413),
        200: {"description": "The live session of that key.", "model": SessionView},
    },
)
async def open_session(
    request: Request, body: SessionBody, principal: Submitter, services: ServicesOf, key: KeyHeader = None
) -> Response:
    """Open a session, or join the live one that was opened under the same key.

    The key is the body's, or the header's; it is free again once its session has ended.
    """
    asked = session_request(principal, body, idempotency_key(key), sender_of(request, principal))
    session, is_new = await services.call(open_or_join, services.engine, asked)
    headers = {"Location": session_path(session.id), "ETag": version_tag(session.version)}
    return answer(encode(session_document(session)), 201 if is_new else 200, headers)


def _any_case(value: object) -> object:
    if not isinstance(value, str):
        return value
    return next((status for status in SessionStatus if status.value.lower() == value.lower()), value)


@router.get("/sessions", response_model=SessionList, responses=problems())
async def list_sessions(
    request: Request,
    principal: Reader,
    services: ServicesOf,
    status: Annotated[SessionStatus | None, BeforeValidator(_any_case), Query()] = None,
    target: Text = None,
    id_prefix: Text = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """The sessions of the workspace, newest first; a page at a time."""
    query = SessionQuery(
        principal.workspace,
        status=status,
        target=target,
        id_prefix=id_prefix,
        limit=limit + 1,
        before=decode_cursor(cursor),
    )
    return await services.call(_page, services.engine, request, query)


def _page(ctx: EngineContext, request: Request, query: SessionQuery) -> Response:
    with ctx.store.read() as tx:
        found = tx.find_sessions(query)
    page = found[: query.limit - 1]
    more = next_address(request, (page[-1].created_at, page[-1].id)) if len(found) > len(page) else None
    document = {"sessions": [session_document(session) for session in page], "next": more}
    return answer(encode(document), headers=link_header(more))


@router.get("/sessions/{session_id}", response_model=SessionView, responses={**problems(404), **UNCHANGED})
async def get_session(request: Request, session_id: str, principal: Reader, services: ServicesOf) -> Response:
    """A session as it stands."""
    session = await services.call(find_session, services.engine, principal, session_id)
    return tagged(request, version_tag(session.version), encode(session_document(session)), EACH_TIME)


@router.post("/sessions/{session_id}/close", response_model=SessionView, responses=problems(404))
async def close(request: Request, session_id: str, principal: Submitter, services: ServicesOf) -> Response:
    """No new jobs; what is queued or runs finishes. Closing what has ended is no error."""
    return await services.call(
        _end, services.engine, principal, session_id, sender_of(request, principal), cancels=False
    )


@router.post("/sessions/{session_id}/cancel", response_model=SessionView, responses=problems(404))
async def cancel(request: Request, session_id: str, principal: Submitter, services: ServicesOf) -> Response:
    """No new jobs, and those in the queue are cancelled; what runs may finish."""
    return await services.call(
        _end, services.engine, principal, session_id, sender_of(request, principal), cancels=True
    )


def _end(ctx: EngineContext, principal: Principal, session_id: str, origin: Origin, *, cancels: bool) -> Response:
    if find_session(ctx, principal, session_id).created_by != principal.name:
        require(principal, Scope.JOBS_MANAGE)
    act = cancel_session if cancels else close_session
    session = act(ctx, principal.workspace, session_id, who=principal.name, origin=origin)
    return answer(encode(session_document(session)), headers={"ETag": version_tag(session.version)})


@router.get("/sessions/{session_id}/jobs", response_model=JobList, responses=problems(404))
async def list_jobs_of_session(
    request: Request,
    session_id: str,
    principal: Reader,
    services: ServicesOf,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """The jobs of a session, newest first; a page at a time."""
    query = JobQuery(principal.workspace, session_id=session_id, limit=limit + 1, before=decode_cursor(cursor))
    await services.call(find_session, services.engine, principal, session_id)
    return await services.call(jobs_page, services.engine, request, query)
