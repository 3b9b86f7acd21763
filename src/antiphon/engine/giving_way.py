"""Giving way: a batch that has had its quantum goes back into the queue if somebody else would start in its place."""

from __future__ import annotations

import logging

from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobEvent, JobStatus, JobTrigger
from antiphon.domain.policies.holds import went_on
from antiphon.domain.policies.pick import pick
from antiphon.domain.policies.quantum import is_over, leaves_room
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.ending import Aftermath, settle
from antiphon.engine.queues.holding import as_of
from antiphon.engine.queues.policies import policy_of
from antiphon.engine.queues.shares import Charges
from antiphon.engine.queues.status import booked
from antiphon.engine.queues.view import StoredQueue
from antiphon.errors import StoreError
from antiphon.ports.job_store import VersionConflictError

log = logging.getLogger("antiphon.engine")


class Turn:
    """How long one attempt at a batch may go on, by the policy of its target's queue."""

    def __init__(self, ctx: EngineContext, job: Job) -> None:
        self._ctx, self._job = ctx, job
        with ctx.store.read() as tx:
            self._policy = policy_of(ctx, tx, job.spec.target)
        self._since = ctx.clock.now()

    def may_hand_ahead(self, running_s: float) -> bool:
        """Whether the next of the batch may go to the worker while what runs, expected to take so long, still does."""
        if leaves_room(self._ran(), running_s, self._policy.quantum_s):
            return True
        try:
            return not self._somebody_waits()
        except (StoreError, VersionConflictError):
            return False

    def give_way(self, seconds: float) -> bool:
        """Put the job back into the queue if its quantum is over and somebody else would be started in its place.

        The items that are done stay done, the share is charged with `seconds` that it took, and the attempt does not
        count as one. False: the batch goes on, for another quantum if this one was over.
        """
        try:
            return self._gives_way(seconds)
        except (StoreError, VersionConflictError) as error:
            # The batch is not to blame, and goes on; whether it still holds the lease is asked before its next program.
            log.warning("whether job %s gives way could not be decided: %s", self._job.id, error)
            self._since = self._ctx.clock.now()
            return False

    def _gives_way(self, seconds: float) -> bool:
        if not is_over(self._ran(), self._policy.quantum_s) or not self._somebody_waits():
            return False
        aftermath = Aftermath()
        try:
            gone = self._put_back(seconds, aftermath)
        except _StaysError as stays:
            gone = False
            if stays.counts:
                self._count_as_start()
        if gone:
            aftermath.carry_out(self._ctx)
        else:
            self._since = self._ctx.clock.now()
        return gone

    def _ran(self) -> float:
        return self._ctx.clock.now() - self._since

    def _somebody_waits(self) -> bool:
        job, ctx = self._job, self._ctx
        if self._policy.slots is None and not _is_busy(ctx):
            return False  # who waits will be started beside it
        with ctx.store.read() as tx:
            return tx.others_wait(job.spec.target, job.workspace, job.created_by)

    @decided_again
    def _put_back(self, seconds: float, aftermath: Aftermath) -> bool:
        ctx, target = self._ctx, self._job.spec.target
        with ctx.store.write() as tx:
            state = tx.queue_state(target)
            job = tx.job(self._job.id)
            if (
                job is None
                or job.owner != ctx.engine_id
                or job.fence != self._job.fence
                or job.status is not JobStatus.EXECUTING
            ):
                return False
            now = ctx.clock.now()
            event = JobEvent(
                trigger=JobTrigger.YIELDED,
                at=now,
                who=ctx.engine_id,
                why=f"it ran for {self._ran():.3g} s while others waited",
                fence=job.fence,
                stages=evolve(job.stages, execute=seconds),
            )
            settle(tx, job, event, aftermath)
            # As it is when this commits: what would be started next?
            policy = policy_of(ctx, tx, target)
            view = StoredQueue(Charges(tx, target, policy.window_s, now))
            first = None if state.held_by is None else view.first_of_session(state.held_by)
            standing = as_of(tx, state, policy, now, None if first is None else first.created_at)
            chosen = pick(view, standing, policy, now, *booked(tx, target, now))
            if chosen is None or chosen.job.id == job.id:
                raise _StaysError(counts=chosen is not None and chosen.counts)
        return True

    @decided_again
    def _count_as_start(self) -> None:
        with self._ctx.store.write() as tx:
            state = tx.queue_state(self._job.spec.target)
            tx.save_queue_state(state, went_on(state, counts=True))


class _StaysError(Exception):
    """Nobody else would be started: nothing of giving way may be committed. `counts` is that of the pick."""

    def __init__(self, *, counts: bool) -> None:
        super().__init__()
        self.counts = counts


def _is_busy(ctx: EngineContext) -> bool:
    """Whether every worker of this engine has something to do."""
    follower = ctx.follower
    here = [task for task in tuple(ctx.held) if follower is None or not follower.has(task)]
    return len(here) >= ctx.executors["process"].capacity
