"""Shares at work: charged with what was planned when a job starts, corrected by what it took when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from antiphon.domain.jobs import Job, JobEvent, JobTrigger
from antiphon.domain.policies.shares import Use
from antiphon.ports.queue_store import QueueTransaction


def came_from_queue(job: Job) -> bool:
    """Whether the job, which an engine has or had, was picked from a queue: what runs inline at its submit was not."""
    return job.executor != "inline" or job.fence > 1


@dataclass(slots=True)
class Charges:
    """What starts on one target charge in one transaction: read once and stored once for each user."""

    tx: QueueTransaction
    target: str
    window_s: float
    now: float
    _uses: dict[tuple[str, str], Use] = field(default_factory=dict)

    def add(self, workspace: str, user: str, seconds: float) -> Use:
        """Charge a workspace and its user; returns what the user has used by now."""
        for name in ("", user):
            key = (workspace, name)
            use = self._uses.get(key)
            if use is None:
                use = self.tx.share(self.target, workspace, name)
            self._uses[key] = use.charged(seconds, self.now, self.window_s)
        return self._uses[workspace, user]

    def of(self, workspace: str, user: str) -> Use | None:
        """What a user, or with "" the workspace, has used by now; None if nothing was charged to it here."""
        return self._uses.get((workspace, user))

    def store(self) -> None:
        """Store them; to be called once, at the end."""
        for (workspace, user), use in self._uses.items():
            self.tx.save_share(self.target, workspace, user, use)


def seconds_to_correct(before: Job, after: Job, event: JobEvent) -> float:
    """What was charged too little (or negative: too much) of a job that leaves its target; 0 if nobody knows.

    A job whose engine died or shut down is charged again when it starts again. Of one that gave way the event's stages
    tell what it took.
    """
    if after.status.is_final:
        took = None if event.stages is None else event.stages.execute
    elif event.trigger is JobTrigger.YIELDED:
        took = 0.0 if event.stages is None else event.stages.execute or 0.0
    else:
        took = 0.0
    return 0.0 if took is None else took - before.planned_s


def correct(tx: QueueTransaction, job: Job, seconds: float, now: float, window_s: float) -> None:
    """Charge the job's workspace and user with `seconds` more, or less."""
    charges = Charges(tx, job.spec.target, window_s, now)
    charges.add(job.workspace, job.created_by, seconds)
    charges.store()
