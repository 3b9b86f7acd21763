"""The loop that gives waiting jobs to executors and keeps leases alive and sessions on time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from antiphon.domain.jobs import JobStatus
from antiphon.engine.claim import claim
from antiphon.engine.context import EngineContext
from antiphon.engine.execute import start_claimed
from antiphon.engine.leases import beat, give_queues_back, put_back_orphans, recover, release
from antiphon.engine.sessions import check_due_sessions
from antiphon.engine.tasks import task_id
from antiphon.errors import AntiphonError, StoreError

log = logging.getLogger("antiphon.engine")

RECOVER_EVERY_S = 2.0
PAUSE_S = 2.0
"""Nothing is given to workers for so long after one was lost under a job."""
MOST_ELSEWHERE = 1_000
"""So many jobs of an engine are seen through at providers at a time; each costs a look now and then, and no worker."""


class Dispatcher:
    """Runs `turn` again and again in a daemon thread, woken by submits and otherwise every `poll_seconds`.

    The heart beats in a thread of its own: reading a huge program must not cost the engine its leases. Without
    `takes_jobs` it keeps leases and sessions on time and leaves the queue to other engines.
    """

    def __init__(self, ctx: EngineContext, *, takes_jobs: bool = True) -> None:
        self._ctx = ctx
        self._takes_jobs = takes_jobs
        self._leaves_queues = False
        self._running: set[str] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._recovered_at: float | None = None

    def start(self) -> None:
        """Register the engine and start the loop."""
        beat(self._ctx)
        self._ctx.beating = True
        if self._ctx.follower is not None:
            self._ctx.follower.start()
        self._threads = [
            threading.Thread(target=self._loop, name="antiphon-dispatch", daemon=True),
            threading.Thread(target=self._heart, name="antiphon-heart", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the loop; jobs that run here are stopped and go back into the queue."""
        self._ctx.closing.set()
        self._ctx.wakeup.set()
        for thread in self._threads:
            # A workspace that nobody holds any more is closed by the garbage collector, in whatever thread that runs.
            if thread is not threading.current_thread():
                thread.join(timeout=10)
        self._ctx.close_runners()
        release_quietly(self._ctx)

    def take_no_more(self) -> None:
        """Leave the queues to others from now on; what runs here goes on."""
        self._takes_jobs = False
        self._leaves_queues = True
        self._ctx.wakeup.set()

    @property
    def is_idle(self) -> bool:
        """Whether this process works on no job."""
        # A claim is stored before the job counts as running, and held from before that.
        with self._lock:
            here = self._running | self._ctx.held
        # What a provider has goes on without this process, and another engine follows it.
        return all(self._is_elsewhere(task) for task in here)

    def _is_elsewhere(self, task: str) -> bool:
        return self._ctx.follower is not None and self._ctx.follower.has(task)

    def turn(self) -> None:
        """Everything that is due now: dead engines, sessions, cancellations, new jobs.

        What goes wrong with one of them does not keep the others from being done.
        """
        duties: list[Callable[[], object]] = [
            self._look_for_lost_jobs,
            partial(check_due_sessions, self._ctx),
            self._stop_unwanted,
        ]
        if self._takes_jobs:
            duties.append(self._take_jobs)
        elif self._leaves_queues:
            duties.append(self._leave_queues)
        for duty in duties:
            try:
                duty()
            except StoreError as error:
                # The store is busy or full: the jobs stay where they are, and the next turn tries again.
                if not self._ctx.closing.is_set():
                    log.warning("the engine could not work this turn: %s", error)
                return
            except AntiphonError as error:
                log.warning("the engine could not do all of its work this turn: %s", error)
            except Exception:
                log.exception("the engine's turn failed; it goes on")

    def _look_for_lost_jobs(self) -> None:
        now = self._ctx.clock.now()
        last = self._recovered_at
        # A clock that was set back must not put this off.
        if last is not None and last <= now < last + RECOVER_EVERY_S:
            return
        self._recovered_at = now
        recover(self._ctx)
        put_back_orphans(self._ctx)

    def _leave_queues(self) -> None:
        give_queues_back(self._ctx)
        self._leaves_queues = False

    def _take_jobs(self) -> None:
        ctx = self._ctx
        with self._lock:
            here = sum(not self._is_elsewhere(task) for task in self._running)
            elsewhere = len(self._running) - here
        free = 0 if self._is_pausing() else ctx.executors["process"].capacity - here
        claimed = claim(ctx, free, MOST_ELSEWHERE - elsewhere if ctx.providers else 0)
        with self._lock:
            self._running.update(task_id(job) for job in claimed)
        for job in claimed:
            start_claimed(ctx, job, partial(self._done, task_id(job)))

    def _is_pausing(self) -> bool:
        """Whether workers were lost a moment ago: the same jobs would come back as fast as they are handed over."""
        now, last = self._ctx.clock.now(), self._ctx.interrupted_at
        return last is not None and last <= now < last + PAUSE_S

    def _loop(self) -> None:
        ctx = self._ctx
        while not ctx.closing.is_set():
            ctx.wakeup.clear()
            self.turn()
            if not ctx.closing.is_set():
                ctx.clock.wait(ctx.wakeup, ctx.settings.poll_seconds)

    def _heart(self) -> None:
        ctx = self._ctx
        while not ctx.clock.wait(ctx.closing, ctx.settings.heartbeat_seconds):
            try:
                beat(ctx)
            except AntiphonError as error:
                if not ctx.closing.is_set():
                    log.warning("the engine could not renew its lease: %s", error)
            except Exception:
                log.exception("the engine could not renew its lease; it goes on")

    def _done(self, task: str) -> None:
        with self._lock:
            self._running.discard(task)
        self._ctx.wakeup.set()

    def _stop_unwanted(self) -> None:
        """Stop what another process asked to cancel, and what runs here under a lease that was lost."""
        with self._lock:
            running = set(self._running)
        if not running:
            return
        with self._ctx.store.read() as tx:
            wanted = {
                task_id(job)
                for job in tx.owned_jobs(self._ctx.engine_id)
                if job.status is not JobStatus.CANCELLATION_REQUESTED
            }
        for task in running - wanted:
            self._ctx.stop_task(task)


def release_quietly(ctx: EngineContext) -> None:
    """Give the jobs back; if that fails, the lease runs out instead, and they are taken back then."""
    try:
        release(ctx)
    except AntiphonError as error:
        log.warning("the engine could not give its jobs back: %s", error)
