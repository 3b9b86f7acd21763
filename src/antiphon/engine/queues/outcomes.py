"""What came of jobs that went through a queue: what it took, what it cost, and how long it had waited."""

from __future__ import annotations

from antiphon.domain.jobs import Job, JobEvent, JobStatus
from antiphon.ports.queue_store import QueueOutcome, QueueTransaction


def seconds_in_target(job: Job) -> float:
    """How long a job that is final ran in its target, all turns of a batch together; 0 if nobody knows."""
    return 0.0 if job.is_cached else job.stages.execute or 0.0


def cost_of(job: Job) -> float:
    """The sum of its cost lines."""
    return sum(float(line.get("amount", 0.0)) for line in job.cost)


def note_outcome(tx: QueueTransaction, job: Job, event: JobEvent) -> None:
    """Keep what came of a job that ran to its end, for estimates to learn from and to be scored by."""
    if job.status is JobStatus.CANCELLED or event.stages is None or event.stages.execute is None or job.is_cached:
        return
    estimate = None if job.estimate is None else dict(job.estimate)
    tx.add_outcome(
        QueueOutcome(
            target=job.spec.target,
            priority=job.priority.value,
            job_id=job.id,
            ended_at=event.at,
            planned_s=job.planned_s,
            ahead_s=float((estimate or {}).get("ahead_s") or 0.0),
            wait_s=job.stages.queue or 0.0,
            run_s=seconds_in_target(job),
            cost=cost_of(job) if job.cost else None,
            estimate=estimate,
        )
    )
