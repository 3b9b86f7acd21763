"""Sessions: jobs grouped on one target with classical code between them. Nothing else assigns a session's status.

The rules are Azure Quantum's (failure policy, idle limit, statuses) with the total limit of IBM's runtime: at the total
limit running jobs finish and queued ones fail; losing a client changes nothing, since the engine keeps the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import JobStatus
from antiphon.domain.transitions import TransitionRefusedError, TransitionTable
from antiphon.errors import SessionEndedError


class SessionStatus(StrEnum):
    """Where a session stands; Azure Quantum's words."""

    WAITING = "Waiting"
    EXECUTING = "Executing"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    FAILURES = "Failure(s)"
    TIMED_OUT = "TimedOut"

    @property
    def is_final(self) -> bool:
        """True when nothing changes it any more. `Failure(s)` is not final: the session still takes jobs."""
        return self in FINAL_SESSION_STATUSES


FINAL_SESSION_STATUSES = frozenset({SessionStatus.SUCCEEDED, SessionStatus.FAILED, SessionStatus.TIMED_OUT})


class FailurePolicy(StrEnum):
    """What a failing job does to its session."""

    ABORT = "abort"  # the session fails at once; its other pending jobs are cancelled
    CONTINUE = "continue"  # the session goes on, and fails when it is closed


class SessionTrigger(StrEnum):
    """What can happen to a session, guards included."""

    JOB_SUBMITTED = "job submitted"
    JOB_ENDED = "job ended"
    JOB_FAILED_ABORT = "job failed, policy abort"
    JOB_FAILED_CONTINUE = "job failed, policy continue"
    CLOSED = "closed, jobs pending"
    ENDED_CLEAN = "ended, no job failed"
    ENDED_WITH_FAILURES = "ended, a job failed"
    IDLE_LIMIT = "idle limit"
    TOTAL_LIMIT = "total limit"
    HOLD_TAKEN = "hold taken"
    HOLD_LOST = "hold lost"


_W, _E, _F = SessionStatus.WAITING, SessionStatus.EXECUTING, SessionStatus.FAILURES
_T = SessionTrigger

SESSION_TRANSITIONS: TransitionTable[SessionStatus, SessionTrigger] = TransitionTable(
    "session",
    SessionStatus.WAITING,
    {
        (_W, _T.JOB_SUBMITTED): _E,
        (_W, _T.ENDED_CLEAN): SessionStatus.SUCCEEDED,
        (_W, _T.IDLE_LIMIT): SessionStatus.TIMED_OUT,
        (_W, _T.TOTAL_LIMIT): SessionStatus.TIMED_OUT,
        (_E, _T.JOB_SUBMITTED): _E,
        (_E, _T.JOB_ENDED): _E,
        (_E, _T.JOB_FAILED_ABORT): SessionStatus.FAILED,
        (_E, _T.JOB_FAILED_CONTINUE): _F,
        (_E, _T.CLOSED): _E,
        (_E, _T.ENDED_CLEAN): SessionStatus.SUCCEEDED,
        (_E, _T.IDLE_LIMIT): SessionStatus.TIMED_OUT,
        (_E, _T.TOTAL_LIMIT): SessionStatus.TIMED_OUT,
        (_F, _T.JOB_SUBMITTED): _F,
        (_F, _T.JOB_ENDED): _F,
        (_F, _T.JOB_FAILED_CONTINUE): _F,
        (_F, _T.CLOSED): _F,
        (_F, _T.ENDED_WITH_FAILURES): SessionStatus.FAILED,
        (_F, _T.IDLE_LIMIT): SessionStatus.TIMED_OUT,
        (_F, _T.TOTAL_LIMIT): SessionStatus.TIMED_OUT,
        **{(status, trigger): status for status in (_E, _F) for trigger in (_T.HOLD_TAKEN, _T.HOLD_LOST)},
        # Jobs that were still running when the session ended report in, and may fail; the verdict stands.
        **{
            (final, trigger): final
            for final in SessionStatus  # in the order of the class: a set's differs from process to process
            if final.is_final
            for trigger in (_T.JOB_ENDED, _T.JOB_FAILED_ABORT, _T.JOB_FAILED_CONTINUE)
        },
    },
    FINAL_SESSION_STATUSES,
)

