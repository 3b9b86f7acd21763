"""Sessions of the data plane: open, look, close."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from antiphon.domain.identity import Principal, Scope
from antiphon.domain.sessions import Session
from antiphon.engine.requests import OpenSessionRequest, Origin
from antiphon.engine.sessions import close_session, open_new_session
from antiphon.ports.azure_store import AzureItem
from antiphon.server.access.dependencies import require
from antiphon.server.azure.jobs import item_id
from antiphon.server.azure.models import SessionIn
from antiphon.server.azure.plane import AzurePlane
from antiphon.server.azure.refusals import AzureRefusal
from antiphon.server.azure.routing import AzureCall
from antiphon.server.azure.submitting import KEY, kind_of_caller
from antiphon.server.azure.views import session_view


async def put_session(call: AzureCall) -> Response:
    """Open; the same id again answers with the first session."""
    body = await call.read(SessionIn)
    item, session, is_new = await call.run(_open, call.plane, call.principal, item_id(call), body, call.sender)
    return JSONResponse(session_view(item, session), 201 if is_new else 200)


async def get_session(call: AzureCall) -> Response:
    """A session as it stands."""
    item, session = await call.run(found_session, call.plane, call.workspace, item_id(call))
    return JSONResponse(session_view(item, session))


async def post_close_session(call: AzureCall) -> Response:
    """No new jobs; what is queued or running finishes. Closing what has ended changes nothing."""
    item, session = await call.run(found_session, call.plane, call.workspace, item_id(call))
    if session.created_by != call.principal.name:
        require(call.principal, Scope.JOBS_MANAGE)
    session = await call.run(
        close_session, call.plane.engine, call.workspace, session.id, who=call.principal.name, origin=call.sender
    )
    return JSONResponse(session_view(item, session))


def found_session(plane: AzurePlane, workspace: str, session_id: str) -> tuple[AzureItem, Session]:
    """A session under the client's id.

    Raises:
        AzureRefusal: 404 when there is none.
    """
    with plane.engine.store.read() as tx:
        item = tx.azure_item(workspace, "Session", session_id)
        session = item and tx.session(item.subject, workspace=workspace)
    if not item or not session:
        raise AzureRefusal(404, "ResourceNotFound", f"There is no session {session_id} in this workspace.")
    return item, session


def _open(
    plane: AzurePlane, principal: Principal, session_id: str, body: SessionIn, origin: Origin
) -> tuple[AzureItem, Session, bool]:
    ctx, workspace = plane.engine, principal.workspace
    with ctx.store.read() as tx:
        known = tx.azure_item(workspace, "Session", session_id)
    if known is not None:
        return *found_session(plane, workspace, session_id), False
    target = plane.targets.find(body.target, body.provider_id or None)
    name = body.name or f"session-{session_id}"
    session = open_new_session(
        ctx,
        OpenSessionRequest(
            workspace=workspace,
            who=principal.name,
            target=target.engine_target,
            name=name,
            failure_policy=(body.job_failure_policy or "Abort").lower(),
            key=KEY + session_id,
            origin=origin,
        ),
    )
    item = AzureItem(
        workspace=workspace,
        kind="Session",
        id=session_id,
        subject=session.id,
        name=name,
        provider=target.provider,
        target=target.id,
        session=None,
        container=None,
        created_at=session.created_at,
        details={"priority": body.priority, "tags": body.tags, "by": kind_of_caller(principal)},
    )
    with ctx.store.write() as tx:
        is_new = tx.add_azure_item(item)
    return (item, session, True) if is_new else (*found_session(plane, workspace, session_id), False)
