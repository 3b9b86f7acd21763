"""Jobs of the data plane: submit, look, change, cancel, forget."""

from __future__ import annotations

import re
from dataclasses import replace

from starlette.responses import JSONResponse, Response

from antiphon.domain.identity import Principal, Scope
from antiphon.domain.jobs import Job
from antiphon.engine.access.audit import note_work
from antiphon.engine.cancel import cancel
from antiphon.engine.requests import Origin
from antiphon.ports.azure_store import AzureItem
from antiphon.server.access.dependencies import require
from antiphon.server.api.headers import trace_of
from antiphon.server.azure.models import JobIn, JobPatch
from antiphon.server.azure.outputs_stored import has_own_container
from antiphon.server.azure.plane import AzurePlane
from antiphon.server.azure.refusals import AzureRefusal
from antiphon.server.azure.routing import AzureCall
from antiphon.server.azure.submitting import find_job, forget_job, kind_of_caller, submit_job
from antiphon.server.azure.views import DEFAULT_PRIORITY, Links, job_view

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def item_id(call: AzureCall) -> str:
    """The client's id of a job or session.

    Raises:
        AzureRefusal: 400 for what cannot be one.
    """
    found = call.param("id")
    if _ID.fullmatch(found) is None:
        raise AzureRefusal(
            400, "InvalidResourceName", "An id has 1 to 128 letters, digits, hyphens, dots and underscores."
        )
    return found


def links(call: AzureCall, *, signed: bool = True) -> Links:
    """Where the caller finds blobs."""
    return Links(call.storage, call.plane.engine.clock.now(), call.plane.signer if signed else None)


async def put_job(call: AzureCall) -> Response:
    """Submit; the same id again answers with the first job."""
    body = await call.read(JobIn)
    trace = trace_of(call.request)
    item, job, is_new = await call.run(submit_job, call.plane, call.principal, item_id(call), body, trace, call.sender)
    call.request.state.job_id = job.id
    return JSONResponse(job_view(item, job, links(call, signed=False), just_sent=True), 201 if is_new else 200)


async def get_job(call: AzureCall) -> Response:
    """A job as it stands."""
    item, job = await call.run(_found, call.plane, call.workspace, item_id(call))
    return JSONResponse(job_view(item, job, links(call)))


async def patch_job(call: AzureCall) -> Response:
    """Change name, priority and tags."""
    patch = await call.read(JobPatch)
    item = await call.run(_patched, call.plane, call.principal, item_id(call), patch)
    return JSONResponse(
        {
            "id": item.id,
            "name": item.name,
            "priority": item.details.get("priority") or DEFAULT_PRIORITY,
            "tags": item.details.get("tags") or [],
        }
    )


async def cancel_job(call: AzureCall) -> Response:
    """Ask for a job to be cancelled."""
    item, job = await call.run(_found, call.plane, call.workspace, item_id(call))
    _require_own(call.principal, job)
    if job.status.is_final:
        raise AzureRefusal(409, "JobAlreadyEnded", f"The job is {job.status.value} and cannot be cancelled.")
    job = await call.run(cancel, call.plane.engine, call.workspace, job.id, who=call.principal.name, origin=call.sender)
    return JSONResponse(job_view(item, job, links(call)))


async def delete_job(call: AzureCall) -> Response:
    """Forget a job and its blobs here; what has not ended is cancelled. The engine keeps its record."""
    item, job = await call.run(_found, call.plane, call.workspace, item_id(call))
    _require_own(call.principal, job)
    await call.run(_delete, call.plane, item, job, call.principal.name, call.sender)
    return Response(status_code=204)


def _found(plane: AzurePlane, workspace: str, job_id: str) -> tuple[AzureItem, Job]:
    found = find_job(plane, workspace, job_id)
    if found is None:
        raise AzureRefusal(404, "ResourceNotFound", f"There is no job {job_id} in this workspace.")
    return found


def _patched(plane: AzurePlane, principal: Principal, job_id: str, patch: JobPatch) -> AzureItem:
    changes = patch.model_dump(exclude_unset=True)
    if changes.get("name", "") is None or changes.get("name") == "":
        raise AzureRefusal(400, "InvalidRequestBody", "A job has a name.")
    with plane.engine.store.write() as tx:
        item = tx.azure_item(principal.workspace, "Job", job_id)
        job = item and tx.job(item.subject, workspace=principal.workspace)
        if not item or not job:
            raise AzureRefusal(404, "ResourceNotFound", f"There is no job {job_id} in this workspace.")
        _require_own(principal, job)
        name = changes.pop("name", item.name)
        changed = {
            "modified_at": plane.engine.clock.now(),
            "modified_by": principal.name,
            "modified_by_type": kind_of_caller(principal),
        }
        item = replace(item, name=name, details={**item.details, **changes, **changed})
        tx.save_azure_item(item)
    return item


def _delete(plane: AzurePlane, item: AzureItem, job: Job, who: str, origin: Origin) -> None:
    if not job.status.is_final:
        cancel(plane.engine, item.workspace, job.id, who=who, why="deleted by the user", origin=origin)
    with plane.engine.store.write() as tx:
        if not forget_job(tx, item, plane.engine.clock.now()):
            return  # somebody else was faster, and the id may be another job's by now
        note_work(plane.engine, tx, origin, "job.delete", job.id, workspace=item.workspace, who=who)
    if item.container is not None and has_own_container(item):
        plane.storage.remove_container(item.container)


def _require_own(principal: Principal, job: Job) -> None:
    """Who changes what others submitted must be permitted to."""
    if job.created_by != principal.name:
        require(principal, Scope.JOBS_MANAGE)
