"""Blocking work beside the event loop, in as few threads at once as keep up with it."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Any, NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

STUCK_S = 0.020
"""When no call has begun for so long, the next one gets a thread of its own, and what is done is handed over."""
HELD_S = 0.025
"""For so long at most an answer is held back while the thread that found it goes on with other calls."""


class _Taken(NamedTuple):
    """A call that a thread has begun, and how many had ended then."""

    future: asyncio.Future[Any]
    act: Callable[[], Any]
    begun: float
    ended_before: int


class RequestThreads:
    """Threads for calls that block; an event loop waits for them.

    Threads that compute in Python do not run at the same time: they take turns with the interpreter, at every statement
    of SQL, and changing turns costs more than the statement. Therefore calls that arrive together are done one after
    the other in one thread, and their answers handed over together. With many callers that makes half as much again of
    the same machine; who calls alone is answered at once. A call that takes long delays nobody for more than about
    STUCK_S: then the next one gets another thread, up to `most`.

    Belongs to one event loop at a time.

    Args:
        most: Threads at once.
        eager: Give each call a thread of its own: for calls that mostly wait for another machine or process.
    """

    def __init__(self, most: int, *, eager: bool = False) -> None:
        self._most = most
        self._eager = eager
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="antiphon-request")
        self._lock = Lock()
        self._waiting: deque[tuple[asyncio.Future[Any], Callable[[], Any]]] = deque()
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._busy = 0
        self._begun = 0
        self._begun_before = 0
        self._ended = 0
        self._watched_by: asyncio.AbstractEventLoop | None = None

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `function` in a thread, with this task's context variables; the event loop goes on meanwhile."""
        loop = asyncio.get_running_loop()
        act = partial(contextvars.copy_context().run, _run, partial(function, *args, **kwargs))
        if self._eager:
            return await loop.run_in_executor(self._pool, act)
        future: asyncio.Future[R] = loop.create_future()
        with self._lock:
            self._waiting.append((future, act))
            starts = self._busy == 0
            self._busy += starts
        if starts:
            self._pool.submit(self._work)
        if self._watched_by is not loop:
            self._watched_by = loop
            self._begun_before = -1
            loop.call_later(STUCK_S, self._watch, loop)
        return await future

    def shutdown(self) -> None:
        """Take no more calls; those under way go on."""
        self._pool.shutdown(wait=False)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called from time to time while there is work: see that nobody waits for another's long call."""
        with self._lock:
            is_long = self._begun == self._begun_before
            is_stuck = is_long and bool(self._waiting) and self._busy < self._most
            self._busy += is_stuck
            self._begun_before = self._begun
            goes_on = self._busy > 0
        if is_stuck:
            self._pool.submit(self._work)
        if is_long:
            self._hand_over()
        if goes_on:
            loop.call_later(STUCK_S, self._watch, loop)
        else:
            self._watched_by = None

    def _work(self) -> None:
        held_since = time.monotonic()
        taken, loop = self._take(None), None
        while taken is not None:
            found, failure = None, None
            try:
                found = taken.act()
            except BaseException as error:  # noqa: BLE001 - it is raised where the call is waited for
                failure = error
            self._done.append((taken.future, found, failure))
            loop = taken.future.get_loop()
            if time.monotonic() - held_since > HELD_S:
                self._tell(loop)
                held_since = time.monotonic()
            taken = self._take(taken)
        if loop is not None:
            self._tell(loop)

    def _take(self, last: _Taken | None) -> _Taken | None:
        """The next call for a thread that has ended its `last` one; None when it is to end."""
        with self._lock:
            is_extra = False
            if last is not None:
                # A thread was added because a call took long; now that others end beside quick ones, one goes again.
                is_quick = time.monotonic() - last.begun < STUCK_S
                is_extra = is_quick and self._ended > last.ended_before and self._busy > 1
                self._ended += 1
            if is_extra or not self._waiting:
                self._busy -= 1
                return None
            self._begun += 1
            return _Taken(*self._waiting.popleft(), time.monotonic(), self._ended)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        # A loop that was closed has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        while self._done:
            future, found, failure = self._done.popleft()
            if future.cancelled():
                continue
            if failure is None:
                future.set_result(found)
            else:
                future.set_exception(failure)


def _run(function: Callable[[], R]) -> R:
    try:
        return function()
    except StopIteration as error:
        # A future refuses it, and whoever awaits the future would wait for ever.
        raise RuntimeError("a call raised StopIteration") from error
