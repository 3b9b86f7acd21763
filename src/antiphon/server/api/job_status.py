"""Where a job stands: polled, or waited for."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from antiphon.domain.identity import Principal
from antiphon.domain.jobs import Job, JobStatus, as_told
from antiphon.engine.context import EngineContext
from antiphon.server.access.dependencies import Reader, ServicesOf
from antiphon.server.api.documents import answer, encode, job_links
from antiphon.server.api.headers import LONGEST_WAIT_S, preferred_wait
from antiphon.server.api.jobs import PreferHeader, estimated_seconds, retry_after
from antiphon.server.api.problems import problems
from antiphon.server.api.resources import StatusView
from antiphon.server.api.waiting import find_in, wait_for_job
from antiphon.server.services import Services

router = APIRouter(tags=["jobs"])

FARTHEST_LOOK = 1_000
"""A place in the queue beyond this is not counted out: nobody acts on it, and counting takes as long as it is far."""


@router.get(
    "/jobs/{job_id}/status",
    response_model=StatusView,
    responses={**problems(404), 303: {"description": "It has ended; its result is at Location.", "model": StatusView}},
)
async def get_status(
    request: Request,
    job_id: str,
    principal: Reader,
    services: ServicesOf,
    wait: Annotated[float | None, Query(ge=0, allow_inf_nan=False, description="Seconds to wait for its end.")] = None,
    known_version: Annotated[int | None, Query(description="Answer as soon as the job has another version.")] = None,
    prefer: PreferHeader = None,  # noqa: ARG001 - declared for OpenAPI; read by `preferred_wait`
) -> Response:
    """Where a job stands: 200 while it has not ended, then 303 to its result.

    With `wait`, or `Prefer: wait=…`, the answer comes when the job ends or so many seconds have passed, 60 at most.
    """
    return await status_answer(request, services, principal, job_id, wait, known_version)


async def status_answer(
    request: Request,
    services: Services,
    principal: Principal,
    job_id: str,
    wait: float | None = None,
    known_version: int | None = None,
) -> Response:
    """The answer of `get_status`.

    Raises:
        NotFoundError: None of that id in the caller's workspace.
        RateLimitedError: Too many long polls are open.
    """
    preferred = preferred_wait(request)
    asked = preferred if wait is None else min(wait, LONGEST_WAIT_S)
    waited = await wait_for_job(services, principal, job_id, asked, known_version) if asked else None
    if waited is None or waited.status is JobStatus.WAITING:
        job, position = await services.look(_standing, services.engine, principal, job_id)
    else:
        job, position = waited, None
    headers = {"Retry-After": retry_after(job), "Cache-Control": "no-store"}
    if wait is None and preferred is not None:
        headers["Preference-Applied"] = f"wait={preferred:.0f}"
    links = job_links(job)
    if job.status.is_final:
        return answer(encode(_document(job, links)), 303, {**headers, "Location": links["result"]})
    return answer(encode(_document(job, links, position)), 200, headers)


def _standing(ctx: EngineContext, principal: Principal, job_id: str) -> tuple[Job, int | None]:
    """The job, and its place in the queue if it is in it and not too far from its head."""
    with ctx.store.read() as tx:
        job = find_in(tx, principal, job_id)
        if job.status is not JobStatus.WAITING:
            return job, None
        found = tx.jobs_before(job, FARTHEST_LOOK)
    return job, found if found < FARTHEST_LOOK else None


def _document(job: Job, links: dict[str, str], position: int | None = None) -> dict[str, Any]:
    job = as_told(job)
    stage = "done" if job.status.is_final else "queue" if job.status is JobStatus.WAITING else "execute"
    return {
        "id": job.id,
        "status": job.status.value,
        "version": job.version,
        "stage": stage,
        "queue_position": position,
        "estimate": None if job.status.is_final else {"execute_s": estimated_seconds(job)},
        "links": links,
    }
