"""Taking jobs from the queue of one target: the rules of `policies.pick` at work, in one transaction."""

from __future__ import annotations

from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobEvent, JobStatus, JobTrigger, advance
from antiphon.domain.policies import holds
from antiphon.domain.policies.pick import pick
from antiphon.domain.queues import QueuePolicy, QueueState
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.leases import register
from antiphon.engine.queues.holding import as_of, tell_sessions
from antiphon.engine.queues.policies import policy_of
from antiphon.engine.queues.shares import Charges
from antiphon.engine.queues.status import booked
from antiphon.engine.queues.view import StoredQueue
from antiphon.engine.tasks import task_id
from antiphon.ports.job_store import Transaction

MOST_GONE = 100
"""Picked jobs that were cancelled before they could be locked, until the rest is left to the next look."""

TAKEN_UP = "its provider has it"
"""Why a job is claimed whose engine is gone, and that its provider has or may have."""


@decided_again
def take(ctx: EngineContext, target: str, room: int) -> list[Job]:
    """Claim up to `room` waiting jobs of a target for this engine, in the order of its queue.

    The queue of a target with slots is run by one engine at a time: this one, if nobody does. It leaves the queue to
    others when it has no more room for what it could start.
    """
    taking = _Taking(ctx, target)
    try:
        with ctx.store.write() as tx:
            taking.run(tx, room)
    except BaseException:
        # If the claim was committed all the same, the lease check finds the jobs held by nobody and puts them back.
        ctx.held.difference_update([task_id(job) for job in taking.claimed])
        raise
    if taking.owns:
        ctx.queues.add(target)
    else:
        ctx.queues.discard(target)
    return taking.claimed


class _Taking:
    """One transaction's work on one queue."""

    def __init__(self, ctx: EngineContext, target: str) -> None:
        self._ctx, self._target = ctx, target
        self.claimed: list[Job] = []
        self.owns = False

    def run(self, tx: Transaction, room: int) -> None:
        ctx, target = self._ctx, self._target
        stored = state = tx.queue_state(target)
        policy = policy_of(ctx, tx, target)
        now = ctx.clock.now()
        now_open, to_come = None, None
        if policy.slots is not None:
            if state.owner not in (None, ctx.engine_id) or ctx.closing.is_set():
                return
            if state.owner is None and room > 0:
                if not ctx.beating:
                    register(ctx, tx)
                state = evolve(state, owner=ctx.engine_id, fence=state.fence + 1)
            now_open, to_come = booked(tx, target, now)
        charges = Charges(tx, target, policy.window_s, now)
        if target in ctx.providers:
            state = self._take_up(tx, charges, state, policy, now, room)
            room -= len(self.claimed)
        free = room
        if policy.slots is not None:
            slots = max(0, policy.slots - tx.running_on(target))
            free = min(room, slots)
        view = StoredQueue(charges)
        state = self._look_at_hold(tx, view, state, policy, now)
        gone, started_before = 0, len(self.claimed)
        while free > 0 and gone < MOST_GONE:
            chosen = pick(view, state, policy, now, now_open, to_come)
            if chosen is None:
                break
            job = self._claim(tx, chosen.job.id, chosen.rule.value, now)
            if ctx.closing.is_set() and job is None:
                break
            if job is None:
                gone += 1
                view.forget()
                continue
            free -= 1
            charges.add(job.workspace, job.created_by, job.planned_s)
            started = holds.started(state, policy, job.session_id, job.workspace, now, counts=chosen.counts)
            tell_sessions(tx, state, started, now, ctx.engine_id)
            state = started
            if free > 0:
                view.take(chosen.job)
        charges.store()
        if policy.slots is not None and state.owner == ctx.engine_id:
            num_started = len(self.claimed) - started_before
            is_full = num_started >= room and num_started < slots
            if is_full and view.oldest(None) is not None:
                state = evolve(state, owner=None)
        tx.save_queue_state(stored, state)
        self.owns = state.owner == ctx.engine_id

    def _look_at_hold(
        self, tx: Transaction, view: StoredQueue, state: QueueState, policy: QueuePolicy, now: float
    ) -> QueueState:
        if state.held_by is None:
            return state
        first = view.first_of_session(state.held_by)
        looked_at = as_of(tx, state, policy, now, None if first is None else first.created_at)
        tell_sessions(tx, state, looked_at, now, self._ctx.engine_id)
        return looked_at

    def _take_up(
        self, tx: Transaction, charges: Charges, state: QueueState, policy: QueuePolicy, now: float, room: int
    ) -> QueueState:
        """Take what the provider has, and whose engine is gone: it runs there, whoever else's turn it is."""
        for job_id in tx.left_at_provider(self._target)[: max(0, room)]:
            job = self._claim(tx, job_id, TAKEN_UP, now)
            if job is None:
                continue
            charges.add(job.workspace, job.created_by, job.planned_s)
            if job.session_id is not None and job.session_id == state.held_by:
                state = holds.started(state, policy, job.session_id, job.workspace, now)
        return state

    def _claim(self, tx: Transaction, job_id: str, why: str, now: float) -> Job | None:
        """Take the lease on a job; None if it waits no more, or this engine is closing."""
        ctx = self._ctx
        job = tx.job(job_id)
        if job is None or job.status is not JobStatus.WAITING:
            return None
        event = JobEvent(trigger=JobTrigger.CLAIMED, at=now, who=ctx.engine_id, why=why, owner=ctx.engine_id)
        after = advance(job, event)
        ctx.held.add(task_id(after))
        # Looked at after `held` grew: an engine that shuts down either stops this claim or sees it.
        if ctx.closing.is_set():
            ctx.held.discard(task_id(after))
            return None
        self.claimed.append(after)
        tx.save_job(job, after, event)
        return after
