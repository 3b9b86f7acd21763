"""Cancel: a request, not a fact. A waiting job ends at once; what runs is stopped, or may still end on its own."""

from __future__ import annotations

from antiphon.domain.jobs import Job, JobEvent, JobStatus, JobTrigger
from antiphon.engine.access.audit import note_work
from antiphon.engine.archived import where_it_went
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.ending import Aftermath, settle
from antiphon.engine.queues.holding import lock_queue
from antiphon.engine.requests import Origin
from antiphon.engine.tasks import task_id
from antiphon.errors import NotFoundError
from antiphon.ports.job_store import Transaction


@decided_again
def cancel(
    ctx: EngineContext,
    workspace: str,
    job_id: str,
    *,
    who: str,
    why: str = "asked by the user",
    origin: Origin | None = None,
) -> Job:
    """Ask for the job to be cancelled. A job that is final already, or asked already, is returned unchanged.

    Args:
        origin: From where; with it the audit log has a line "job.cancel".

    Raises:
        NotFoundError: No such job in the workspace.
    """
    aftermath = Aftermath()
    with ctx.store.read() as tx:
        job = tx.job(job_id, workspace=workspace)
        if job is None:
            raise missing_job(tx, workspace, job_id)
    with ctx.store.write() as tx:
        lock_queue(tx, job)
        job = tx.job(job_id, workspace=workspace) or job
        if job.status.is_final or job.status is JobStatus.CANCELLATION_REQUESTED:
            return job
        event = JobEvent(
            trigger=JobTrigger.CANCEL_REQUESTED,
            at=ctx.clock.now(),
            who=who,
            why=why,
            error={
                "code": "job-cancelled",
                "message": "The job was cancelled before it ran.",
                "cause": why,
                "next_step": "",
                "details": {},
            },
        )
        running = job.status is JobStatus.EXECUTING
        job = settle(tx, job, event, aftermath)
        note_work(ctx, tx, origin, "job.cancel", job.id, workspace=workspace, who=who)
        if running:
            aftermath.to_stop.append(task_id(job))
    aftermath.carry_out(ctx)
    return job


def missing_job(tx: Transaction, workspace: str, job_id: str) -> NotFoundError:
    """The error for a job that is not in the tables: it was archived, and where, or there is none."""
    return where_it_went(tx, workspace, job_id) or job_not_found(job_id)


def job_not_found(job_id: str) -> NotFoundError:
    """The one error for a job that is not there, or belongs to another workspace: both look the same from outside."""
    return NotFoundError(
        f"There is no job {job_id} in this workspace.",
        next_step="List jobs with ws.jobs() or `antiphon jobs list`.",
        details={"job": job_id},
    )
