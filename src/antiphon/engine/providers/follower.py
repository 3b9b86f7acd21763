"""The follower: one loop that knows when which job is due, and a few threads that make the calls."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from antiphon.domain.jobs import Job
from antiphon.engine.context import EngineContext
from antiphon.engine.providers.followed import Followed
from antiphon.engine.providers.loose import settle_loose
from antiphon.engine.providers.step import step
from antiphon.errors import AntiphonError

log = logging.getLogger("antiphon.engine")

AGAIN_S = 1.0
"""After so long a step is made again that went wrong on our side: the store could not be asked, say."""
CLOSING_S = 15.0
IDLE_S = 60.0


class ProviderFollower:
    """Sees many jobs through at once: each is in one step at most, and between two steps it is an entry in a heap."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._jobs: dict[str, Followed] = {}
        self._due: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        self._under_way: set[Future[None]] = set()
        self._pool = ThreadPoolExecutor(ctx.settings.provider_calls, thread_name_prefix="antiphon-provider")
        self._thread: threading.Thread | None = None
        self._loose_at = self._seen_at = ctx.clock.now()
        self._closed = False

    def start(self) -> None:
        """Begin the loop, in a daemon thread."""
        self._thread = threading.Thread(target=self._loop, name="antiphon-follow", daemon=True)
        self._thread.start()

    def take(self, job: Job, done: Callable[[], None]) -> None:
        """See a claimed job through; `done` is called once this engine works on it no more. Returns at once."""
        followed = Followed(job, done, self._ctx.providers[job.spec.target].poll_seconds)
        with self._lock:
            self._jobs[followed.task] = followed
            self._push(followed, 0.0)
        self._wake.set()

    def stop(self, task: str) -> None:
        """Look at a job that was cancelled, or that another engine has by now; unknown ones are ignored."""
        with self._lock:
            followed = self._jobs.get(task)
            if followed is None or followed.is_stopping:
                return
            followed.is_stopping = True
        self.nudge(task)

    def nudge(self, task: str) -> None:
        """Look at a job again now; unknown ones are ignored."""
        with self._lock:
            followed = self._jobs.get(task)
            if followed is None:
                return
            if followed.in_step:
                followed.is_nudged = True
            else:
                self._push(followed, 0.0)
        self._wake.set()

    def has(self, task: str) -> bool:
        """Whether it sees this attempt at a job through."""
        return task in self._jobs

    def close(self) -> None:
        """Begin nothing any more, and wait for calls that are under way: their answers are still written down."""
        with self._lock:
            self._closed = True
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(CLOSING_S)
        self._pool.shutdown(wait=False, cancel_futures=True)
        wait(tuple(self._under_way), CLOSING_S)
        for provider in self._ctx.providers.values():
            provider.close()

    def _push(self, followed: Followed, pause: float) -> None:
        # Entries of before count no more: each job has one that does.
        followed.ticket = next(self._order)
        heapq.heappush(self._due, (self._ctx.clock.now() + pause, followed.ticket, followed.task))

    def _loop(self) -> None:
        while not self._closed:
            self._wake.clear()
            self._ctx.clock.wait(self._wake, self._start_due())

    def _start_due(self) -> float:
        """Start what is due; seconds until something else is."""
        now = self._ctx.clock.now()
        with self._lock:
            if now < self._seen_at:
                # A clock that was set back must not put any look off; shifted alike, the heap stays one.
                back = self._seen_at - now
                self._due = [(at - back, ticket, task) for at, ticket, task in self._due]
            self._seen_at = now
            if now >= self._loose_at or self._loose_at > now + self._ctx.settings.provider_loose_seconds:
                self._loose_at = now + self._ctx.settings.provider_loose_seconds
                self._begin(self._settle_loose)
            while self._due and self._due[0][0] <= now:
                _, ticket, task = heapq.heappop(self._due)
                followed = self._jobs.get(task)
                if followed is not None and followed.ticket == ticket:
                    followed.in_step = True
                    self._begin(self._turn, followed)
            pause = self._loose_at - now
            if self._due:
                pause = min(pause, self._due[0][0] - now)
        return max(0.0, min(pause, IDLE_S))

    def _begin(self, call: Callable[..., None], *args: Followed) -> None:
        if self._closed:
            return
        future = self._pool.submit(call, *args)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)

    def _turn(self, followed: Followed) -> None:
        task = followed.task
        pause: float | None = AGAIN_S
        try:
            pause = step(self._ctx, followed)
        except AntiphonError as error:
            log.warning("job %s at its provider: a step is made again: %s", followed.job.id, error)
        except Exception:
            log.exception("job %s at its provider: a step is made again", followed.job.id)
        with self._lock:
            followed.in_step = False
            if pause is None:
                self._jobs.pop(task, None)
            else:
                self._push(followed, 0.0 if followed.is_nudged else pause)
                followed.is_nudged = False
        if pause is None:
            followed.done()
        self._wake.set()

    def _settle_loose(self) -> None:
        try:
            settle_loose(self._ctx)
        except AntiphonError as error:
            log.warning("lines of the ledger whose jobs have ended could not be looked at: %s", error)
        except Exception:
            log.exception("lines of the ledger whose jobs have ended could not be looked at")
