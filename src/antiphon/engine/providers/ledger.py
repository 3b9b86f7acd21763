"""What the ledger says of a job, and writing to it: each note in a transaction that checks the lease on the job."""

from __future__ import annotations

from typing import NamedTuple

from antiphon.domain.jobs import Job, JobEvent, JobStatus, JobTrigger, StaleLeaseError, advance
from antiphon.domain.submissions import (
    Submission,
    SubmissionEvent,
    SubmissionTrigger,
    advance_submission,
    newest,
)
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.ids import new_id
from antiphon.ports.job_store import Transaction
from antiphon.ports.ledger_store import LedgerTransaction


class Standing(NamedTuple):
    """A job that this engine holds, with its newest line, and how many lines it has."""

    job: Job
    line: Submission | None
    tries: int


def read_standing(ctx: EngineContext, job: Job) -> Standing:
    """How things stand now.

    Raises:
        StaleLeaseError: This engine holds the job no more.
    """
    with ctx.store.read() as tx:
        current = still_held(ctx, tx, job)
        lines = tx.submissions(job.id)
    return Standing(current, newest(lines), len(lines))


def still_held(ctx: EngineContext, tx: Transaction, job: Job) -> Job:
    """The job as it is now; `job` is as it was claimed, or later.

    Raises:
        StaleLeaseError: Another engine holds it by now, or nobody, or it has ended.
    """
    current = tx.job(job.id)
    if current is None or current.owner != ctx.engine_id or current.fence != job.fence:
        raise StaleLeaseError(
            f"Job {job.id} is no longer held under lease {job.fence}.",
            details={"job": job.id, "reported": job.fence},
        )
    return current


@decided_again
def intend(ctx: EngineContext, job: Job, parent: Submission | None) -> Submission | None:
    """Write down that the job is to be sent; None when it is to be cancelled.

    All lines of a job have one key: a provider that knows keys takes it once, even if a sending that was given up
    arrives later than the next.
    """
    with ctx.store.write() as tx:
        current = still_held(ctx, tx, job)
        if current.status is JobStatus.CANCELLATION_REQUESTED:
            return None
        line = Submission(
            id=new_id("sub"),
            job_id=job.id,
            target=job.spec.target,
            key=f"{job.id}-0" if parent is None else parent.key,
            fence=job.fence,
            intended_at=ctx.clock.now(),
            parent=None if parent is None else parent.id,
        )
        tx.add_submission(line)
    return line


@decided_again
def set_out(ctx: EngineContext, job: Job, line: Submission) -> Submission | None:
    """Write down that it is being sent from now on; None when the job is to be cancelled, and then nothing may leave.

    Whoever has lost the lease cannot come past this: a line that is only intended has never left.
    """
    with ctx.store.write() as tx:
        current = still_held(ctx, tx, job)
        if current.status is JobStatus.CANCELLATION_REQUESTED:
            return None
        event = SubmissionEvent(trigger=SubmissionTrigger.SENDING, at=ctx.clock.now(), fence=job.fence)
        return save(tx, line, event)


@decided_again
def note(
    ctx: EngineContext,
    job: Job,
    line: Submission,
    event: SubmissionEvent,
    trigger: JobTrigger | None = None,
    why: str = "",
) -> tuple[Job, Submission]:
    """Write down what is known of a line, and in the same transaction what that means for the job."""
    with ctx.store.write() as tx:
        current = still_held(ctx, tx, job)
        if trigger is not None:
            current = _tell(ctx, tx, current, trigger, why)
        return current, save(tx, line, event)


@decided_again
def tell(ctx: EngineContext, job: Job, trigger: JobTrigger, why: str, started_at: float | None = None) -> Job:
    """Add a line to the job's own log."""
    with ctx.store.write() as tx:
        return _tell(ctx, tx, still_held(ctx, tx, job), trigger, why, started_at)


def save(tx: LedgerTransaction, line: Submission, event: SubmissionEvent) -> Submission:
    """Advance the line as it is stored.

    Raises:
        TransitionRefusedError: It stands elsewhere than `line` did, and the event does not fit.
    """
    stored = next((each for each in tx.submissions(line.job_id) if each.id == line.id), line)
    after = advance_submission(stored, event)
    tx.save_submission(stored, after)
    return after


def _tell(
    ctx: EngineContext, tx: Transaction, job: Job, trigger: JobTrigger, why: str, started_at: float | None = None
) -> Job:
    event = JobEvent(trigger=trigger, at=ctx.clock.now(), who=ctx.engine_id, why=why, started_at=started_at)
    after = advance(job, event)
    tx.save_job(job, after, event)
    return after
