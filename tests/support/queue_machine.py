"""A target on a virtual clock, run by the rules themselves over lists, so that nothing but the rules is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from antiphon.domain.policies import holds
from antiphon.domain.policies.pick import Pick, pick
from antiphon.domain.policies.shares import Use, standing
from antiphon.domain.queues import QueuePolicy, QueueState, Rank, Reservation, Waiting


@dataclass
class ListQueue:
    """Waiting jobs in a list, each question answered by looking at all of them: a `policies.pick.QueueView`."""

    window_s: float = 1_000.0
    allotments: dict[str, float] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    uses: dict[tuple[str, str], Use] = field(default_factory=dict)

    def first_of_session(self, session_id: str) -> Waiting | None:
        return _oldest([job for job in self.waiting if job.session_id == session_id])

    def oldest(self, only: str | None) -> Waiting | None:
        return _oldest([job for job in self.waiting if only in (None, job.workspace)])

    def has_waiting(self, rank: Rank, only: str | None) -> bool:
        return any(job.rank is rank and only in (None, job.workspace) for job in self.waiting)

    def workspaces(self, rank: Rank) -> list[tuple[float, str]]:
        names = {job.workspace for job in self.waiting if job.rank is rank}
        return [(self.standing(name), name) for name in names]

    def users(self, rank: Rank, workspace: str) -> list[tuple[float, str]]:
        names = {job.user for job in self.waiting if job.rank is rank and job.workspace == workspace}
        return [(self.standing(workspace, name), name) for name in names]

    def first(self, rank: Rank, workspace: str, user: str) -> Waiting | None:
        return _oldest([job for job in self.waiting if (job.rank, job.workspace, job.user) == (rank, workspace, user)])

    def standing(self, workspace: str, user: str = "") -> float:
        allotment = 1.0 if user else self.allotments.get(workspace, 1.0)
        return standing(self.uses.get((workspace, user), Use()), allotment, self.window_s)

    def charge(self, job: Waiting, seconds: float, now: float) -> None:
        for user in ("", job.user):
            use = self.uses.get((job.workspace, user), Use())
            self.uses[job.workspace, user] = use.charged(seconds, now, self.window_s)


@dataclass
class Machine:
    """A target with its queue. `submit`, `end` and `pass_time` are what can happen; starts follow by themselves."""

    policy: QueuePolicy
    reservations: list[Reservation] = field(default_factory=list)
    now: float = 0.0
    queue: ListQueue = field(default_factory=ListQueue)
    state: QueueState = field(default_factory=lambda: QueueState(target="qpu"))
    running: list[Waiting] = field(default_factory=list)
    started: list[tuple[float, Pick, QueueState]] = field(default_factory=list)
    submitted: int = 0
    bounds: dict[str, int] = field(default_factory=dict)
    """Of jobs that have waited long: how many starts may still come before theirs."""

    def submit(self, rank: Rank, workspace: str, user: str, session_id: str | None = None, planned_s: float = 1) -> str:
        self.submitted += 1
        name = f"job-{self.submitted:04d}"
        self.queue.waiting.append(Waiting(name, rank, workspace, user, self.now, session_id, planned_s))
        self.start_what_can()
        return name

    def end(self, index: int = 0) -> None:
        """The job that has run longest, or another, ends."""
        if self.running:
            job = self.running.pop(index % len(self.running))
            pending = self.pending(job.session_id)
            self.state = holds.ended(self.state, self.policy, job.session_id, pending=pending, now=self.now)
            self.start_what_can()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.start_what_can()

    def pending(self, session_id: str | None) -> int:
        return sum(job.session_id == session_id for job in (*self.queue.waiting, *self.running))

    def booked(self) -> tuple[Reservation | None, Reservation | None]:
        """The window that is open now, and the next."""
        now_open = [each for each in self.reservations if each.starts_at <= self.now < each.ends_at]
        to_come = [each for each in self.reservations if self.now < each.starts_at]
        first = min(to_come, key=lambda each: each.starts_at, default=None)
        return (now_open[0] if now_open else None), first

    def next(self) -> Pick | None:
        held_by = self.state.held_by
        first = None if held_by is None else self.queue.first_of_session(held_by)
        self.state = holds.as_of(self.state, self.policy, self.now, None if first is None else first.created_at)
        return pick(self.queue, self.state, self.policy, self.now, *self.booked())

    def start_what_can(self) -> None:
        self._begin_to_count()
        while len(self.running) < (self.policy.slots or 1):
            chosen = self.next()
            if chosen is None:
                return
            job = chosen.job
            before = self.state
            self.state = holds.started(
                self.state, self.policy, job.session_id, job.workspace, self.now, counts=chosen.counts
            )
            self.started.append((self.now, chosen, before))
            self.queue.waiting.remove(job)
            self.running.append(job)
            self.queue.charge(job, job.planned_s, self.now)
            self.bounds.pop(job.id, None)
            if chosen.counts:
                for name in self.bounds:
                    self.bounds[name] -= 1

    def _begin_to_count(self) -> None:
        for job in self.queue.waiting:
            if self.now - job.created_at >= self.policy.patience_s and job.id not in self.bounds:
                older = sum((other.created_at, other.id) < (job.created_at, job.id) for other in self.queue.waiting)
                self.bounds[job.id] = self.policy.aged_every * (older + 1)


def _oldest(jobs: list[Waiting]) -> Waiting | None:
    return min(jobs, key=lambda job: (job.created_at, job.id), default=None)