DEFAULT_IDLE_LIMIT_S = 600.0
DEFAULT_TOTAL_LIMIT_S = 28_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A group of jobs on one target. Times are seconds since the epoch (UTC).

    Attributes:
        accepting_jobs: False from close, cancel or any final status on.
        idle_limit_s: With no job pending, the session times out this long after its last job was submitted or ended
            (or after it was opened).
        total_limit_s: Measured from the first job's submit; never pauses.
        jobs, pending, failed: Jobs submitted, not yet final, and failed.
        due_at: When the engine must look at it next, or None.
        end_reason: Why it takes no more jobs, in words.
        max_jobs: It takes no more than so many jobs.
        max_seconds, max_cost: It ends once its jobs have used so many seconds of the target, or cost so much: what runs
            may finish, what is queued is cancelled.
        used_seconds, used_cost: What its jobs that have ended used.
        holding_since: Since when it holds its target; None while it does not (see `policies.holds`).
        held_s: How long it held the target before that.
    """

    id: str
    workspace: str
    target: str
    name: str
    created_by: str
    created_at: float
    key: str | None = None
    failure_policy: FailurePolicy = FailurePolicy.ABORT
    idle_limit_s: float = DEFAULT_IDLE_LIMIT_S
    total_limit_s: float = DEFAULT_TOTAL_LIMIT_S
    status: SessionStatus = SessionStatus.WAITING
    version: int = 1
    accepting_jobs: bool = True
    jobs: int = 0
    pending: int = 0
    failed: int = 0
    first_job_at: float | None = None
    last_activity_at: float | None = None
    ended_at: float | None = None
    due_at: float | None = None
    end_reason: str = ""
    max_jobs: int | None = None
    max_seconds: float | None = None
    max_cost: float | None = None
    used_seconds: float = 0.0
    used_cost: float = 0.0
    holding_since: float | None = None
    held_s: float = 0.0


class SessionAction(StrEnum):
    """What the caller asks or reports."""

    SUBMIT_JOB = "submit job"
    JOB_ENDED = "job ended"
    CLOSE = "close"
    CANCEL = "cancel"
    CHECK_TIME = "check time"
    HOLD_TAKEN = "hold taken"
    HOLD_LOST = "hold lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent:
    """Something that happened to a session; `job_status` and what the job used are given with JOB_ENDED."""

    action: SessionAction
    at: float
    who: str
    why: str = ""
    job_status: JobStatus | None = None
    seconds: float = 0.0
    cost: float = 0.0


class Consequence(StrEnum):
    """What the engine must do to the session's other jobs, in the same transaction."""

    CANCEL_PENDING = "cancel pending jobs"  # queued ones end, running ones are asked to
    CANCEL_QUEUED = "cancel queued jobs"
    FAIL_QUEUED = "fail queued jobs"


def open_session(session: Session) -> Session:
    """A new session with its first deadline set."""
    return evolve(session, due_at=_due_at(session))


def advance_session(session: Session, event: SessionEvent) -> tuple[Session, tuple[Consequence, ...]]:
    """The session after `event`, and what must happen to its jobs; pure. Returns the same object if nothing changes.

    Raises:
        SessionEndedError: A job was submitted to a session that takes no more jobs; the cause says why it ended.
        TransitionRefusedError: The table does not list what happened, or a job ended while none was pending.
    """
    match event.action:
        case SessionAction.SUBMIT_JOB:
            return _submit_job(session, event), ()
        case SessionAction.JOB_ENDED:
            return _job_ended(session, event)
        case SessionAction.CLOSE:
            return _stop_accepting(session, event, "it was closed"), ()
        case SessionAction.CANCEL:
            stopped = _stop_accepting(session, event, "it was cancelled")
            return stopped, (() if stopped is session else (Consequence.CANCEL_QUEUED,))
        case SessionAction.CHECK_TIME:
            return _check_time(session, event)
        case SessionAction.HOLD_TAKEN:
            return _hold_taken(session, event), ()
        case SessionAction.HOLD_LOST:
            return _hold_lost(session, event), ()
        case _:
            assert_never(event.action)


def _submit_job(session: Session, event: SessionEvent) -> Session:
    if not session.accepting_jobs:
        raise SessionEndedError(
            f"Session {session.id} takes no more jobs.",
            cause=session.end_reason or f"it is {session.status.value}",
            next_step="Open a new session with target.open_session(), or submit outside of one.",
            details={"session": session.id, "status": session.status.value},
        )
    if session.max_jobs is not None and session.jobs >= session.max_jobs:
        raise SessionEndedError(
            f"Session {session.id} takes at most {session.max_jobs} jobs, and has had them.",
            code="session-limit",
            next_step="Open a new session with target.open_session(), or submit outside of one.",
            details={"session": session.id, "max_jobs": session.max_jobs},
        )
    return _changed(
        session,
        event,
        SessionTrigger.JOB_SUBMITTED,
        jobs=session.jobs + 1,
        pending=session.pending + 1,
        first_job_at=event.at if session.first_job_at is None else session.first_job_at,
        last_activity_at=event.at,
    )


