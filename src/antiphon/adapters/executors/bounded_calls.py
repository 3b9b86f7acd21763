"""Requests to warm worker processes that somebody waits for: bounded in number, killed at their limits, in fair turns.

For what a server has to compute before it can answer, and must not compute in its own process: a parser or compiler
that hangs, crashes, eats memory or holds the interpreter's lock would take every other request with it.
"""

from __future__ import annotations

import atexit
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from contextlib import nullcontext

from antiphon.adapters.executors import failures
from antiphon.adapters.executors.places import Places
from antiphon.adapters.executors.pool import WorkerPool
from antiphon.adapters.executors.turns import Turns
from antiphon.adapters.executors.worker import Request
from antiphon.errors import AntiphonError, StoreError
from antiphon.ports.on_behalf import caller

_KILLED = {
    "worker-timeout": "{doing} took longer than {seconds:g} s.",
    "worker-memory": "{doing} took more than {memory:,.0f} MiB of memory.",
    "worker-crashed": "{doing} crashed the process that did it.",
}


class BoundedCalls:
    """Asks the workers of one pool, one request at a time in each; thread-safe.

    Workspaces take turns, and each has some places only (see `Turns` and `Places`; `ports.on_behalf` says whose a
    request is): a workspace that asks for much waits for itself. A patient caller needs no place, and waits for its
    turn however long that takes. For a caller that gives up nothing is done any more.

    Args:
        name: Of the workers, for errors.
        load, preload: See `WorkerPool`.
        seconds, memory_bytes: Limits of one request.
        patience_seconds: A request waits so long at most for those before it and for itself.
        busy: What is raised when there is no place, or no answer in time.
        places: Shared with others; by default its own.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], object],
        *,
        workers: int,
        seconds: float,
        memory_bytes: int,
        patience_seconds: float,
        busy: Callable[[], StoreError],
        preload: Sequence[str] = (),
        places: Places | None = None,
    ) -> None:
        self.seconds = seconds
        self.memory_bytes = memory_bytes
        self._name = name
        self._patience = patience_seconds
        self._busy = busy
        self._pool = WorkerPool(name, load, workers, memory_bytes, preload)
        self._turns = Turns(self._pool.capacity)
        self._places = places or Places()
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._pending: set[Future[object]] = set()
        self._closed = False
        atexit.register(self.close)

    @property
    def num_asked(self) -> int:
        """Requests that workers have now."""
        return len(self._pending)

    def ask(self, request: Request) -> object:
        """What a worker answers; why it was killed is an answer, too (see `why_killed`).

        Raises:
            StoreError: As `busy` says; or it is closed (code "store-closed"). Nothing is known about the request.
        """
        until = time.monotonic() + self._patience
        who = caller()
        with nullcontext() if who.patient else self._places.place(who.workspace, self._busy):
            try:
                with self._turns.turn(who.workspace, None if who.patient else self._patience, who.gives_up) as has_turn:
                    if not has_turn:
                        raise _closed()
                    seconds = None if who.patient else until - time.monotonic()
                    return self._answer(request, seconds, who.gives_up)
            except NotInTime:
                raise self._busy() from None

    def why_killed(self, answer: AntiphonError, doing: str) -> str | None:
        """In words, if its worker was killed or died under the request; `doing` begins the sentence: "Reading it"."""
        said = _KILLED.get(answer.code)
        return (
            None if said is None else said.format(doing=doing, seconds=self.seconds, memory=self.memory_bytes / 2**20)
        )

    def close(self) -> None:
        """Kill the workers; who waits for one is told that it is closed."""
        atexit.unregister(self.close)
        with self._lock:
            self._closed = True
            pending = list(self._pending)
        self._turns.close()
        self._pool.close()
        for future in pending:
            _settle(future, failures.executor_closed(self._name))

    def _answer(self, request: Request, seconds: float | None, gives_up: Future[None] | None) -> object:
        future: Future[object] = Future()
        with self._lock:
            if self._closed:
                raise _closed()
            self._pending.add(future)
        task = f"{self._name}-{next(self._numbers)}"
        try:
            self._pool.start(task, request, self.seconds, lambda outcome, _: _settle(future, outcome))
            if gives_up is not None:
                gives_up.add_done_callback(lambda _: self._pool.cancel(task))
            answer = future.result(seconds)
        except NotInTime:
            self._pool.cancel(task)
            raise
        finally:
            with self._lock:
                self._pending.discard(future)
        if isinstance(answer, AntiphonError) and answer.code == "executor-closed":
            raise _closed()
        return answer


def _settle(future: Future[object], outcome: object) -> None:
    if not future.done():
        future.set_result(outcome)


def _closed() -> StoreError:
    return StoreError("The workspace is closed.", code="store-closed", next_step="Open a new workspace.")
