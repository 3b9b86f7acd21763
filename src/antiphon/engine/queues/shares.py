"""Shares at work: charged with what was planned when a job starts, corrected by what it took when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from antiphon.domain.jobs import Job, JobEvent, JobTrigger
from antiphon.domain.policies.shares import Use
from antiphon.domain.queues import QueuePolicy
from antiphon.ports.queue_store import QueueTransaction


def came_from_queue(job: Job) -> bool:
    """Whether the job, which an engine has or had, was picked from a queue: what runs inline at its submit was not."""
    return job.executor != "inline" or job.fence > 1


@dataclass(slots=True)
class Charges:
    """What starts and ends on one target charge in one transaction, added up until it is stored."""

    tx: QueueTransaction
    target: str
    window_s: float
    now: float
    _seconds: dict[tuple[str, str], float] = field(default_factory=dict)
    _users: set[tuple[str, str]] = field(default_factory=set)

    def add(self, workspace: str, user: str, seconds: float) -> None:
        """Charge a workspace and its user; negative gives back."""
        self._users.add((workspace, user))
        for key in ((workspace, ""), (workspace, user)):
            self._seconds[key] = self._seconds.get(key, 0.0) + seconds

    def on(self, workspace: str, user: str, use: Use) -> Use:
        """What a user, or with "" the workspace, has used with what is charged here; `use` is what is stored."""
        seconds = self._seconds.get((workspace, user))
        return use.known_at(self.now) if seconds is None else use.charged(seconds, self.now, self.window_s)

    def store(self) -> None:
        """Store them; once, at the end: whoever changes shares locks them in the order of their names."""
        stored: set[str] = set()
        for workspace, user in sorted(self._users):
            whole, own = self.tx.shares_of(self.target, workspace, user)
            if workspace not in stored:
                stored.add(workspace)
                self._save(workspace, "", whole)
            self._save(workspace, user, own)

    def _save(self, workspace: str, user: str, use: Use) -> None:
        self.tx.save_share(self.target, workspace, user, self.on(workspace, user, use))


def seconds_to_correct(before: Job, after: Job, event: JobEvent) -> float:
    """What was charged too little (or negative: too much) of a job that leaves its target; 0 if nobody knows.

    A job whose engine died or shut down is charged again when it starts again. Of one that gave way the event's stages
    tell what it took.
    """
    if after.status.is_final:
        took = None if event.stages is None else event.stages.execute
    elif event.trigger is JobTrigger.YIELDED:
        took = (0.0 if event.stages is None else event.stages.execute) or 0.0
    else:
        took = 0.0
    return 0.0 if took is None else took - before.planned_s


def correct(tx: QueueTransaction, policy: QueuePolicy, job: Job, seconds: float, now: float) -> None:
    """Charge the job's workspace and user with `seconds` more, or less."""
    charges = Charges(tx, job.spec.target, policy.window_s, now)
    charges.add(job.workspace, job.created_by, seconds)
    charges.store()
