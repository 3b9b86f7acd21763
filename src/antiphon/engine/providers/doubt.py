"""Doubt that no question to the provider can settle: an operator says what became of a sending."""

from __future__ import annotations

from antiphon.domain.identity import Principal
from antiphon.domain.jobs import Job, JobEvent, JobStatus, JobTrigger, advance
from antiphon.domain.submissions import SubmissionEvent, SubmissionState, SubmissionTrigger, newest
from antiphon.engine.access.audit import note
from antiphon.engine.access.principals import LOCAL, acting
from antiphon.engine.cancel import job_not_found
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.providers.ledger import save
from antiphon.engine.tasks import task_id
from antiphon.errors import ConflictError, LimitError

HELD = (JobStatus.EXECUTING, JobStatus.CANCELLATION_REQUESTED)


@decided_again
def resolve_in_doubt(
    ctx: EngineContext,
    *,
    workspace: str,
    job_id: str,
    arrived: bool,
    provider_id: str | None = None,
    by: Principal | str,
    where: str = LOCAL,
) -> Job:
    """Say whether a provider has a job that is in doubt: with the provider's name for it, or that it never arrived.

    In the first case the job is followed from there; in the second it is sent again, unless it was cancelled.

    Returns:
        The job as it is stored.

    Raises:
        NotFoundError: No such job in the workspace.
        ConflictError: It is not in doubt (code "job-not-in-doubt").
        LimitError: It arrived, and the provider's name for it is missing (code "provider-id-missing").
    """
    if arrived and not provider_id:
        raise LimitError(
            "A job that arrived cannot be followed without the provider's name for it.",
            code="provider-id-missing",
            next_step="Give the id that the provider shows for it.",
        )
    actor = acting(by, workspace)
    with ctx.store.write() as tx:
        job = tx.job(job_id, workspace=workspace)
        if job is None:
            raise job_not_found(job_id)
        line = newest(tx.submissions(job_id))
        if line is None or line.state is not SubmissionState.IN_DOUBT:
            raise ConflictError(
                f"Job {job_id} is not in doubt.",
                code="job-not-in-doubt",
                next_step="See its record for what is known of it.",
                details={"job": job_id, "line": None if line is None else line.state.value},
            )
        why = f"{actor.name} says that its provider {'has it' if arrived else 'never had it'}"
        now = ctx.clock.now()
        if job.status in HELD and job.in_doubt:
            event = JobEvent(trigger=JobTrigger.RESOLVED, at=now, who=actor.name, why=why)
            before, job = job, advance(job, event)
            tx.save_job(before, job, event)
        trigger = SubmissionTrigger.FOUND if arrived else SubmissionTrigger.NOT_FOUND
        error = None if arrived else {"code": "provider-never-had-it", "message": why}
        save(tx, line, SubmissionEvent(trigger=trigger, at=now, provider_id=provider_id, error=error))
        details = {"arrived": str(arrived).lower()} | ({"provider_id": provider_id} if provider_id else {})
        note(ctx, tx, actor, "job.resolve", job_id, where=where, details=details)
    if ctx.follower is not None:
        ctx.follower.nudge(task_id(job))
    ctx.announce_change(job_id)
    return job
