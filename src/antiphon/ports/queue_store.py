"""The durable part of the queues: what the rules of `policies.pick` look at, and what they change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from antiphon.domain.policies.shares import Use
from antiphon.domain.queues import QueuePolicy, QueueState, Rank, Reservation, Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOutcome:
    """What was estimated of a job that went through a queue, and what came. Times in seconds.

    Attributes:
        ahead_s: The planned work that was before it when it was submitted, divided by the slots.
        estimate: As on the job: the quantiles that were given at submit.
    """

    target: str
    priority: str
    job_id: str
    ended_at: float
    planned_s: float
    ahead_s: float
    wait_s: float
    run_s: float
    cost: float | None = None
    estimate: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPriceList:
    """A version of a target's price list, as JSON values (see `policies.prices`)."""

    target: str
    version: int
    body: dict[str, Any]
    created_at: float
    created_by: str


class QueueTransaction(Protocol):
    """Queues: one atomic unit with everything else of the transaction."""

    # --- how queues are run

    def queue_policy(self, target: str) -> QueuePolicy | None:
        """What an operator decided, or None."""
        ...

    def queue_policies(self) -> list[QueuePolicy]:
        """Every target's that an operator decided about, by target."""
        ...

    def save_queue_policy(self, before: QueuePolicy | None, after: QueuePolicy) -> None:
        """Store `after` if the stored version is that of `before`, or none if `before` is None.

        Raises:
            VersionConflictError: It is not.
        """
        ...

    # --- where queues stand

    def queue_state(self, target: str) -> QueueState:
        """Where the queue stands; in a write transaction its row is made if missing, and locked until the end.

        Who needs the rows of a job or a session as well takes this one first.
        """
        ...

    def queue_states(self) -> list[QueueState]:
        """Every queue that ever stood anywhere, by target; locks nothing."""
        ...

    def save_queue_state(self, before: QueueState, after: QueueState) -> None:
        """Store what changed of a state that this transaction has locked."""
        ...

    # --- what waits (the `policies.pick.QueueView` of one target)

    def targets_waited_for(self) -> list[str]:
        """The targets with a waiting job, by name; its cost grows with the targets, not with the jobs."""
        ...

    def first_of_session(self, target: str, session_id: str) -> Waiting | None:
        """The oldest waiting job of a session."""
        ...

    def oldest_in_queue(self, target: str, only: str | None) -> Waiting | None:
        """The waiting job that was submitted first, of one workspace or of all."""
        ...

    def has_waiting(self, target: str, rank: Rank, only: str | None) -> bool:
        """Whether a job of the class waits."""
        ...

    def waiting_classes(self, target: str) -> set[Rank]:
        """The classes with a waiting job."""
        ...

    def waiting_workspaces(self, target: str, rank: Rank) -> list[tuple[str, Use, float]]:
        """(workspace, use, allotment) of those with a job in the class; its cost does not grow with the jobs."""
        ...

    def waiting_users(self, target: str, rank: Rank, workspace: str) -> list[tuple[str, Use]]:
        """(user, use) of those of a workspace with a waiting job of the class; costs as they are many, not the jobs."""
        ...

    def first_waiting(self, target: str, rank: Rank, workspace: str, user: str) -> Waiting | None:
        """The oldest waiting job of a user in the class."""
        ...

    def others_wait(self, target: str, workspace: str, user: str) -> bool:
        """Whether a job of anybody else waits on the target."""
        ...

    def running_on(self, target: str) -> int:
        """How many jobs of the target engines hold."""
        ...

    def work_ahead(
        self, target: str, rank: Rank, workspace: str, user: str, before: float, most: int
    ) -> Sequence[tuple[Rank, str, int, float]]:
        """(class, relation, jobs, planned seconds) of what waits and would be looked at before a job of that place.

        Relation is "session", "priority", "workspace" (others of the class), "user" (same workspace, others) or "own"
        (same user, older). Each row counts at most `most` jobs.
        """
        ...

    # --- shares

    def share(self, target: str, workspace: str, user: str) -> Use:
        """What a user, or with "" the whole workspace, has used of a target; in a write transaction it stays so."""
        ...

    def shares_of(self, target: str, workspace: str, user: str) -> tuple[Use, Use]:
        """What a workspace and one of its users have used of a target, as `share` tells it."""
        ...

    def save_share(self, target: str, workspace: str, user: str, use: Use) -> None:
        """Replace it."""
        ...

    def shares(self, target: str) -> list[tuple[str, str, Use]]:
        """(workspace, user, use) of everybody; user "" is the whole workspace."""
        ...

    def allotments(self) -> dict[str, float]:
        """The weights of workspaces that have one; others have 1."""
        ...

    def save_allotment(self, workspace: str, weight: float | None) -> None:
        """Set a workspace's weight; None takes it away."""
        ...

    # --- reservations

    def add_reservation(self, reservation: Reservation) -> None:
        """Insert it."""
        ...

    def reservation(self, reservation_id: str) -> Reservation | None:
        """It, or None."""
        ...

    def reservations(self, target: str | None, ends_after: float) -> list[Reservation]:
        """Those not cancelled that end after a time, by their start; of one target or of all."""
        ...

    def cancel_reservation(self, reservation_id: str, at: float) -> bool:
        """Cancel it; False if there is none that is not cancelled."""
        ...

    # --- prices, and how estimates did

    def price_list(self, target: str, version: int | None = None) -> StoredPriceList | None:
        """A version of a target's price list, or the newest."""
        ...

    def add_price_list(self, prices: StoredPriceList) -> None:
        """Insert a version.

        Raises:
            VersionConflictError: The version is there already.
        """
        ...

    def add_outcome(self, outcome: QueueOutcome) -> None:
        """Append what came of a job that went through a queue."""
        ...

    def queue_outcomes(self, target: str, limit: int, priority: str | None = None) -> list[QueueOutcome]:
        """The newest outcomes of a target, newest first."""
        ...

    def prune_outcomes(self, target: str, keep: int) -> int:
        """Forget all but the newest `keep`; returns how many went."""
        ...
