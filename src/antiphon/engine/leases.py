"""Leases: an engine's heartbeat, and taking back the jobs of engines that died."""

from __future__ import annotations

from collections.abc import Iterator

from antiphon.domain.batches import ItemEvent, ItemTrigger, advance_item
from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobEvent, JobStatus, JobTrigger
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.ending import Aftermath, settle
from antiphon.engine.tasks import task_id
from antiphon.ports.job_store import EngineLease, Transaction

FORGET_AFTER_S = 86_400.0


@decided_again
def beat(ctx: EngineContext) -> None:
    """Register this engine, or say that it is still alive."""
    with ctx.store.write() as tx:
        register(ctx, tx)


def register(ctx: EngineContext, tx: Transaction) -> None:
    """Store this engine's lease as of now. Whoever owns a job must be registered, or nobody would see it die."""
    host, pid, process_started_at = ctx.liveness.describe_self()
    now = ctx.clock.now()
    tx.save_engine(EngineLease(ctx.engine_id, host, pid, process_started_at, now, now))
    ctx.registered = True


@decided_again
def recover(ctx: EngineContext) -> list[str]:
    """Put the jobs of dead engines back into the queue, and leave their queues to others; returns the jobs' ids.

    An engine is dead when its process is gone, or when its heart has not beaten for `lease_seconds` and does not beat
    for two heartbeats more while this engine watches: a clock that jumps, or differs from host to host, and a machine
    that slept prove nothing. A job that was taken `max_attempts` times is failed: it is the likely cause.
    """
    now = ctx.clock.now()
    with ctx.store.read() as tx:
        engines = tx.engines()
        run_by = _queues_by_owner(tx)
        dead = [
            (engine, bool(tx.owned_jobs(engine.id)) or engine.id in run_by)
            for engine in engines
            if engine.id != ctx.engine_id and _is_dead(ctx, engine, now)
        ]
    for unknown in run_by.keys() - {engine.id for engine in engines} - {ctx.engine_id}:
        with ctx.store.write() as tx:
            if unknown not in {engine.id for engine in tx.engines()}:
                _leave_queues(tx, unknown)
    recovered: list[str] = []
    for engine, owns in dead:
        # An engine that only seems dead may come back and claim again; and what a process did last may still be on its
        # way to the database. To forget one too early would leave its jobs to nobody.
        silent = now - engine.heartbeat_at
        forget = silent > FORGET_AFTER_S or (silent > ctx.settings.lease_seconds and ctx.liveness.is_dead(engine))
        if not owns and not forget:
            continue
        aftermath = Aftermath()
        with ctx.store.write() as tx:
            _leave_queues(tx, engine.id)
            for job in _each_owned(tx, engine.id):
                why = f"engine {engine.id} (process {engine.pid}) died"
                _put_back(ctx, tx, job, why, aftermath)
                recovered.append(job.id)
            if forget:
                tx.remove_engine(engine.id)
                ctx.suspects.pop(engine.id, None)
        aftermath.carry_out(ctx)
    return recovered


@decided_again
def put_back_orphans(ctx: EngineContext) -> None:
    """Put back jobs that this engine owns but does not work on: their end could not be stored when it came."""
    with ctx.store.read() as tx:
        if all(task_id(job) in ctx.held for job in tx.owned_jobs(ctx.engine_id)):
            return
    aftermath = Aftermath()
    with ctx.store.write() as tx:
        for target in sorted(_queues_of_jobs(tx, ctx.engine_id)):
            tx.queue_state(target)
        # `held` grows before a claim is committed and shrinks after an end is, so that inside a write transaction
        # nothing that is worked on is missing from it.
        for job in _each_owned(tx, ctx.engine_id):
            if task_id(job) not in ctx.held:
                _put_back(ctx, tx, job, "its end could not be stored", aftermath)
    aftermath.carry_out(ctx)


