"""Who has waited past the queue's patience, and whether the bound on their waiting held."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from antiphon.domain.queues import QueuePolicy, Waiting
from antiphon.simulation.memory_view import MemoryQueue


@dataclass(frozen=True, slots=True)
class _Old:
    """As it was when a job's patience ended: starts so far, older jobs that waited, and returns so far."""

    starts: int
    older: int
    returns: int


class Ages:
    """Counts the starts that go before a job once it is old, as the bound in `policies.pick` does.

    Attributes:
        past_bound: Jobs before which more jobs were started than the bound allows.
        old: Jobs that waited past the patience before they first started.
    """

    def __init__(self, view: MemoryQueue, policy: QueuePolicy) -> None:
        self._view = view
        self._policy = policy
        self._young: deque[Waiting] = deque()
        self._old: dict[str, _Old] = {}
        self._returns = 0
        self.past_bound = 0
        self.old = 0

    def submitted(self, job: Waiting) -> None:
        """A new job waits; jobs come in the order of their age."""
        self._young.append(job)

    def before_start(self, now: float, starts: int) -> None:
        """Note who became old since the last start; `starts` counts those outside holds, without the coming one."""
        young, patience = self._young, self._policy.patience_s
        while young and now - young[0].created_at >= patience:
            job = young.popleft()
            if job in self._view:
                self._old[job.id] = _Old(starts, len(self._old), self._returns)

    def started(self, job: Waiting, starts: int, *, first: bool) -> None:
        """It starts, or goes on, after `starts` others; called after `before_start`."""
        became = self._old.pop(job.id, None)
        if became is None or not first:
            return
        self.old += 1
        allowed = self._policy.aged_every * (became.older + 1 + self._returns - became.returns)
        self.past_bound += starts - became.starts > allowed

    def returned(self, job: Waiting, now: float, starts: int) -> None:
        """A job that ran waits again at its old place."""
        self.before_start(now, starts)
        if now - job.created_at >= self._policy.patience_s:
            self._old[job.id] = _Old(starts, len(self._old), self._returns)
            self._returns += 1

    def went_on(self, job: Waiting, now: float, starts: int) -> None:
        """A job that runs goes on, chosen again as if it had waited at its old place."""
        self.before_start(now, starts)
        if now - job.created_at >= self._policy.patience_s:
            self._returns += 1

    def gone(self, job: Waiting) -> None:
        """It waits no more, and will not run."""
        self._old.pop(job.id, None)
