"""Tasks: one attempt at a job has a name of its own, so that an attempt whose lease was lost is never mistaken."""

from __future__ import annotations

from antiphon.domain.jobs import Job


def task_id(job: Job) -> str:
    """The name of the attempt that holds `job` now: the job's id and its fence."""
    return f"{job.id}/{job.fence}"
