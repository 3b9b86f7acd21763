"""Claim: take the lease on waiting jobs. Two engines on one store never get the same job."""

from __future__ import annotations

from antiphon.domain.jobs import Job, JobEvent, JobTrigger, advance
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.tasks import task_id


@decided_again
def claim(ctx: EngineContext, limit: int) -> list[Job]:
    """Claim up to `limit` waiting jobs, in the order of the queue, for this engine; none once it is closing."""
    if limit <= 0:
        return []
    with ctx.store.read() as tx:
        if not tx.waiting_jobs(list(ctx.drivers), 1):
            return []
    claimed: list[Job] = []
    try:
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
                ctx.held.add(task_id(after))
                # Looked at after `held` grew: an engine that shuts down either stops this claim or sees it.
                if ctx.closing.is_set():
                    ctx.held.discard(task_id(after))
                    break
                claimed.append(after)
                tx.save_job(job, after, event)
    except BaseException:
        # If the claim was committed all the same, the lease check finds the jobs held by nobody and puts them back.
        ctx.held.difference_update([task_id(job) for job in claimed])
        raise
    return claimed
