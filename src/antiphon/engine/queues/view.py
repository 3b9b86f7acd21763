"""What the rules ask of one target's waiting jobs, answered by the store within one transaction."""

from __future__ import annotations

from antiphon.domain.policies.shares import Use, standing
from antiphon.domain.queues import Rank, Waiting
from antiphon.engine.queues.shares import Charges


class StoredQueue:
    """A `policies.pick.QueueView` of the store, for who holds the lock on the queue's state.

    Several jobs may be picked in one transaction. What was read of the names that wait and of what they used is kept,
    and what `take` tells is applied to it: a job that comes meanwhile may have to wait for the next look.

    Args:
        charges: What is charged in this transaction; not stored before the last job is picked.
    """

    def __init__(self, charges: Charges) -> None:
        self._tx, self._target, self._window_s = charges.tx, charges.target, charges.window_s
        self._charges = charges
        self._has: dict[tuple[Rank, str | None], bool] = {}
        self._looked = False
        self._workspaces: dict[Rank, dict[str, tuple[Use, float]]] = {}
        self._users: dict[tuple[Rank, str], dict[str, Use]] = {}

    def take(self, job: Waiting) -> None:
        """The job waits no more: what is known of its place is looked at again."""
        rank, workspace = job.rank, job.workspace
        self._has.pop((rank, None), None)
        self._has.pop((rank, workspace), None)
        users = self._users.get((rank, workspace))
        if users is None:
            self._workspaces.pop(rank, None)
        elif self.first(rank, workspace, job.user) is None:
            users.pop(job.user, None)
            if not users:
                self._workspaces.get(rank, {}).pop(workspace, None)

    def forget(self) -> None:
        """Somebody else changed what waits: all is looked at again."""
        self._has.clear()
        self._looked = False
        self._workspaces.clear()
        self._users.clear()

    def first_of_session(self, session_id: str) -> Waiting | None:
        """The oldest waiting job of a session."""
        return self._tx.first_of_session(self._target, session_id)

    def oldest(self, only: str | None) -> Waiting | None:
        """The job that was submitted first."""
        return self._tx.oldest_in_queue(self._target, only)

    def has_waiting(self, rank: Rank, only: str | None) -> bool:
        """Whether a job of the class waits."""
        known = self._has.get((rank, only))
        if known is None:
            if rank in self._workspaces:
                names = self._workspaces[rank]
                known = bool(names) if only is None else only in names
            else:
                known = self._look(rank, only)
            self._has[rank, only] = known
        return known

    def _look(self, rank: Rank, only: str | None) -> bool:
        if only is not None or self._looked:
            return self._tx.has_waiting(self._target, rank, only)
        self._looked = True
        classes = self._tx.waiting_classes(self._target)
        for each in Rank:
            self._has.setdefault((each, None), each in classes)
        return rank in classes

    def workspaces(self, rank: Rank) -> list[tuple[float, str]]:
        """(standing, workspace) of every workspace with a waiting job of the class."""
        names = self._workspaces.get(rank)
        if names is None:
            found = self._tx.waiting_workspaces(self._target, rank)
            names = self._workspaces[rank] = {name: (use, weight) for name, use, weight in found}
        return [
            (standing(self._charges.on(name, "", use), weight, self._window_s), name)
            for name, (use, weight) in names.items()
        ]

    def users(self, rank: Rank, workspace: str) -> list[tuple[float, str]]:
        """(standing, user) of every user of the workspace with a waiting job of the class."""
        names = self._users.get((rank, workspace))
        if names is None:
            names = self._users[rank, workspace] = dict(self._tx.waiting_users(self._target, rank, workspace))
        return [
            (standing(self._charges.on(workspace, name, use), 1.0, self._window_s), name) for name, use in names.items()
        ]

    def first(self, rank: Rank, workspace: str, user: str) -> Waiting | None:
        """The oldest waiting job of a user in the class."""
        return self._tx.first_waiting(self._target, rank, workspace, user)
