"""Leases: an engine's heartbeat, and taking back the jobs of engines that died."""

from __future__ import annotations

from collections.abc import Iterator

from antiphon.domain.batches import ItemEvent, ItemTrigger, advance_item
from antiphon.domain.jobs import Job, JobEvent, JobStatus, JobTrigger
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.ending import Aftermath, settle
from antiphon.ports.job_store import EngineLease, Transaction


@decided_again
def beat(ctx: EngineContext) -> None:
    """Register this engine, or say that it is still alive."""
    host, pid, process_started_at = ctx.liveness.describe_self()
    now = ctx.clock.now()
    with ctx.store.write() as tx:
        tx.save_engine(EngineLease(ctx.engine_id, host, pid, process_started_at, now, now))


@decided_again
def recover(ctx: EngineContext) -> list[str]:
    """Put the jobs of dead engines back into the queue; returns their ids.

    An engine is dead when its process is gone, or when its heart has not beaten for `lease_seconds`. A job that has
    cost `max_attempts` engines their life is failed: it is the likely cause.
    """
    now = ctx.clock.now()
    with ctx.store.read() as tx:
        dead = [engine for engine in tx.engines() if engine.id != ctx.engine_id and _is_dead(ctx, engine, now)]
    recovered: list[str] = []
    for engine in dead:
        aftermath = Aftermath()
        with ctx.store.write() as tx:
            for job in _each_owned(tx, engine.id):
                _take_back(ctx, tx, job, engine, aftermath)
                recovered.append(job.id)
            tx.remove_engine(engine.id)
        aftermath.carry_out(ctx)
    return recovered


@decided_again
def put_back_orphans(ctx: EngineContext) -> None:
    """Put back jobs that this engine owns but does not work on: their end could not be stored when it came."""
    with ctx.store.read() as tx:
        if all(job.id in ctx.held for job in tx.owned_jobs(ctx.engine_id)):
            return
    aftermath = Aftermath()
    with ctx.store.write() as tx:
        # `held` grows before a claim is committed and shrinks after an end is, so that inside a write transaction
        # nothing that is worked on is missing from it.
        for job in _each_owned(tx, ctx.engine_id):
            if job.id not in ctx.held:
                event = JobEvent(
                    trigger=JobTrigger.LEASE_LOST,
                    at=ctx.clock.now(),
                    who=ctx.engine_id,
                    why="its end could not be stored",
                )
                _release_items(tx, job, event.at)
                settle(tx, job, event, aftermath)
    aftermath.carry_out(ctx)


@decided_again
def release(ctx: EngineContext) -> None:
    """Give back every job this engine still holds, and its registration: an orderly end."""
    aftermath = Aftermath()
    with ctx.store.write() as tx:
        for job in _each_owned(tx, ctx.engine_id):
            event = JobEvent(
                trigger=JobTrigger.LEASE_LOST, at=ctx.clock.now(), who=ctx.engine_id, why="its engine shut down"
            )
            _release_items(tx, job, event.at)
            settle(tx, job, event, aftermath)
        tx.remove_engine(ctx.engine_id)
    aftermath.carry_out(ctx)


def _each_owned(tx: Transaction, owner: str) -> Iterator[Job]:
    """The jobs an engine owns, each read again when its turn comes: ending one may, through its session, end others."""
    for listed in tx.owned_jobs(owner):
        job = tx.job(listed.id)
        if job is not None and job.owner == owner:
            yield job


def _is_dead(ctx: EngineContext, engine: EngineLease, now: float) -> bool:
    return now - engine.heartbeat_at > ctx.settings.lease_seconds or ctx.liveness.is_dead(engine)


def _take_back(ctx: EngineContext, tx: Transaction, job: Job, engine: EngineLease, aftermath: Aftermath) -> None:
    at = ctx.clock.now()
    if job.status is JobStatus.EXECUTING and job.attempts >= ctx.settings.max_attempts:
        why = f"{job.attempts} engines died while they ran it"
        event = JobEvent(
            trigger=JobTrigger.FAILED,
            at=at,
            who=ctx.engine_id,
            why=why,
            error={
                "code": "engine-lost",
                "message": "The process that ran this job died each time it was tried.",
                "cause": why,
                "next_step": 'Submit it with execution="process", which protects the engine from the program.',
                "details": {"attempts": job.attempts},
            },
        )
    else:
        event = JobEvent(
            trigger=JobTrigger.LEASE_LOST,
            at=at,
            who=ctx.engine_id,
            why=f"engine {engine.id} (process {engine.pid}) died",
        )
    _release_items(tx, job, at)
    settle(tx, job, event, aftermath)


def _release_items(tx: Transaction, job: Job, at: float) -> None:
    for item in tx.items(job.id):
        if item.status is JobStatus.EXECUTING:
            tx.save_item(job.id, item, advance_item(item, ItemEvent(trigger=ItemTrigger.LEASE_LOST, at=at)))
