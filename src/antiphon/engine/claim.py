"""Claim: take the lease on waiting jobs. Two engines on one store never get the same job."""

from __future__ import annotations

from antiphon.domain.jobs import Job, JobEvent, JobTrigger, advance
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext


@decided_again
def claim(ctx: EngineContext, limit: int) -> list[Job]:
    """Claim up to `limit` waiting jobs, in the order of the queue, for this engine."""
    if limit <= 0:
        return []
    with ctx.store.read() as tx:
        if not tx.waiting_jobs(list(ctx.drivers), 1):
            return []
    claimed = []
    with ctx.store.write() as tx:
        for job in tx.waiting_jobs(list(ctx.drivers), limit):
            event = JobEvent(
                trigger=JobTrigger.CLAIMED,
                at=ctx.clock.now(),
                who=ctx.engine_id,
                why="next in the queue",
                owner=ctx.engine_id,
            )
            after = advance(job, event)
            ctx.held.add(job.id)
            tx.save_job(job, after, event)
            claimed.append(after)
    return claimed
