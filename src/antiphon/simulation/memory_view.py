"""A target's waiting jobs in memory, as the rules of `policies.pick` look at them.

The order of two standings does not change with time, only with use. So the least is kept on a heap, and an entry that
is no longer true is thrown away when it comes up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from heapq import heappop, heappush

from antiphon.domain.policies.shares import Use, standing
from antiphon.domain.queues import Rank, Waiting

Party = tuple[str, str]
"""(workspace, user)."""
_Ages = list[tuple[float, str, Waiting]]
_Standings = list[tuple[float, str]]


class MemoryQueue:
    """The waiting jobs of one target, and who has used it: a `policies.pick.QueueView`.

    Args:
        window_s: The policy's window of fair shares.
        allotments: The weights of workspaces that have one; others have 1.
        whole: For a target with reservations: `workspaces` and `users` give everybody, and `only` may be given.
            Otherwise they give the least alone, which is what the rules choose unless a reservation is to come.
    """

    def __init__(self, window_s: float, allotments: Mapping[str, float] | None = None, *, whole: bool = False) -> None:
        self._window_s = window_s
        self._whole = whole
        self._allotments = allotments or {}
        self._waiting: dict[str, Waiting] = {}
        self._ages: dict[str | None, _Ages] = {}
        self._ages_of_rank: dict[tuple[Rank, str | None], _Ages] = {}
        self._of_session: dict[str, _Ages] = {}
        self._of_user: dict[tuple[Rank, str, str], _Ages] = {}
        self._jobs_of_user: dict[tuple[Rank, str, str], int] = {}
        self._jobs_of_workspace: dict[tuple[Rank, str], int] = {}
        self._jobs_of_rank: dict[Rank, int] = dict.fromkeys(Rank, 0)
        self._least_workspaces: dict[Rank, _Standings] = {rank: [] for rank in Rank}
        self._least_users: dict[tuple[Rank, str], _Standings] = {}
        self._uses: dict[Party, Use] = {}
        self._standings: dict[Party, float] = {}
        self._jobs_of_party: dict[Party, int] = {}
        self.parties: list[Party] = []
        """Who has a waiting job, in no order that means anything."""
        self.newly_waiting: list[Party] = []
        """Who came to have one; a rule that takes turns empties it."""
        self._place: dict[Party, int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, job: Waiting) -> bool:
        return job.id in self._waiting

    # --- what changes

    def add(self, job: Waiting) -> None:
        """A job begins to wait, for the first time or again."""
        rank, workspace, user = job.rank, job.workspace, job.user
        entry = (job.created_at, job.id, job)
        self._waiting[job.id] = job
        for only in (None, workspace) if self._whole else (None,):
            heappush(self._ages.setdefault(only, []), entry)
            heappush(self._ages_of_rank.setdefault((rank, only), []), entry)
        if job.session_id is not None:
            heappush(self._of_session.setdefault(job.session_id, []), entry)
        key = (rank, workspace, user)
        heappush(self._of_user.setdefault(key, []), entry)
        self._jobs_of_rank[rank] += 1
        count = self._jobs_of_user.get(key, 0)
        self._jobs_of_user[key] = count + 1
        if not count:
            self._list_user(rank, workspace, user)
        count = self._jobs_of_workspace.get((rank, workspace), 0)
        self._jobs_of_workspace[rank, workspace] = count + 1
        if not count:
            heappush(self._least_workspaces[rank], (self._standing(workspace, ""), workspace))
        self._count_party((workspace, user))

    def take(self, job: Waiting) -> None:
        """A job waits no more."""
        rank, workspace, user = job.rank, job.workspace, job.user
        del self._waiting[job.id]
        self._jobs_of_rank[rank] -= 1
        self._jobs_of_user[rank, workspace, user] -= 1
        self._jobs_of_workspace[rank, workspace] -= 1
        party = (workspace, user)
        self._jobs_of_party[party] -= 1
        if not self._jobs_of_party[party]:
            # The last of the list takes its place.
            place, last = self._place.pop(party), self.parties.pop()
            if last != party:
                self.parties[place] = last
                self._place[last] = place

    def charge(self, workspace: str, user: str, seconds: float, now: float) -> None:
        """Use of the target, counted for the workspace and for its user; negative gives back."""
        for name in ("", user):
            party = (workspace, name)
            use = self._uses.get(party, Use()).charged(seconds, now, self._window_s)
            self._uses[party] = use
            allotment = 1.0 if name else self._allotments.get(workspace, 1.0)
            self._standings[party] = standing(use, allotment, self._window_s)
        for rank in Rank:
            if self._jobs_of_workspace.get((rank, workspace)):
                heappush(self._least_workspaces[rank], (self._standings[workspace, ""], workspace))
                if self._jobs_of_user.get((rank, workspace, user)):
                    self._list_user(rank, workspace, user)

    # --- what the rules ask

    def first_of_session(self, session_id: str) -> Waiting | None:
        """The oldest waiting job of a session."""
        return self._first(self._of_session.get(session_id))

    def oldest(self, only: str | None) -> Waiting | None:
        """The job that was submitted first."""
        return self._first(self._ages.get(only))

    def has_waiting(self, rank: Rank, only: str | None) -> bool:
        """Whether a job of the class waits."""
        if only is None:
            return self._jobs_of_rank[rank] > 0
        return self._jobs_of_workspace.get((rank, only), 0) > 0

    def workspaces(self, rank: Rank) -> list[tuple[float, str]]:
        """(standing, workspace) of those with a waiting job of the class, or of the least of them."""
        if self._whole:
            names = [name for (of, name), jobs in self._jobs_of_workspace.items() if of is rank and jobs]
            return [(self._standing(name, ""), name) for name in names]
        heap = self._least_workspaces[rank]
        while heap:
            least, workspace = heap[0]
            if self._jobs_of_workspace[rank, workspace] and least == self._standing(workspace, ""):
                return heap[:1]
            heappop(heap)
        return heap

    def users(self, rank: Rank, workspace: str) -> list[tuple[float, str]]:
        """(standing, user) of those of the workspace with a waiting job of the class, or of the least of them."""
        if self._whole:
            keys = [key for key, jobs in self._jobs_of_user.items() if key[:2] == (rank, workspace) and jobs]
            return [(self._standing(workspace, user), user) for _, _, user in keys]
        heap = self._least_users[rank, workspace]
        while heap:
            least, user = heap[0]
            if self._jobs_of_user[rank, workspace, user] and least == self._standing(workspace, user):
                return heap[:1]
            heappop(heap)
        return heap

    def first(self, rank: Rank, workspace: str, user: str) -> Waiting | None:
        """The oldest waiting job of a user in the class."""
        return self._first(self._of_user.get((rank, workspace, user)))

    # --- what is not asked by `pick`

    def oldest_of_rank(self, rank: Rank, only: str | None) -> Waiting | None:
        """The job of a class that was submitted first."""
        return self._first(self._ages_of_rank.get((rank, only)))

    def first_of_party(self, party: Party) -> Waiting | None:
        """The oldest waiting job of a user in any class."""
        found = [first for rank in Rank if (first := self.first(rank, *party)) is not None]
        return min(found, key=lambda job: (job.created_at, job.id)) if found else None

    def others_wait(self, workspace: str, user: str) -> bool:
        """Whether a job of anybody else waits."""
        return len(self._waiting) > self._jobs_of_party.get((workspace, user), 0)

    def use(self, workspace: str, user: str = "") -> Use:
        """What a user, or with "" the whole workspace, has used."""
        return self._uses.get((workspace, user), Use())

    def _first(self, heap: _Ages | None) -> Waiting | None:
        while heap:
            job = heap[0][2]
            # A job that gave way is the same job again, and its old entries are as good as the new.
            if job.id in self._waiting:
                return self._waiting[job.id]
            heappop(heap)
        return None

    def _standing(self, workspace: str, user: str) -> float:
        known = self._standings.get((workspace, user))
        if known is not None:
            return known
        return -math.inf if user or self._allotments.get(workspace, 1.0) > 0.0 else math.inf

    def _list_user(self, rank: Rank, workspace: str, user: str) -> None:
        heappush(self._least_users.setdefault((rank, workspace), []), (self._standing(workspace, user), user))

    def _count_party(self, party: Party) -> None:
        count = self._jobs_of_party.get(party, 0)
        self._jobs_of_party[party] = count + 1
        if not count:
            self._place[party] = len(self.parties)
            self.parties.append(party)
            self.newly_waiting.append(party)
