"""What a job returned, program by program, and the record of how."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from antiphon.client.intervals import to_json
from antiphon.client.wire.facts import item_to_json
from antiphon.domain.identity import Principal
from antiphon.domain.jobs import Job
from antiphon.domain.results import outcome_from_json
from antiphon.engine.context import EngineContext
from antiphon.engine.job_record import record_of
from antiphon.engine.results import items_of, outcomes_text
from antiphon.errors import ConflictError
from antiphon.server.access.dependencies import Reader, ServicesOf
from antiphon.server.api.conditional import content_tag, tagged, version_tag
from antiphon.server.api.documents import encode, result_body
from antiphon.server.api.jobs import retry_after
from antiphon.server.api.problems import Responses, problems
from antiphon.server.api.resources import ItemList, ResultView
from antiphon.server.api.waiting import find_job

router = APIRouter(tags=["jobs"])

FOREVER = {"Cache-Control": "private, immutable, max-age=31536000"}
EACH_TIME = {"Cache-Control": "private, no-cache"}
UNCHANGED: Responses = {304: {"description": "Unchanged."}}


def ended(job: Job) -> Job:
    """The job, which has ended.

    Raises:
        ConflictError: It has not (code "job-not-finished").
    """
    if job.status.is_final:
        return job
    raise ConflictError(
        f"Job {job.id} is still {job.status.value}.",
        code="job-not-finished",
        next_step=f"Wait for it: GET /v1/jobs/{job.id}/status with Prefer: wait=30.",
        details={"job": job.id, "status": job.status.value, "retry_after_s": int(retry_after(job))},
    )


@router.get(
    "/jobs/{job_id}/result",
    response_model=ResultView | ItemList,
    responses={**problems(404, 409), **UNCHANGED},
)
async def get_result(
    request: Request,
    job_id: str,
    principal: Reader,
    services: ServicesOf,
    partial: Annotated[bool, Query(description="Of a batch: what has come so far, item by item.")] = False,
    level: Annotated[
        float | None,
        Query(gt=0.0, lt=1.0, description="Adds to each outcome its confidence intervals at this level, such as 0.95."),
    ] = None,
) -> Response:
    """The result of a job: one outcome for each of its programs. It never changes.

    409 before the job has ended (`job-not-finished`), and for good when it failed or was cancelled, with the job's own
    code and cause.
    """
    if partial:
        return await services.call(_items, services.engine, request, principal, job_id)
    return await services.call(_result, services.engine, request, principal, job_id, level)


def _result(ctx: EngineContext, request: Request, principal: Principal, job_id: str, level: float | None) -> Response:
    job = ended(find_job(ctx, principal, job_id))
    text = outcomes_text(ctx, job)
    body = result_body(job, text if level is None else _with_intervals(text, level))
    return tagged(request, content_tag(body), body, FOREVER)


def _with_intervals(outcomes: str, level: float) -> str:
    told = json.loads(outcomes)
    for each in told:
        each["interval"] = to_json(outcome_from_json(each), level)
    return json.dumps(told, separators=(",", ":"))


@router.get("/jobs/{job_id}/items", response_model=ItemList, responses={**problems(404), **UNCHANGED})
async def get_items(request: Request, job_id: str, principal: Reader, services: ServicesOf) -> Response:
    """The programs of a batch in order, each with its status, and its outcome or error once it has one."""
    return await services.call(_items, services.engine, request, principal, job_id)


def _items(ctx: EngineContext, request: Request, principal: Principal, job_id: str) -> Response:
    job = find_job(ctx, principal, job_id)
    items = [item_to_json(item) for item in items_of(ctx, job)]
    body = encode({"id": job.id, "status": job.status.value, "items": items})
    return tagged(request, content_tag(body), body, EACH_TIME)


@router.get("/jobs/{job_id}/record", response_model=dict[str, object], responses={**problems(404), **UNCHANGED})
async def get_record(request: Request, job_id: str, principal: Reader, services: ServicesOf) -> Response:
    """Everything that is needed to run the job again: programs, values, seeds, versions, log, result."""
    return await services.call(_record, services.engine, request, principal, job_id)


def _record(ctx: EngineContext, request: Request, principal: Principal, job_id: str) -> Response:
    job = find_job(ctx, principal, job_id)
    # The items of a batch get further without a new version of the job.
    tag = version_tag(job.version) if job.status.is_final else None
    body = encode(record_of(ctx, job))
    return tagged(request, tag or content_tag(body), body, EACH_TIME)
