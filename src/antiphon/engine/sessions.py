"""Sessions: open, close, cancel, and the timers, which the engine keeps whether or not a client is alive."""

from __future__ import annotations

import difflib
from dataclasses import replace

from antiphon.domain.sessions import (
    DEFAULT_IDLE_LIMIT_S,
    DEFAULT_TOTAL_LIMIT_S,
    FailurePolicy,
    Session,
    SessionAction,
    SessionEvent,
    advance_session,
    open_session,
)
from antiphon.engine.access.audit import note_work
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.ending import Aftermath, apply_consequence
from antiphon.engine.ids import new_id
from antiphon.engine.outbox import note_session_end
from antiphon.engine.queues.holding import let_go, lock_queue_of_session
from antiphon.engine.requests import OpenSessionRequest, Origin
from antiphon.engine.validate import LONGEST_KEY, LONGEST_NAME, check_text, find_driver, is_number
from antiphon.errors import ConflictError, LimitError, NotFoundError
from antiphon.ports.job_store import KeyTakenError, Transaction, VersionConflictError

LONGEST_LIMIT_S = 1_000_000_000
"""Some thirty years: the moment when a session is due must be one that a calendar has."""

MOST_JOBS = 1_000_000_000
LARGEST_LIMIT = 1e15


def open_new_session(ctx: EngineContext, request: OpenSessionRequest) -> Session:
    """Open a session, or return the live one that was opened under the same key; see `open_or_join`."""
    return open_or_join(ctx, request)[0]


@decided_again
def open_or_join(ctx: EngineContext, request: OpenSessionRequest) -> tuple[Session, bool]:
    """Open a session, or return the live one that was opened under the same key; and whether it is a new one.

    Raises:
        NotFoundError: No such target.
        LimitError: A limit is not a positive number, or the policy has another name.
        ConflictError: The key's live session is on another target.
    """
    find_driver(ctx.drivers, request.target)
    request = checked_request(request)
    now = ctx.clock.now()
    session_id = new_id("ses")
    session = open_session(
        Session(
            id=session_id,
            workspace=request.workspace,
            target=request.target,
            name=request.name or f"session-{session_id[-6:].lower()}",
            created_by=request.who,
            created_at=now,
            key=request.key,
            failure_policy=FailurePolicy(request.failure_policy),
            idle_limit_s=request.idle_limit_s or DEFAULT_IDLE_LIMIT_S,
            total_limit_s=request.total_limit_s or DEFAULT_TOTAL_LIMIT_S,
            max_jobs=request.max_jobs,
            max_seconds=request.max_seconds,
            max_cost=request.max_cost,
        )
    )
    event = SessionEvent(action=SessionAction.CHECK_TIME, at=now, who=request.who, why="opened")
    aftermath = Aftermath()
    with ctx.store.write() as tx:
        if request.key is not None:
            lock_queue_of_session(tx, request.target)
            live = tx.session_by_key(request.workspace, request.key)
            if live is not None and live.accepting_jobs:
                live = _as_of(ctx, tx, live, now, aftermath)
            if live is not None and live.accepting_jobs:
                if live.target != request.target:
                    raise ConflictError(
                        f"The key {request.key!r} names session {live.id}, which is on {live.target}.",
                        code="key-reused",
                        next_step="Use another key for a session on another target.",
                    )
                return live, False
            if live is not None and not live.status.is_final:
                raise ConflictError(
                    f"Session {live.id} of the key {request.key!r} takes no more jobs, and some of its jobs still run.",
                    code="key-taken",
                    cause=live.end_reason,
                    next_step="Wait until they have ended, cancel them, or use another key.",
                    details={"id": live.id, "pending": live.pending},
                )
        try:
            tx.add_session(session, event)
        except KeyTakenError as error:
            # Another process opened it between our look and our insert (PostgreSQL): look again.
            raise VersionConflictError(error.message, cause=error.cause, next_step=error.next_step) from error
        note_work(
            ctx,
            tx,
            request.origin,
            "session.open",
            session.id,
            workspace=session.workspace,
            who=session.created_by,
            details={"target": session.target},
        )
    aftermath.carry_out(ctx)
    ctx.wakeup.set()
    return session, True


def checked_request(request: OpenSessionRequest) -> OpenSessionRequest:
    """The request with its policy and limits as they are stored.

    Raises:
        LimitError: A limit is not a positive number, the policy has another name, or a text cannot be stored.
    """
    check_text("name of the session", request.name, LONGEST_NAME)
    if request.key is not None:
        check_text("key of the session", request.key, LONGEST_KEY)
    return replace(
        request,
        failure_policy=_policy(request.failure_policy).value,
        idle_limit_s=_seconds("idle_limit", request.idle_limit_s, DEFAULT_IDLE_LIMIT_S),
        total_limit_s=_seconds("total_limit", request.total_limit_s, DEFAULT_TOTAL_LIMIT_S),
        max_jobs=_most_jobs(request.max_jobs),
        max_seconds=_most("max_seconds", request.max_seconds),
        max_cost=_most("max_cost", request.max_cost),
    )


