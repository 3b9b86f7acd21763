"""Jobs: submit, list, look, cancel.

A submit is an asynchronous request: 202 and the job; its status is polled (or waited for) under `/status`, which leads
to `/result` once the job has ended.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BeforeValidator
from starlette.requests import Request
from starlette.responses import Response

from antiphon.domain.identity import Principal, Scope
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.results import outcome_to_json
from antiphon.engine.cancel import cancel
from antiphon.engine.context import EngineContext, Finished
from antiphon.engine.requests import Origin
from antiphon.engine.submit import submit
from antiphon.ports.job_store import JobQuery
from antiphon.server.access.dependencies import Reader, ServicesOf, Submitter, require
from antiphon.server.access.origin import sender_of
from antiphon.server.api.conditional import tagged, version_tag
from antiphon.server.api.documents import answer, encode, job_document, job_in_list, job_path
from antiphon.server.api.headers import LONGEST_WAIT_S, idempotency_key, preferred_wait, trace_of
from antiphon.server.api.paging import LARGEST_PAGE, decode_cursor, link_header, next_address
from antiphon.server.api.problems import Responses, problems
from antiphon.server.api.reading import submit_request
from antiphon.server.api.resources import JobList, JobView
from antiphon.server.api.submissions import Submission
from antiphon.server.api.waiting import find_job, wait_for_job

router = APIRouter(tags=["jobs"])

SMALL_RESULT_VALUES = 4_096
"""A result with at most so many counts or values comes with the answer to its submit."""
LONGEST_RETRY_S = 30

ACCEPTED: Responses = {
    202: {
        "description": "Accepted; where it stands is told at Location.",
        "headers": {
            "Location": {"description": "Status of the job.", "schema": {"type": "string"}},
            "Content-Location": {"description": "The job.", "schema": {"type": "string"}},
            "Retry-After": {"description": "Seconds until another look.", "schema": {"type": "integer"}},
            "Idempotent-Replayed": {"description": "true: the first job of this key.", "schema": {"type": "string"}},
        },
    }
}

Text = Annotated[str | None, Query(max_length=1000, pattern=r"^[^\x00]*$")]
KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", description="The same key and body again returns the first job, and makes no other."
    ),
]
PreferHeader = Annotated[
    str | None, Header(alias="Prefer", description="wait=N: answer once it has ended, or after N seconds (RFC 7240).")
]


def retry_after(job: Job) -> str:
    """Seconds until another look is worth while: what the plan estimates, within bounds; 0 once it has ended."""
    if job.status.is_final:
        return "0"
    estimate = estimated_seconds(job) or 0.0
    return str(min(LONGEST_RETRY_S, max(1, math.ceil(estimate))))


def estimated_seconds(job: Job) -> float | None:
    """What its plan says it costs."""
    seconds = job.provenance.get("plan", {}).get("estimated_seconds")
    return float(seconds) if isinstance(seconds, int | float) and math.isfinite(seconds) else None


def _num_values(outcome: Mapping[str, Any]) -> int:
    mappings = (*outcome.get("counts", ()), *outcome.get("probabilities", ()))
    return len(outcome.get("values", ())) + sum(map(len, mappings))


def accepted(finished: Finished, *, headers: dict[str, str] | None = None) -> Response:
    """202 with the job, and with its result when it has a small one already."""
    job = finished.job
    document = job_document(job)
    if finished.outcomes is not None:
        outcomes = [outcome_to_json(outcome) for outcome in finished.outcomes]
        if sum(map(_num_values, outcomes)) <= SMALL_RESULT_VALUES:
            document["result"] = {"id": job.id, "outcomes": outcomes, "cached": document["cached"]}
    path = job_path(job.id)
    return answer(
        encode(document),
        202,
        {
            "Location": f"{path}/status",
            "Content-Location": path,
            "Retry-After": retry_after(job),
            **({"Idempotent-Replayed": "true"} if finished.repeated else {}),
            **(headers or {}),
        },
    )


@router.post("/jobs", status_code=202, response_model=JobView, responses={**problems(400, 404, 409, 413), **ACCEPTED})
async def submit_job(
    request: Request,
    body: Submission,
    principal: Submitter,
    services: ServicesOf,
    key: KeyHeader = None,
    prefer: PreferHeader = None,  # noqa: ARG001 - declared for OpenAPI; read by `preferred_wait`
) -> Response:
    """Submit a job.

    It is checked before it is stored, and stored before this answers: an accepted job will end. What is cheap and safe
    may have ended already; then `result` holds its result, if that is small. The status of the job is at `Location`.
    """
    named = idempotency_key(key)
    finished = await services.call(
        submit_body, services.engine, principal, body, named, trace_of(request), sender_of(request, principal)
    )
    request.state.job_id = finished.job.id
    wait = preferred_wait(request)
    if wait is None:
        return await services.call(accepted, finished)
    if not finished.job.status.is_final:
        job = await wait_for_job(services, principal, finished.job.id, wait)
        finished = Finished(job, repeated=finished.repeated)
    return await services.call(accepted, finished, headers={"Preference-Applied": f"wait={wait:.0f}"})


def submit_body(
    ctx: EngineContext, principal: Principal, body: Submission, key: str | None, trace: str | None, origin: Origin
) -> Finished:
    """Submit what a body asks for; raises as `submit_request` and `submit` do."""
    return submit(ctx, submit_request(ctx, principal, body, key=key, trace=trace, origin=origin))


def _any_case(value: object) -> object:
    if not isinstance(value, str):
        return value
    return next((status for status in JobStatus if status.value.lower() == value.lower()), value)


@router.get("/jobs", response_model=JobList, responses=problems(404))
async def list_jobs(
    request: Request,
    principal: Reader,
    services: ServicesOf,
    status: Annotated[JobStatus | None, BeforeValidator(_any_case), Query()] = None,
    target: Text = None,
    session_id: Text = None,
    name: Text = None,
    id_prefix: Text = None,
    created_after: Annotated[dt.datetime | None, Query(description="No zone means UTC.")] = None,
    created_before: Annotated[dt.datetime | None, Query(description="No zone means UTC.")] = None,
    order: Annotated[Literal["asc", "desc"], Query(description="By time of creation.")] = "desc",
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 100,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    before: Annotated[
        str | None, Query(max_length=64, description="Id of the last job seen, to go on from there without a cursor.")
    ] = None,
) -> Response:
    """The jobs of the workspace, newest first; a page at a time.

    The provenance of one with several programs leaves out what is told of each; the job itself has it.
    """
    query = JobQuery(
        principal.workspace,
        status=status,
        target=target,
        session_id=session_id,
        name=name,
        id_prefix=id_prefix,
        created_after=_seconds(created_after),
        created_before=_seconds(created_before),
        limit=limit + 1,
        before=decode_cursor(cursor),
        oldest_first=order == "asc",
    )
    if before is not None and cursor is None:
        last = await services.call(find_job, services.engine, principal, before)
        query = replace(query, before=(last.created_at, last.id))
    return await services.call(jobs_page, services.engine, request, query)


def jobs_page(ctx: EngineContext, request: Request, query: JobQuery) -> Response:
    """One page; `query.limit` is one more than the page holds, which says whether there is another."""
    with ctx.store.read() as tx:
        found = tx.find_jobs(query)
    page = found[: query.limit - 1]
    more = next_address(request, (page[-1].created_at, page[-1].id)) if len(found) > len(page) else None
    return answer(encode({"jobs": [job_in_list(job) for job in page], "next": more}), headers=link_header(more))


def _seconds(at: dt.datetime | None) -> float | None:
    if at is None:
        return None
    return (at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)).timestamp()


@router.get("/jobs/{job_id}", response_model=JobView, responses={**problems(404), 304: {"description": "Unchanged."}})
async def get_job(
    request: Request,
    job_id: str,
    principal: Reader,
    services: ServicesOf,
    wait: Annotated[
        float | None, Query(ge=0, description="Answer once it has ended, or after so many seconds.")
    ] = None,
    known_version: Annotated[int | None, Query(ge=1, description="With wait: answer when it has another.")] = None,
) -> Response:
    """A job as it stands. A job that failed is no error of this request: `error` says why."""
    if wait:
        await wait_for_job(services, principal, job_id, min(wait, LONGEST_WAIT_S), known_version)
    return await services.call(_job, services.engine, request, principal, job_id)


def _job(ctx: EngineContext, request: Request, principal: Principal, job_id: str) -> Response:
    job = find_job(ctx, principal, job_id)
    return tagged(request, version_tag(job.version), encode(job_document(job)), {"Cache-Control": "private, no-cache"})


@router.post("/jobs/{job_id}/cancel", status_code=202, response_model=JobView, responses={**problems(404), **ACCEPTED})
@router.delete(
    "/jobs/{job_id}/status", status_code=202, response_model=JobView, responses={**problems(404), **ACCEPTED}
)
async def cancel_job(request: Request, job_id: str, principal: Submitter, services: ServicesOf) -> Response:
    """Ask for a job to be cancelled; it may still succeed. One that has ended is left as it is."""
    return await services.call(_cancel, services.engine, principal, job_id, sender_of(request, principal))


def _cancel(ctx: EngineContext, principal: Principal, job_id: str, origin: Origin) -> Response:
    job = find_job(ctx, principal, job_id)
    if job.created_by != principal.name:
        require(principal, Scope.JOBS_MANAGE)
    return accepted(Finished(cancel(ctx, principal.workspace, job_id, who=principal.name, origin=origin)))