@decided_again
def release(ctx: EngineContext) -> None:
    """Give back every queue and job this engine still holds, and its registration: an orderly end.

    While a thread of this process is still about to store a claim, the registration stays: it runs out like any lease,
    and the job is taken back then.
    """
    aftermath = Aftermath()
    released = set()
    with ctx.store.write() as tx:
        _leave_queues(tx, ctx.engine_id)
        for job in _each_owned(tx, ctx.engine_id):
            _lose(ctx, tx, job, "its engine shut down", aftermath)
            released.add(task_id(job))
        if ctx.held <= released:
            tx.remove_engine(ctx.engine_id)
    aftermath.carry_out(ctx)


@decided_again
def give_queues_back(ctx: EngineContext) -> None:
    """Leave the queues that this engine runs to others; what it has taken from them goes on."""
    with ctx.store.read() as tx:
        if ctx.engine_id not in _queues_by_owner(tx):
            return
    with ctx.store.write() as tx:
        _leave_queues(tx, ctx.engine_id)
    ctx.queues.clear()


def _queues_by_owner(tx: Transaction) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for state in tx.queue_states():
        if state.owner is not None:
            found.setdefault(state.owner, []).append(state.target)
    return found


def _leave_queues(tx: Transaction, owner: str) -> None:
    """Take an engine's queues from it. To be called before its jobs are read, as queues are locked before jobs."""
    for target in sorted(_queues_of_jobs(tx, owner).union(_queues_by_owner(tx).get(owner, ()))):
        state = tx.queue_state(target)
        if state.owner == owner:
            tx.save_queue_state(state, evolve(state, owner=None, fence=state.fence + 1))


def _queues_of_jobs(tx: Transaction, owner: str) -> set[str]:
    return {job.spec.target for job in tx.owned_jobs(owner) if job.session_id is not None}


def _each_owned(tx: Transaction, owner: str) -> Iterator[Job]:
    """The jobs an engine owns, each read again when its turn comes: ending one may, through its session, end others."""
    for listed in tx.owned_jobs(owner):
        job = tx.job(listed.id)
        if job is not None and job.owner == owner:
            yield job


def _is_dead(ctx: EngineContext, engine: EngineLease, now: float) -> bool:
    if ctx.liveness.is_dead(engine):
        return True
    if now - engine.heartbeat_at <= ctx.settings.lease_seconds:
        ctx.suspects.pop(engine.id, None)
        return False
    heartbeat, since = ctx.suspects.get(engine.id, (None, now))
    if heartbeat != engine.heartbeat_at:
        ctx.suspects[engine.id] = (engine.heartbeat_at, now)
        return False
    return now - since >= 2 * ctx.settings.heartbeat_seconds


def _put_back(ctx: EngineContext, tx: Transaction, job: Job, why: str, aftermath: Aftermath) -> None:
    """Back into the queue, or failed if that was tried too often."""
    # What runs at a provider is never the cause.
    spared = job.status is not JobStatus.EXECUTING or job.spec.target in ctx.providers
    if spared or job.attempts < ctx.settings.max_attempts:
        _lose(ctx, tx, job, why, aftermath)
        return
    event = JobEvent(
        trigger=JobTrigger.FAILED,
        at=ctx.clock.now(),
        who=ctx.engine_id,
        why=f"attempt {job.attempts}: {why}",
        error={
            "code": "engine-lost",
            "message": "The process that ran this job died, or could not store its end, each time it was tried.",
            "cause": f"attempt {job.attempts}: {why}",
            "next_step": 'Submit it with execution="process", which protects the engine from the program.',
            "details": {"attempts": job.attempts},
        },
    )
    settle(tx, job, event, aftermath)


def _lose(ctx: EngineContext, tx: Transaction, job: Job, why: str, aftermath: Aftermath) -> None:
    at = ctx.clock.now()
    # Read only if cancelling was asked for, which this then carries out.
    error = {
        "code": "job-cancelled",
        "message": "The job was cancelled while it ran.",
        "cause": why,
        "next_step": "",
        "details": {},
    }
    for item in tx.items(job.id):
        if item.status is JobStatus.EXECUTING:
            tx.save_item(job.id, item, advance_item(item, ItemEvent(trigger=ItemTrigger.LEASE_LOST, at=at)))
    settle(tx, job, JobEvent(trigger=JobTrigger.LEASE_LOST, at=at, who=ctx.engine_id, why=why, error=error), aftermath)
