"""A trace: what was asked of targets and how long it ran, one line a job, to be played again by `antiphon simulate`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from antiphon.domain.evolve import evolve
from antiphon.domain.queues import Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceJob:
    """One job of a trace. Times are seconds since the epoch (UTC), or since any moment that all lines share.

    Attributes:
        user: Who submitted it; the same name in two workspaces is two users.
        session: Names its session within the workspace, if it was in one.
        kind: "sample", "estimate", "batch" or "sweep"; a batch gives way after a quantum.
        planned_s: What its target planned it to take.
        run_s: What it took; None if it never ran.
        wait_s: How long it had waited when it began to run; None if it never ran, or if that is not known.
        outcome: "Succeeded", "Failed" or "Cancelled".
    """

    submitted_at: float
    workspace: str
    user: str
    target: str
    priority: Priority = Priority.STANDARD
    session: str | None = None
    kind: str = "sample"
    planned_s: float
    run_s: float | None = None
    wait_s: float | None = None
    outcome: str = "Succeeded"

    @property
    def ended_at(self) -> float | None:
        """When it ended; None if that does not follow from the line."""
        if self.run_s is None or self.wait_s is None:
            return None
        return self.submitted_at + self.wait_s + self.run_s


def anonymous(job: TraceJob, salt: bytes) -> TraceJob:
    """The job with its workspace, user and session under names that only the salt could lead back from.

    The same name becomes the same one everywhere under one salt; the target keeps its name.
    """
    return evolve(
        job,
        workspace="w-" + _hashed(salt, "workspace", job.workspace),
        user="u-" + _hashed(salt, "user", job.workspace, job.user),
        session=None if job.session is None else "s-" + _hashed(salt, "session", job.session),
    )


def _hashed(salt: bytes, *names: str) -> str:
    return hashlib.blake2b("\0".join(names).encode(), key=salt, digest_size=8).hexdigest()
