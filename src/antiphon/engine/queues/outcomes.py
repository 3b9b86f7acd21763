"""What came of jobs that went through a queue: what it took, what it cost, and how long it had waited."""

from __future__ import annotations

from antiphon.domain.jobs import Job, JobEvent, JobStatus
from antiphon.ports.queue_store import QueueOutcome, QueueTransaction


def seconds_in_target(job: Job, event: JobEvent) -> float:
    """How long a job that is final ran in its target, by the event that ended it; 0 if it did not or nobody knows."""
    took = None if event.stages is None else event.stages.execute
    if took is None or job.is_cached:
        return 0.0
    if job.yields:
        # The report tells of the last time alone. Of what it did before it gave way the clock tells.
        return max(took, event.at - job.created_at - (job.stages.queue or 0.0))
    return took


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
            run_s=seconds_in_target(job, event),
            cost=cost_of(job) if job.cost else None,
            estimate=estimate,
        )
    )
