"""Lists of the data plane: jobs, sessions, both, targets, quotas; and the signed URLs of the storage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.responses import JSONResponse, Response

from antiphon.domain.identity import Scope
from antiphon.domain.queues import Priority
from antiphon.engine.estimates import expected_wait, expected_waits
from antiphon.ports.azure_store import AzureQuery
from antiphon.server.azure.addresses import signed
from antiphon.server.azure.filters import apply_filter, apply_order
from antiphon.server.azure.jobs import item_id, links
from antiphon.server.azure.models import SasUriIn
from antiphon.server.azure.paging import page, page_bounds
from antiphon.server.azure.plane import AzurePlane
from antiphon.server.azure.refusals import AzureRefusal
from antiphon.server.azure.routing import AzureCall
from antiphon.server.azure.sas import Grant
from antiphon.server.azure.sessions import found_session
from antiphon.server.azure.views import SIGNED_FOR_S, Links, job_view, quota_view, session_view

OWN_PROVIDER = "antiphon"
"""Provider of a quota that is on all targets together."""


async def list_jobs(call: AzureCall) -> Response:
    """Jobs, oldest first unless ordered."""
    return await _listed(call, AzureQuery(call.workspace, kinds=("Job",)))


async def list_sessions(call: AzureCall) -> Response:
    """Sessions, oldest first unless ordered."""
    return await _listed(call, AzureQuery(call.workspace, kinds=("Session",)))


async def list_session_jobs(call: AzureCall) -> Response:
    """Jobs of a session, oldest first unless ordered."""
    session_id = item_id(call)
    await call.run(found_session, call.plane, call.workspace, session_id)
    return await _listed(call, AzureQuery(call.workspace, kinds=("Job",), session=session_id))


async def list_top_level_items(call: AzureCall) -> Response:
    """Sessions, and jobs outside of sessions."""
    return await _listed(call, AzureQuery(call.workspace, outside_sessions=True))


async def list_providers(call: AzureCall) -> Response:
    """Targets by provider, with how long their queues are."""
    return page(call, await call.run(_provider_status, call.plane))


async def list_quotas(call: AzureCall) -> Response:
    """The workspace's quotas, and where they stand."""
    return page(call, await call.run(_quotas, call.plane, call.workspace))


async def post_sas_uri(call: AzureCall) -> Response:
    """A signed URL of a container, which is made if it is not there, or of one of its blobs."""
    body = await call.read(SasUriIn)
    storage, container = call.plane.storage, body.container_name
    writes = call.principal.may(Scope.JOBS_WRITE)
    if writes:
        await call.run(storage.ensure_container, call.workspace, container)
    elif not await call.run(storage.belongs_to, call.workspace, container):
        raise AzureRefusal(404, "ContainerNotFound", f"There is no container {container} in this workspace.")
    granted = ("racw" if body.blob_name else "racwl") if writes else ("r" if body.blob_name else "rl")
    expires = call.plane.engine.clock.now() + SIGNED_FOR_S
    grant = Grant(container, body.blob_name or None, granted, expires)
    return JSONResponse({"sasUri": signed(call.storage, grant, call.plane.signer)})


async def _listed(call: AzureCall, query: AzureQuery) -> Response:
    asked = call.request.query_params
    skip, top = page_bounds(asked)
    narrowed = apply_filter(apply_order(query, asked.get("orderby", "")), asked.get("filter", ""))
    if narrowed is None:
        return page(call, [])
    # One more than the page holds tells whether another follows.
    narrowed = replace(narrowed, skip=skip, limit=top + 1)
    found, more = await call.run(_found, call.plane, narrowed, links(call))
    return page(call, found, more=more)


def _found(plane: AzurePlane, query: AzureQuery, where: Links) -> tuple[list[dict[str, Any]], bool]:
    views = []
    with plane.engine.store.read() as tx:
        items = tx.find_azure_items(query)
        for item in items[: query.limit - 1]:
            if item.kind == "Job":
                job = tx.job(item.subject, workspace=query.workspace)
                views += [] if job is None else [job_view(item, job, where)]
            else:
                session = tx.session(item.subject, workspace=query.workspace)
                views += [] if session is None else [session_view(item, session)]
    return views, len(items) == query.limit


def _provider_status(plane: AzurePlane) -> list[dict[str, Any]]:
    now = plane.engine.clock.now()
    with plane.engine.store.read() as tx:
        depths = tx.queue_depths()
        oldest = tx.oldest_waiting(list(plane.engine.drivers))
    waits = {target: expected_wait(plane.engine, target) for target in plane.engine.drivers}
    # Who has waited for longer than is expected of a next job shows that more is to be expected.
    waits |= {target: max(waits[target], now - at) for target, at in oldest.items()}
    engine = plane.engine
    high = {target: expected_waits(engine, target, Priority.HIGH).p50 for target in engine.drivers}
    return plane.targets.provider_status(depths, waits, high)


def _quotas(plane: AzurePlane, workspace: str) -> list[dict[str, Any]]:
    now = plane.engine.clock.now()
    with plane.engine.store.read() as tx:
        return [
            quota_view(quota, tx.quota_use(quota.id, quota.period.start(now)), _provider_of(plane, quota.target))
            for quota in tx.quotas(workspace)
        ]


def _provider_of(plane: AzurePlane, target: str | None) -> str:
    driver = plane.engine.drivers.get(target or "")
    return OWN_PROVIDER if driver is None else driver.info.provider.lower()
