"""What storing a new job means for others, in the transaction that stores it: its session, and its idempotency key."""

from __future__ import annotations

from dataclasses import replace

from antiphon.domain.jobs import Job
from antiphon.domain.sessions import SessionAction, SessionEvent, advance_session
from antiphon.errors import ConflictError, NotFoundError, SessionEndedError
from antiphon.ports.job_store import Transaction


def enter_session(tx: Transaction, job: Job) -> None:
    """Count a new job in its session, if it has one.

    Raises:
        NotFoundError: There is no such session in the job's workspace.
        SessionEndedError: It takes no more jobs, or is on another target (code "session-target").
    """
    if job.session_id is None:
        return
    session = tx.session(job.session_id, workspace=job.workspace)
    if session is None:
        raise NotFoundError(
            f"There is no session {job.session_id} in this workspace.",
            next_step="List them with ws.sessions().",
        )
    if session.target != job.spec.target:
        raise SessionEndedError(
            f"Session {session.id} is on the target {session.target}, not on {job.spec.target}.",
            code="session-target",
            next_step="A session has a single target; open another one on the other target.",
        )
    event = SessionEvent(action=SessionAction.SUBMIT_JOB, at=job.created_at, who=job.created_by, why=job.id)
    if session.due_at is not None and job.created_at >= session.due_at:
        # Its time is up, although no engine was there to end it: the refusal says so, and the next turn ends it.
        checked, _ = advance_session(session, replace(event, action=SessionAction.CHECK_TIME))
        advance_session(checked, event)
    after, _ = advance_session(session, event)
    tx.save_session(session, after, event)


def first_of_key(first: Job, again: Job) -> Job:
    """The first job of an idempotency key, if `again` asks for the same.

    Raises:
        ConflictError: It asks for something else (code "key-reused").
    """
    if first.request_digest != again.request_digest:
        raise ConflictError(
            f"The key {first.key!r} was used for another request: job {first.id}.",
            code="key-reused",
            next_step="Use a new key for a new request; repeat a request unchanged to get its first job.",
            details={"id": first.id},
        )
    return first
