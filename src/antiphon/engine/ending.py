"""Ending jobs: the change, its event, the session it belongs to and what follows for others, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field

from antiphon.domain.batches import ItemEvent, ItemTrigger, advance_item
from antiphon.domain.jobs import Job, JobEvent, JobStatus, JobTrigger, advance
from antiphon.domain.queues import QueuePolicy
from antiphon.domain.sessions import Consequence, Session, SessionAction, SessionEvent, advance_session
from antiphon.domain.work import JobKind
from antiphon.engine.access.quotas import settle_holds
from antiphon.engine.charging import charged
from antiphon.engine.context import EngineContext
from antiphon.engine.outbox import note_job_end, note_session_end
from antiphon.engine.queues.holding import after_end, lock_queue
from antiphon.engine.queues.outcomes import cost_of, note_outcome, seconds_in_target
from antiphon.engine.queues.shares import correct, seconds_to_correct
from antiphon.engine.tasks import task_id
from antiphon.ports.job_store import Transaction


@dataclass(slots=True)
class Aftermath:
    """What to do once the transaction is committed: stop running tasks, wake those who wait."""

    to_stop: list[str] = field(default_factory=list)
    ended: list[Job] = field(default_factory=list)

    def carry_out(self, ctx: EngineContext) -> None:
        """Stop tasks that run here (others ignore it), announce ends."""
        for task in self.to_stop:
            ctx.stop_task(task)
        for job in self.ended:
            ctx.tell_ended(job)
            ctx.announce_end(job.id)
        if self.to_stop:
            ctx.wakeup.set()


def settle(tx: Transaction, before: Job, event: JobEvent, aftermath: Aftermath) -> Job:
    """Save the job after `event`; if that ends it, webhooks, its session's rules and its holds follow.

    Raises:
        VersionConflictError, TransitionRefusedError, StaleLeaseError: Nothing of it may be committed.
    """
    after = advance(before, event)
    policy = lock_queue(tx, before, after)
    if after.status.is_final:
        after = charged(tx, after, seconds_in_target(after))
    tx.save_job(before, after, event)
    if not after.status.is_final:
        _correct_share(tx, policy, before, after, event)
        return after
    aftermath.ended.append(after)
    note_job_end(tx, after)
    if after.spec.kind is JobKind.BATCH and after.status is not JobStatus.SUCCEEDED:
        _cancel_items(tx, after, event)
    if after.session_id is not None:
        session = tx.session(after.session_id)
        if session is not None:
            _tell_session(tx, session, after, event, policy, aftermath)
    if after.holds:
        # Late, as a submit holds after it has entered its session: everybody locks in one order.
        settle_holds(tx, after)
    _correct_share(tx, policy, before, after, event)
    if policy is not None and before.owner is not None:
        note_outcome(tx, after, event)
    return after


def _correct_share(tx: Transaction, policy: QueuePolicy | None, before: Job, after: Job, event: JobEvent) -> None:
    if policy is not None and before.owner is not None and after.owner is None:
        seconds = seconds_to_correct(before, after, event)
        if seconds:
            correct(tx, policy, after, seconds, event.at)


def _cancel_items(tx: Transaction, job: Job, event: JobEvent) -> None:
    """What did not run of a batch never will."""
    cancelled = ItemEvent(trigger=ItemTrigger.CANCELLED, at=event.at, error=event.error)
    for item in tx.items(job.id):
        if not item.status.is_final:
            tx.save_item(job.id, item, advance_item(item, cancelled))


def _tell_session(
    tx: Transaction, session: Session, job: Job, event: JobEvent, policy: QueuePolicy | None, aftermath: Aftermath
) -> None:
    ended = SessionEvent(
        action=SessionAction.JOB_ENDED,
        at=event.at,
        who=event.who,
        why=f"{job.id} {job.status.value}",
        job_status=job.status,
        seconds=seconds_in_target(job),
        cost=cost_of(job),
    )
    after, consequences = advance_session(session, ended)
    tx.save_session(session, after, ended)
    note_session_end(tx, session, after)
    if policy is not None:
        after_end(tx, policy, after, event.at)
    for consequence in consequences:
        apply_consequence(tx, after, consequence, at=event.at, aftermath=aftermath)


def apply_consequence(
    tx: Transaction, session: Session, consequence: Consequence, *, at: float, aftermath: Aftermath
) -> None:
    """End or stop the session's other jobs as its rules say."""
    error = {
        "code": "session-ended",
        "message": f"Session {session.id} ended before this job ran.",
        "cause": session.end_reason,
        "next_step": "Submit it again in a new session.",
        "details": {"session": session.id},
    }
    for job in tx.pending_jobs(session.id):
        if job.status is JobStatus.WAITING:
            trigger = JobTrigger.FAILED if consequence is Consequence.FAIL_QUEUED else JobTrigger.CANCELLED
            event = JobEvent(trigger=trigger, at=at, who=session.id, why=session.end_reason, error=error)
            settle(tx, job, event, aftermath)
        elif job.status is JobStatus.EXECUTING and consequence is Consequence.CANCEL_PENDING:
            event = JobEvent(trigger=JobTrigger.CANCEL_REQUESTED, at=at, who=session.id, why=session.end_reason)
            settle(tx, job, event, aftermath)
            aftermath.to_stop.append(task_id(job))