def _as_of(ctx: EngineContext, tx: Transaction, session: Session, now: float, aftermath: Aftermath) -> Session:
    """The session with its timers looked at: no engine may have been there when its time was up."""
    event = SessionEvent(action=SessionAction.CHECK_TIME, at=now, who=ctx.engine_id, why="looked up by its key")
    after, consequences = advance_session(session, event)
    if after is session:
        return session
    tx.save_session(session, after, event)
    note_session_end(tx, session, after)
    let_go(tx, session, after)
    for consequence in consequences:
        apply_consequence(tx, after, consequence, at=now, aftermath=aftermath)
    return after


def close_session(
    ctx: EngineContext, workspace: str, session_id: str, *, who: str, origin: Origin | None = None
) -> Session:
    """No new jobs; what is queued or running finishes. Closing what has ended is not an error."""
    return _act(ctx, workspace, session_id, SessionAction.CLOSE, who, origin)


def cancel_session(
    ctx: EngineContext, workspace: str, session_id: str, *, who: str, origin: Origin | None = None
) -> Session:
    """No new jobs, and the queued ones are cancelled; what runs may finish."""
    return _act(ctx, workspace, session_id, SessionAction.CANCEL, who, origin)


def check_due_sessions(ctx: EngineContext) -> None:
    """End the sessions whose idle or total limit has passed."""
    now = ctx.clock.now()
    with ctx.store.read() as tx:
        due = [session.id for session in tx.due_sessions(now)]
    for session_id in due:
        _act(ctx, None, session_id, SessionAction.CHECK_TIME, ctx.engine_id)


@decided_again
def _act(
    ctx: EngineContext,
    workspace: str | None,
    session_id: str,
    action: SessionAction,
    who: str,
    origin: Origin | None = None,
) -> Session:
    aftermath = Aftermath()
    with ctx.store.read() as tx:
        known = tx.session(session_id, workspace=workspace)
    if known is None:
        raise session_not_found(session_id)
    with ctx.store.write() as tx:
        lock_queue_of_session(tx, known.target)
        session = tx.session(session_id, workspace=workspace) or known
        event = SessionEvent(action=action, at=ctx.clock.now(), who=who, why=action.value)
        after, consequences = advance_session(session, event)
        if after is session:
            return session
        tx.save_session(session, after, event)
        note_session_end(tx, session, after)
        let_go(tx, session, after)
        for consequence in consequences:
            apply_consequence(tx, after, consequence, at=event.at, aftermath=aftermath)
        after = tx.session(session_id) or after
        note_work(ctx, tx, origin, f"session.{action.value}", session_id, workspace=session.workspace, who=who)
    aftermath.carry_out(ctx)
    return after


def session_not_found(session_id: str) -> NotFoundError:
    """The one error for a session that is not there, or belongs to another workspace."""
    return NotFoundError(
        f"There is no session {session_id} in this workspace.",
        next_step="List sessions with ws.sessions() or `antiphon sessions list`.",
        details={"session": session_id},
    )


def _policy(name: str) -> FailurePolicy:
    try:
        return FailurePolicy(str(name).lower())
    except ValueError:
        close = difflib.get_close_matches(str(name), [policy.value for policy in FailurePolicy], n=1)
        raise LimitError(
            f"There is no failure policy {name!r}.",
            code="policy-unknown",
            next_step=f"Did you mean {close[0]!r}?" if close else "Choose 'abort' (the default) or 'continue'.",
        ) from None


def _seconds(name: str, value: float | None, default: float) -> float:
    if value is None:
        return default
    if not (is_number(value) and 0 < value <= LONGEST_LIMIT_S):
        raise LimitError(
            f"{name}={value!r} is not a positive number of seconds of at most {LONGEST_LIMIT_S:,}.",
            code="session-limit-invalid",
            next_step=f"Give {name} in seconds, or leave it out for {default:g} s.",
        )
    return float(value)


def _most_jobs(value: int | None) -> int | None:
    if value is None:
        return None
    if not (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_JOBS):
        raise LimitError(
            f"max_jobs={value!r} is not a whole number from 1 to {MOST_JOBS:,}.",
            code="session-limit-invalid",
            next_step="Give how many jobs the session may have, or leave it out for any number.",
        )
    return value


def _most(name: str, value: float | None) -> float | None:
    if value is None:
        return None
    if not (is_number(value) and 0 < value <= LARGEST_LIMIT):
        raise LimitError(
            f"{name}={value!r} is not a positive number of at most {LARGEST_LIMIT:g}.",
            code="session-limit-invalid",
            next_step=f"Give {name}, or leave it out for no such limit.",
        )
    return float(value)