def _job_ended(session: Session, event: SessionEvent) -> tuple[Session, tuple[Consequence, ...]]:
    if not session.pending:
        raise TransitionRefusedError(
            f"Session {session.id} has no pending job that could end.",
            cause="the end of one of its jobs was reported twice, or for a job that is not its own",
            details={"session": session.id, "status": session.status.value},
        )
    failed = event.job_status is JobStatus.FAILED
    counted = evolve(
        session,
        pending=session.pending - 1,
        failed=session.failed + failed,
        last_activity_at=event.at,
        used_seconds=session.used_seconds + event.seconds,
        used_cost=session.used_cost + event.cost,
    )
    if not failed or session.failure_policy is FailurePolicy.CONTINUE:
        trigger = SessionTrigger.JOB_FAILED_CONTINUE if failed else SessionTrigger.JOB_ENDED
        after, consequences = _stop_if_used_up(_changed(counted, event, trigger))
        return _end_if_drained(after, event), consequences
    after = _changed(counted, event, SessionTrigger.JOB_FAILED_ABORT)
    if session.status.is_final:
        return after, ()
    reason = "a job failed, and the failure policy is abort"
    after = evolve(after, accepting_jobs=False, end_reason=session.end_reason or reason)
    return after, (Consequence.CANCEL_PENDING,)


def _stop_if_used_up(session: Session) -> tuple[Session, tuple[Consequence, ...]]:
    if not session.accepting_jobs:
        return session, ()
    if session.max_seconds is not None and session.used_seconds >= session.max_seconds:
        reason = f"its jobs used {session.used_seconds:g} of {session.max_seconds:g} s of the target"
    elif session.max_cost is not None and session.used_cost >= session.max_cost:
        reason = f"its jobs cost {session.used_cost:g} of {session.max_cost:g}"
    else:
        return session, ()
    consequences = (Consequence.CANCEL_QUEUED,) if session.pending else ()
    return evolve(session, accepting_jobs=False, end_reason=reason), consequences


def _hold_taken(session: Session, event: SessionEvent) -> Session:
    if session.status.is_final or session.holding_since is not None:
        return session
    return _changed(session, event, SessionTrigger.HOLD_TAKEN, holding_since=event.at)


def _hold_lost(session: Session, event: SessionEvent) -> Session:
    if session.status.is_final or session.holding_since is None:
        return session
    return _changed(session, event, SessionTrigger.HOLD_LOST, **_without_hold(session, event.at))


def _without_hold(session: Session, at: float) -> dict[str, float | None]:
    since = session.holding_since
    return {"holding_since": None, "held_s": session.held_s + (0.0 if since is None else max(0.0, at - since))}


def _stop_accepting(session: Session, event: SessionEvent, reason: str) -> Session:
    # Closing or cancelling what already stopped is not an error: two processes may close the same session.
    if session.status.is_final or (not session.accepting_jobs and event.action is SessionAction.CLOSE):
        return session
    stopped = evolve(session, accepting_jobs=False, end_reason=session.end_reason or reason)
    if stopped.pending:
        return _changed(stopped, event, SessionTrigger.CLOSED)
    return _ended(stopped, event)


def _end_if_drained(session: Session, event: SessionEvent) -> Session:
    if session.accepting_jobs or session.pending or session.status.is_final:
        return session
    return _ended(session, event, version=session.version)


def _ended(session: Session, event: SessionEvent, version: int | None = None) -> Session:
    trigger = SessionTrigger.ENDED_WITH_FAILURES if session.failed else SessionTrigger.ENDED_CLEAN
    ended = _changed(session, event, trigger)
    return ended if version is None else evolve(ended, version=version)


def _check_time(session: Session, event: SessionEvent) -> tuple[Session, tuple[Consequence, ...]]:
    if session.status.is_final:
        return session, ()
    if session.first_job_at is not None and event.at >= session.first_job_at + session.total_limit_s:
        timed_out = _changed(session, event, SessionTrigger.TOTAL_LIMIT)
        reason = f"its total limit of {session.total_limit_s:g} s was reached"
        consequences = (Consequence.FAIL_QUEUED,) if session.pending else ()
        return evolve(timed_out, accepting_jobs=False, end_reason=reason), consequences
    if not session.pending and event.at >= _active_at(session) + session.idle_limit_s:
        timed_out = _changed(session, event, SessionTrigger.IDLE_LIMIT)
        reason = f"no job came for {session.idle_limit_s:g} s (idle limit)"
        return evolve(timed_out, accepting_jobs=False, end_reason=reason), ()
    return session, ()


def _changed(session: Session, event: SessionEvent, trigger: SessionTrigger, **changes: object) -> Session:
    status = SESSION_TRANSITIONS.next(session.status, trigger)
    after = evolve(session, status=status, version=session.version + 1, **changes)
    if status.is_final:
        ended_at = event.at if session.ended_at is None else session.ended_at
        return evolve(after, accepting_jobs=False, ended_at=ended_at, due_at=None, **_without_hold(after, event.at))
    return evolve(after, due_at=_due_at(after))


def _active_at(session: Session) -> float:
    return session.created_at if session.last_activity_at is None else session.last_activity_at


def _due_at(session: Session) -> float | None:
    due = [] if session.pending else [_active_at(session) + session.idle_limit_s]
    if session.first_job_at is not None:
        due.append(session.first_job_at + session.total_limit_s)
    return min(due) if due else None
