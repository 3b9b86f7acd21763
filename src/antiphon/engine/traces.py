"""Traces from a live store: what its jobs asked and took, to be played again elsewhere."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from antiphon.domain.jobs import Job
from antiphon.domain.traces import TraceJob
from antiphon.engine.access.tenants import DEFAULT
from antiphon.engine.context import EngineContext
from antiphon.ports.job_store import JobQuery

PAGE = 500


def trace_jobs(
    ctx: EngineContext, *, workspace: str | None = None, since: float | None = None, until: float | None = None
) -> Iterator[TraceJob]:
    """The jobs that have ended, by the time of their submit; each page of them is read in a short transaction.

    Args:
        workspace: Only its jobs; None is all workspaces.
        since, until: Only jobs submitted from then on, and before.
    """
    with ctx.store.read() as tx:
        # The default workspace is there without anybody having made it.
        names = [workspace] if workspace is not None else sorted({DEFAULT, *(tenant.name for tenant in tx.tenants())})
    each = (_jobs_of(ctx, name, since, until) for name in names)
    for job in heapq.merge(*each, key=lambda job: (job.created_at, job.id)):
        if job.status.is_final:
            yield trace_job(job)


def trace_job(job: Job) -> TraceJob:
    """What a trace says of a job that has ended."""
    ran = job.started_at is not None and not job.is_cached
    run_s = wait_s = None
    if ran and job.started_at is not None and job.ended_at is not None:
        measured = job.stages.execute
        run_s = max(0.0, job.ended_at - job.started_at if measured is None else measured)
        wait_s = max(0.0, job.started_at - job.created_at)
    return TraceJob(
        submitted_at=job.created_at,
        workspace=job.workspace,
        user=job.created_by,
        target=job.spec.target,
        priority=job.priority,
        session=job.session_id,
        kind=job.spec.kind.value,
        planned_s=job.planned_s,
        run_s=run_s,
        wait_s=wait_s,
        outcome=job.status.value,
    )


def _jobs_of(ctx: EngineContext, workspace: str, since: float | None, until: float | None) -> Iterator[Job]:
    before: tuple[float, str] | None = None
    while True:
        query = JobQuery(
            workspace=workspace,
            created_after=since,
            created_before=until,
            limit=PAGE,
            before=before,
            oldest_first=True,
        )
        with ctx.store.read() as tx:
            page = tx.find_jobs(query)
        yield from page
        if len(page) < PAGE:
            return
        before = (page[-1].created_at, page[-1].id)
