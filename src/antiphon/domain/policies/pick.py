"""Pick: which waiting job a target starts next, and by which rule.

The order: the session that holds the target; then, of every `aged_every` starts, one for the oldest job that has waited
`patience_s`; then jobs of sessions, priority, the workspace and within it the user with the smallest used fraction of
its allotment, and age.

**Starvation bound.** Once a job has waited `patience_s` with k older jobs waiting on its target, at most
`aged_every * (k + 1)` jobs are started there by these rules before it, whatever else is submitted. Starts inside a hold
are not counted; a hold ends with its gap, or with its session's total limit. A reservation counts as a hold for its
workspace.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from antiphon.domain.policies.holds import holds_now
from antiphon.domain.queues import QueuePolicy, QueueState, Rank, Reservation, Waiting


class Rule(StrEnum):
    """Why a job was started before the others."""

    HOLD = "its session holds the target"
    AGED = "it was the oldest, and had waited longer than the queue's patience"
    SESSION = "it belongs to a session"
    PRIORITY = "its priority is high"
    SHARE = "its workspace and user had used least of their share"


class QueueView(Protocol):
    """What the rules ask of one target's waiting jobs. `only` restricts to one workspace.

    `workspaces` and `users` give names with their `shares.standing`, each name once.
    """

    def first_of_session(self, session_id: str) -> Waiting | None:
        """The oldest waiting job of a session."""
        ...

    def oldest(self, only: str | None) -> Waiting | None:
        """The job that was submitted first."""
        ...

    def has_waiting(self, rank: Rank, only: str | None) -> bool:
        """Whether a job of the class waits."""
        ...

    def workspaces(self, rank: Rank) -> Iterable[tuple[float, str]]:
        """(standing, workspace) of every workspace with a waiting job of the class."""
        ...

    def users(self, rank: Rank, workspace: str) -> Iterable[tuple[float, str]]:
        """(standing, user) of every user of the workspace with a waiting job of the class."""
        ...

    def first(self, rank: Rank, workspace: str, user: str) -> Waiting | None:
        """The oldest waiting job of a user in the class."""
        ...


@dataclass(frozen=True, slots=True)
class Pick:
    """The job to start, and why it and no other."""

    job: Waiting
    rule: Rule


def pick(
    view: QueueView, state: QueueState, policy: QueuePolicy, now: float, reservation: Reservation | None = None
) -> Pick | None:
    """The next job of a target with a free slot, or None: nothing waits, or the target is kept free for who holds it.

    Args:
        reservation: The window that is open on the target now, if any; it goes before a hold of another workspace.
    """
    only = reservation.workspace if reservation is not None else None
    if state.held_by is not None and (only is None or only == state.held_workspace):
        first = view.first_of_session(state.held_by)
        if first is not None and holds_now(state, first.created_at):
            return Pick(first, Rule.HOLD)
        if holds_now(state, now):
            return None
    if (state.starts + 1) % policy.aged_every == 0:
        oldest = view.oldest(only)
        if oldest is not None and now - oldest.created_at >= policy.patience_s:
            return Pick(oldest, Rule.AGED)
    for rank in Rank:
        if not view.has_waiting(rank, only):
            continue
        workspace = only if only is not None else min(view.workspaces(rank))[1]
        user = min(view.users(rank, workspace))[1]
        first = view.first(rank, workspace, user)
        if first is not None:
            return Pick(first, _RULES[rank])
    return None


_RULES = {
    Rank.SESSION_HIGH: Rule.SESSION,
    Rank.SESSION: Rule.SESSION,
    Rank.HIGH: Rule.PRIORITY,
    Rank.STANDARD: Rule.SHARE,
}
