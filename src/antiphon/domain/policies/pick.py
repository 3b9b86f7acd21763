"""Pick: which waiting job a target starts next, and by which rule.

The order: the session that holds the target; then, of every `aged_every` starts, one for the oldest job that has waited
`patience_s`; then jobs of sessions, priority, the workspace and within it the user with the smallest used fraction of
its allotment, and age.

A window that is booked for a workspace is a hold of that workspace: while it is open nobody else starts. Before it
opens, a job of another workspace that is planned to run into it is passed over, and starts after it.

**Starvation bound.** Once a job has waited `patience_s` with k older jobs of its target waiting or running, at most
`aged_every * (k + 1)` jobs are started there by these rules before it, whatever else is submitted. Not counted are
starts inside a hold, which ends with its gap or with its session's total limit; inside a reservation, which ends; and
while the oldest job is too long to run before the next reservation. A batch that gives way, or a job whose engine died,
counts among the k once for each time it starts again, and so does a batch for each quantum more that it is let go on,
which counts as a start.
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

    `workspaces` and `users` give names with their `shares.standing`, each name once; where no reservation is to come, a
    view that knows the least may give that one alone.
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
    """The job to start, and why it and no other; `counts` says whether the start counts for the next turn by age."""

    job: Waiting
    rule: Rule
    counts: bool = True


def pick(
    view: QueueView,
    state: QueueState,
    policy: QueuePolicy,
    now: float,
    reservation: Reservation | None = None,
    to_come: Reservation | None = None,
) -> Pick | None:
    """The next job of a target with a free slot, or None.

    None: nothing waits, or the target is kept free, for who holds it or for a reservation.

    Args:
        reservation: The window that is open on the target now, if any; it goes before a hold of another workspace.
        to_come: The next window that is not open yet.
    """
    only = reservation.workspace if reservation is not None else None
    if state.held_by is not None and (only is None or only == state.held_workspace):
        first = view.first_of_session(state.held_by)
        if first is not None and holds_now(state, first.created_at):
            return Pick(first, Rule.HOLD, counts=False) if _fits(first, now, to_come) else None
        if holds_now(state, now):
            return None
    counts = only is None
    if counts and (state.starts + 1) % policy.aged_every == 0:
        oldest = view.oldest(None)
        if oldest is not None and now - oldest.created_at >= policy.patience_s:
            if _fits(oldest, now, to_come):
                return Pick(oldest, Rule.AGED)
            counts = False  # its turn is kept for it
    for rank in Rank:
        if view.has_waiting(rank, only):
            first = _first(view, rank, only) if to_come is None else None
            # One that is no longer there when it is looked at costs the others of its class nothing.
            first = first or _first_that_fits(view, rank, only, now, to_come)
            if first is not None:
                return Pick(first, _RULES[rank], counts)
    return None


def _first(view: QueueView, rank: Rank, only: str | None) -> Waiting | None:
    workspace = only if only is not None else min(view.workspaces(rank), default=_NOBODY)[1]
    return view.first(rank, workspace, min(view.users(rank, workspace), default=_NOBODY)[1])


def _first_that_fits(
    view: QueueView, rank: Rank, only: str | None, now: float, to_come: Reservation | None
) -> Waiting | None:
    """The first by shares that ends in time; of each user the oldest job alone is looked at."""
    for workspace in [only] if only is not None else [name for _, name in sorted(view.workspaces(rank))]:
        for _, user in sorted(view.users(rank, workspace)):
            first = view.first(rank, workspace, user)
            if first is not None and _fits(first, now, to_come):
                return first
    return None


def _fits(job: Waiting, now: float, to_come: Reservation | None) -> bool:
    return to_come is None or job.workspace == to_come.workspace or now + job.planned_s <= to_come.starts_at


_NOBODY = (0.0, "")
_RULES: dict[Rank, Rule] = {
    Rank.SESSION_HIGH: Rule.SESSION,
    Rank.SESSION: Rule.SESSION,
    Rank.HIGH: Rule.PRIORITY,
    Rank.STANDARD: Rule.SHARE,
}
