"""Holds at work: the queue's state and the session that holds its target are changed in one transaction.

Who changes a hold has the lock on the queue's state, and takes it before it locks a job or a session.
"""

from __future__ import annotations

from antiphon.domain.jobs import Job
from antiphon.domain.policies import holds
from antiphon.domain.queues import Access, QueuePolicy, QueueState
from antiphon.domain.sessions import Session, SessionAction, SessionEvent, advance_session
from antiphon.engine.queues.shares import came_from_queue
from antiphon.ports.job_store import Transaction


def lock_queue(tx: Transaction, before: Job, after: Job | None = None) -> QueuePolicy | None:
    """Lock the queue of a job's target if its end may change a hold; to be called before anything of it is changed.

    Who reads the job to change it calls this before that, with what was read without a lock.

    Returns:
        The queue's policy as far as an operator decided about it; None where the queue has nothing to do with the
        change: the job ran at its submit, or did not leave its target.
    """
    if not came_from_queue(before) or (after is not None and not (after.status.is_final or after.owner is None)):
        return None
    policy = tx.queue_policy(before.spec.target) or QueuePolicy(target=before.spec.target)
    if before.session_id is not None and policy.access is not Access.SHARED:
        tx.queue_state(before.spec.target)
    return policy


def lock_queue_of_session(tx: Transaction, target: str) -> None:
    """Lock the queue of a target whose sessions may hold it; to be called before the session is read to be changed."""
    policy = tx.queue_policy(target)
    if policy is not None and policy.access is not Access.SHARED:
        tx.queue_state(target)


def after_end(tx: Transaction, policy: QueuePolicy, session: Session, now: float) -> None:
    """What the end of a session's job does to its hold; `session` is as it is after that."""
    if policy.access is Access.SHARED:
        return
    state = tx.queue_state(session.target)
    if session.status.is_final and state.held_by == session.id:
        after = holds.released(state)  # the session's own log says that it ended, and since when it held nothing
    else:
        after = holds.ended(state, policy, session.id, pending=session.pending, now=now)
    tx.save_queue_state(state, after)


def let_go(tx: Transaction, before: Session, after: Session) -> None:
    """Release the hold of a session that ended."""
    if after.status.is_final and before.holding_since is not None:
        state = tx.queue_state(after.target)
        if state.held_by == after.id:
            tx.save_queue_state(state, holds.released(state))


def as_of(
    tx: Transaction, state: QueueState, policy: QueuePolicy, now: float, first_created_at: float | None
) -> QueueState:
    """The queue as it stands now, without a hold that is over (see `policies.holds.as_of`)."""
    if state.held_by is not None and state.held_until is None and first_created_at is None:
        # Its jobs run, or nobody noted the end of the last: the policy may have been another one then.
        session = tx.session(state.held_by)
        if session is None or session.status.is_final:
            return holds.released(state)
        last = session.created_at if session.last_activity_at is None else session.last_activity_at
        state = holds.ended(state, policy, session.id, pending=session.pending, now=last)
    return holds.as_of(state, policy, now, first_created_at)


def tell_sessions(tx: Transaction, before: QueueState, after: QueueState, now: float, who: str) -> None:
    """Write into the sessions' logs who lost the target and who has it now."""
    if before.held_by is not None and (before.held_by, before.held_since) != (after.held_by, after.held_since):
        until = now if before.held_until is None else min(now, before.held_until)
        why = "no job of it came in time" if before.held_until is not None else "the target was given to others"
        _tell(tx, before.held_by, SessionEvent(action=SessionAction.HOLD_LOST, at=until, who=who, why=why))
    if after.held_by is not None and (before.held_by, before.held_since) != (after.held_by, after.held_since):
        why = f"{after.target} is held for it"
        _tell(tx, after.held_by, SessionEvent(action=SessionAction.HOLD_TAKEN, at=now, who=who, why=why))


def _tell(tx: Transaction, session_id: str, event: SessionEvent) -> None:
    session = tx.session(session_id)
    if session is None:
        return
    told, _ = advance_session(session, event)
    if told is not session:
        tx.save_session(session, told, event)
