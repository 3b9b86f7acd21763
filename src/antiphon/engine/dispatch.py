"""The loop that gives waiting jobs to executors, keeps leases alive and sessions on time. One thread in each engine."""

from __future__ import annotations

import logging
import threading
from functools import partial

from antiphon.domain.jobs import JobStatus
from antiphon.engine.claim import claim
from antiphon.engine.context import EngineContext
from antiphon.engine.execute import start_claimed
from antiphon.engine.leases import beat, put_back_orphans, recover, release
from antiphon.engine.sessions import check_due_sessions
from antiphon.errors import AntiphonError, StoreError

log = logging.getLogger("antiphon.engine")

RECOVER_EVERY_S = 2.0


class Dispatcher:
    """Runs `turn` again and again in a daemon thread, woken by submits and otherwise every `poll_seconds`.

    Without `takes_jobs` it keeps leases and sessions on time and leaves the queue to other engines.
    """

    def __init__(self, ctx: EngineContext, *, takes_jobs: bool = True) -> None:
        self._ctx = ctx
        self._takes_jobs = takes_jobs
        self._running: set[str] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._next_beat = 0.0
        self._next_recover = 0.0

    def start(self) -> None:
        """Register the engine and start the loop."""
        beat(self._ctx)
        self._next_beat = self._ctx.clock.now() + self._ctx.settings.heartbeat_seconds
        self._thread = threading.Thread(target=self._loop, name="antiphon-dispatch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the loop; jobs that run here are stopped and go back into the queue."""
        self._ctx.closing.set()
        self._ctx.wakeup.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        for executor in self._ctx.executors.values():
            executor.close()
        try:
            release(self._ctx)
        except StoreError as error:
            # A full or vanished disk: the lease runs out instead, and the jobs are taken back then.
            log.warning("the engine could not give its jobs back: %s", error)

    def turn(self) -> None:
        """Everything that is due now: heartbeat, dead engines, sessions, cancellations, new jobs."""
        ctx = self._ctx
        now = ctx.clock.now()
        if now >= self._next_beat:
            beat(ctx)
            self._next_beat = now + ctx.settings.heartbeat_seconds
        if now >= self._next_recover:
            recover(ctx)
            put_back_orphans(ctx)
            self._next_recover = now + RECOVER_EVERY_S
        check_due_sessions(ctx)
        self._stop_cancelled()
        if not self._takes_jobs:
            return
        with self._lock:
            free = ctx.executors["process"].capacity - len(self._running)
        for job in claim(ctx, free):
            with self._lock:
                self._running.add(job.id)
            start_claimed(ctx, job, partial(self._done, job.id))

    def _loop(self) -> None:
        ctx = self._ctx
        while not ctx.closing.is_set():
            ctx.wakeup.clear()
            try:
                self.turn()
            except AntiphonError as error:
                # The store is busy or full: the jobs stay where they are, and the next turn tries again.
                log.warning("the engine could not work this turn: %s", error)
            except Exception:
                log.exception("the engine's turn failed; it goes on")
            ctx.clock.wait(ctx.wakeup, ctx.settings.poll_seconds)

    def _done(self, job_id: str) -> None:
        with self._lock:
            self._running.discard(job_id)
        self._ctx.wakeup.set()

    def _stop_cancelled(self) -> None:
        # Another process may have asked; what was asked here was stopped at once.
        with self._lock:
            if not self._running:
                return
        with self._ctx.store.read() as tx:
            asked = [
                job.id for job in tx.owned_jobs(self._ctx.engine_id) if job.status is JobStatus.CANCELLATION_REQUESTED
            ]
        for job_id in asked:
            for executor in self._ctx.executors.values():
                executor.cancel(job_id)
