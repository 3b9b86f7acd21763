"""Holds: how a session comes to have a target to itself, and how it loses it again.

Losing the hold is not losing the session: its next job queues like any session's, and takes the hold again when it
starts.
"""

from __future__ import annotations

from antiphon.domain.evolve import evolve
from antiphon.domain.queues import Access, QueuePolicy, QueueState


def holds_now(state: QueueState, at: float) -> bool:
    """Whether the session that holds the target still does for something that comes at `at`."""
    return state.held_by is not None and (state.held_until is None or at <= state.held_until)


def started(
    state: QueueState, policy: QueuePolicy, session_id: str | None, workspace: str, now: float, *, counts: bool = True
) -> QueueState:
    """The queue after a job was started by the rules; `session_id` is the job's, `counts` the pick's.

    To be called for a state that `as_of` has looked at: a hold that is over must not go on by a job that came late.
    """
    if session_id is not None and state.held_by == session_id:
        return evolve(state, held_until=None)
    after = evolve(state, starts=state.starts + counts)
    if session_id is None or policy.access is Access.SHARED:
        return released(after)
    return evolve(after, held_by=session_id, held_workspace=workspace, held_since=now, held_until=None)


def went_on(state: QueueState, *, counts: bool) -> QueueState:
    """The queue after a batch was let go on for another quantum; `counts` is that of the pick that chose it again.

    It counts as a start, or a batch of whoever used least could keep the oldest job from its turn for as long as it
    runs.
    """
    return evolve(state, starts=state.starts + counts)


def as_of(state: QueueState, policy: QueuePolicy, now: float, first_created_at: float | None) -> QueueState:
    """The queue as it stands now: nobody holds it whose hold is over, or once its sessions are to share it.

    No hold lasts longer than a gap from now on, whatever was noted: the gap was made shorter since, or a clock that was
    ahead has been set back, and an idle session must not keep the target for as long as that.

    Args:
        first_created_at: When the oldest waiting job of the holding session came; if in time, the hold goes on.
    """
    if policy.access is Access.SHARED:
        return released(state)
    if state.held_until is not None and state.held_until > now + policy.gap_s:
        state = evolve(state, held_until=now + policy.gap_s)
    in_time = first_created_at is not None and holds_now(state, first_created_at)
    return state if in_time or holds_now(state, now) else released(state)


def ended(state: QueueState, policy: QueuePolicy, session_id: str | None, *, pending: int, now: float) -> QueueState:
    """The queue after a job of a session ended, with `pending` more jobs of the session waiting or running."""
    if session_id is None or state.held_by != session_id or policy.access is not Access.EXCLUSIVE or pending:
        return state
    return evolve(state, held_until=now + policy.gap_s)


def released(state: QueueState) -> QueueState:
    """The queue that nobody holds."""
    if state.held_by is None:
        return state
    return evolve(state, held_by=None, held_workspace=None, held_since=None, held_until=None)
