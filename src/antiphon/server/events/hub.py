"""The hub: any number of requests wait for what happens to jobs and sessions, with one look at the store for all."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import Context
from functools import partial
from typing import TypeVar

from antiphon.engine.context import EngineContext
from antiphon.errors import AntiphonError, RateLimitedError
from antiphon.server.events.log import LogReader, News
from antiphon.server.events.watches import Subscription, WorkspaceChanges

LOOK_S = 0.02
"""How often the log is looked at while somebody watches; what this process changes is told at once."""

LEAST_PAUSE_S = 0.002
"""Between two looks, however much happens."""

AFTER_FAILURE_S = 1.0
TRY_AGAIN_S = 5

log = logging.getLogger("antiphon.server")

T = TypeVar("T")


class EventHub:
    """Tells waiters that a job's or session's log has grown, whichever process wrote the line.

    Belongs to one event loop. While nobody watches it does nothing at all.

    Args:
        ctx: Its store is followed, in a thread of the hub's own; its announcements are heard.
        max_watches: How many may be open at once, of everybody.
        max_watches_per_key: How many of one caller.
    """

    def __init__(self, ctx: EngineContext, *, max_watches: int, max_watches_per_key: int) -> None:
        self._ctx = ctx
        self._max_watches = max_watches
        self._max_watches_per_key = max_watches_per_key
        self._open = 0
        self._open_of: Counter[str] = Counter()
        self._subjects: dict[str, set[Subscription]] = {}
        self._workspaces: dict[str, set[WorkspaceChanges]] = {}
        self._reader = LogReader(ctx.store)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._follower: asyncio.Task[None] | None = None
        self._at_work = asyncio.Event()
        self._nudge = asyncio.Event()
        self._stopped = False

    @property
    def watches(self) -> int:
        """How many are open."""
        return self._open

    @property
    def following(self) -> bool:
        """Whether the log is being looked at: only while somebody watches."""
        return self._follower is not None

    @asynccontextmanager
    async def watch(self, subject: str, *, key: str) -> AsyncIterator[Subscription]:
        """Watch one job or session: what happens after the block was entered is not missed.

        Args:
            key: The caller (`Principal.caller`), for the limit on open watches.

        Raises:
            RateLimitedError: Too many are open (code "streams-exceeded").
        """
        with self._counted(key):
            subscription = Subscription(ended=self._stopped, crowd=lambda: self._open)
            self._subjects.setdefault(subject, set()).add(subscription)
            try:
                self._follow()
                yield subscription
            finally:
                _take_out(self._subjects, subject, subscription)

    @asynccontextmanager
    async def watch_workspace(self, workspace: str, *, key: str) -> AsyncIterator[AsyncIterator[str]]:
        """Watch every job and session of a workspace: an iterator over the subjects that changed.

        A subject that changes again before it was taken is told once. The iterator ends with the hub, and when more
        subjects than `watches.MOST_UNREAD` were not taken.

        Raises:
            RateLimitedError: Too many are open (code "streams-exceeded").
        """
        with self._counted(key):
            changes = WorkspaceChanges(ended=self._stopped)
            self._workspaces.setdefault(workspace, set()).add(changes)
            try:
                self._at_work.clear()
                self._follow()
                self._nudge.set()
                if not self._stopped:
                    # A look that has begun may have passed over whose the subjects are.
                    await self._at_work.wait()
                yield changes
            finally:
                _take_out(self._workspaces, workspace, changes)

    async def start(self) -> None:
        """Hear from now on what this process announces."""
        self._begin()

    async def stop(self) -> None:
        """Wake and end every watch; later ones have ended from their beginning."""
        self._stopped = True
        with suppress(ValueError):
            self._ctx.on_change.remove(self._hear)
        for subscriptions in self._subjects.values():
            for subscription in subscriptions:
                subscription.end()
        for workspace in self._workspaces.values():
            for changes in workspace:
                changes.end()
        self._at_work.set()
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)
            self._follower = None
        if self._thread is not None:
            # A look that is under way ends before the store is closed.
            thread, self._thread = self._thread, None
            await asyncio.get_running_loop().run_in_executor(None, thread.shutdown)

    @contextmanager
    def _counted(self, key: str) -> Iterator[None]:
        mine = self._open_of[key]
        if mine >= self._max_watches_per_key:
            message = f"This caller has {mine} event streams and long polls open."
            raise _too_many(message, mine, self._max_watches_per_key)
        if self._open >= self._max_watches:
            message = f"The server has {self._open} event streams and long polls open."
            raise _too_many(message, self._open, self._max_watches)
        self._open += 1
        self._open_of[key] += 1
        try:
            yield
        finally:
            self._open -= 1
            self._open_of[key] -= 1
            if not self._open_of[key]:
                del self._open_of[key]

    # --- the follower

    def _begin(self) -> None:
        if self._loop is None and not self._stopped:
            self._loop = asyncio.get_running_loop()
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="antiphon-follow")
            self._ctx.on_change.append(self._hear)

    def _follow(self) -> None:
        """Make sure that the log is followed."""
        self._begin()
        if self._follower is None and not self._stopped:
            assert self._loop is not None
            # Not in the context of the request that came first: its id and its span are not everybody's.
            self._follower = self._loop.create_task(self._keep_looking(), name="antiphon-follow", context=Context())

    async def _keep_looking(self) -> None:
        first = True
        while self._subjects or self._workspaces:
            self._nudge.clear()
            whole = bool(self._workspaces)
            # Read on from where the log was left: who came before this look misses nothing. But whoever watches a
            # whole workspace is told nothing from before.
            news = await self._look(with_workspaces=whole, jump=first and whole)
            if news is None:
                await asyncio.sleep(AFTER_FAILURE_S)
                continue
            first = False
            self._tell(news)
            if whole:
                self._at_work.set()
            await asyncio.sleep(LEAST_PAUSE_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._nudge.wait()
        self._follower = None

    async def _look(self, *, with_workspaces: bool, jump: bool) -> News | None:
        loop = asyncio.get_running_loop()
        look = partial(self._reader.look, with_workspaces=with_workspaces, jump=jump)
        try:
            return await loop.run_in_executor(self._thread, look)
        except AntiphonError as error:
            log.warning("The log of jobs cannot be followed.", extra={"code": error.code, "cause": error.message})
        except Exception:
            # Everybody who waits depends on this task: it must not end.
            log.exception("The log of jobs cannot be followed.")
        return None

    def _tell(self, news: News) -> None:
        if news.jumped:
            for watches in self._subjects.values():
                for watch in watches:
                    watch.wake()
        for subject, workspace in news.subjects:
            self._touch(subject)
            for changes in self._workspaces.get(workspace or "", ()):
                changes.add(subject)

    def _touch(self, subject: str) -> None:
        for watch in self._subjects.get(subject, ()):
            watch.wake()

    def _hear(self, subject: str) -> None:
        """This process has stored a change of the subject; called in whatever thread did it."""
        if self._loop is None or not (subject in self._subjects or self._workspaces):
            return
        # A loop that was closed has nobody left to tell.
        with suppress(RuntimeError):
            if subject in self._subjects:
                self._loop.call_soon_threadsafe(self._touch, subject)
            if self._workspaces:
                self._loop.call_soon_threadsafe(self._nudge.set)


def _take_out(watches: dict[str, set[T]], name: str, watch: T) -> None:
    remaining = watches[name]
    remaining.remove(watch)
    if not remaining:
        del watches[name]


def _too_many(message: str, found: int, limit: int) -> RateLimitedError:
    return RateLimitedError(
        message,
        code="streams-exceeded",
        cause=f"the limit is {limit}",
        next_step="Close some, or come back later; a workspace can be watched as a whole.",
        details={"open": found, "limit": limit, "retry_after_s": TRY_AGAIN_S},
    )
