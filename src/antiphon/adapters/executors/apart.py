"""Calls made apart: in warm worker processes, one call at a time in each, killed at their limits.

For what a server has to compute before it can answer, and must not compute in its own process: a compiler that holds
the interpreter's lock stops every other request, and the heartbeat of the engine with them.
"""

from __future__ import annotations

import atexit
import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

from antiphon.adapters.executors import failures
from antiphon.adapters.executors.pool import WorkerPool
from antiphon.errors import AntiphonError, LimitError, StoreError

P = ParamSpec("P")
R = TypeVar("R")

WORKERS = 2
CALL_SECONDS = 60.0
CALL_MEMORY = 2**31
"""Bytes that one call may take beyond what its modules do."""
MAX_WAITING = 8
"""Calls that run or wait at the same time; further ones are refused at once, so that they hold no thread."""
PATIENCE_SECONDS = 180.0
"""A call waits so long at most for those before it and for itself."""

_KILLED = {
    "worker-timeout": "It took longer than {seconds:g} s.",
    "worker-memory": "It took more than {memory:,.0f} MiB of memory.",
    "worker-crashed": "It crashed the process that did it.",
}


class CallsApart:
    """Makes calls of importable functions in worker processes; thread-safe.

    Args:
        name: What is done, for errors: "compilers".
        preload: Modules that a worker imports before its first call.
        seconds, memory_bytes: Limits of one call.
    """

    def __init__(
        self,
        name: str,
        preload: Sequence[str] = (),
        *,
        workers: int = WORKERS,
        seconds: float = CALL_SECONDS,
        memory_bytes: int = CALL_MEMORY,
    ) -> None:
        self._name = name
        self._seconds = seconds
        self._memory = memory_bytes
        self._pool = WorkerPool(name, _nothing, workers, memory_bytes, preload)
        self._places = threading.BoundedSemaphore(MAX_WAITING)
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._pending: set[Future[object]] = set()
        self._closed = False
        atexit.register(self.close)

    def __call__(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `function` returns, or raises if that is an error of Antiphon's.

        Raises:
            LimitError: It had to be killed (code "compile-too-long").
            StoreError: Too many calls run or wait (code "compilers-busy"), or it is closed (code "store-closed");
                nothing is known about the call.
        """
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            answer = self._ask(_Call(function, args, kwargs))
        finally:
            self._places.release()
        if isinstance(answer, _Answer):
            return cast("R", answer.value)
        if not isinstance(answer, AntiphonError):
            raise TypeError(f"a call apart answered {type(answer).__name__}")
        if answer.code in _KILLED:
            raise self._killed(answer)
        raise answer

    def close(self) -> None:
        """Kill the workers; who waits for one is told that it is closed."""
        atexit.unregister(self.close)
        with self._lock:
            self._closed = True
            pending = list(self._pending)
        self._pool.close()
        for future in pending:
            _settle(future, failures.executor_closed(self._name))

    def _ask(self, call: _Call) -> object:
        future: Future[object] = Future()
        with self._lock:
            if self._closed:
                raise _closed()
            self._pending.add(future)
        task = f"apart-{next(self._numbers)}"
        try:
            self._pool.start(task, call, self._seconds, lambda outcome, _: _settle(future, outcome))
            answer = future.result(PATIENCE_SECONDS)
        except NotInTime:
            self._pool.cancel(task)
            raise _busy() from None
        finally:
            with self._lock:
                self._pending.discard(future)
        if isinstance(answer, AntiphonError) and answer.code == "executor-closed":
            raise _closed()
        return answer

    def _killed(self, found: AntiphonError) -> LimitError:
        return LimitError(
            "The program could not be compiled within the limits of this server.",
            code="compile-too-long",
            cause=_KILLED[found.code].format(seconds=self._seconds, memory=self._memory / 2**20),
            next_step="Make it smaller, choose a lower optimization_level, or submit it in parts.",
            details={"limit_seconds": self._seconds, "limit_bytes": self._memory, "ended": found.code},
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a call returned."""

    value: object


@dataclass(frozen=True, slots=True)
class _Call:
    """The request for a worker; the answer is an `_Answer` or an `AntiphonError`."""

    function: Callable[..., object]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def run(self, loaded: object, memory_limit: int | None) -> object:  # noqa: ARG002 - nothing was loaded
        """Make the call."""
        try:
            return _Answer(self.function(*self.args, **self.kwargs))
        except AntiphonError as error:
            return error
        except MemoryError as error:
            return failures.memory_exhausted(memory_limit, str(error) or "MemoryError")

    def failed(self, error: BaseException) -> AntiphonError:
        """Code "compile-failed": it raised what it should not."""
        return LimitError(
            "The program cannot be compiled.",
            code="compile-failed",
            cause=f"{type(error).__name__}: {error}"[:500],
            next_step="Use another target, or change the program until it compiles.",
        )


def _nothing() -> None:
    """Workers need nothing but their modules."""


def _settle(future: Future[object], outcome: object) -> None:
    if not future.done():
        future.set_result(outcome)


def _busy() -> StoreError:
    return StoreError(
        "The server is compiling as many programs as it can.",
        code="compilers-busy",
        cause="each is compiled in a process of its own, and those before this one take their time",
        next_step="Send it again in a few seconds.",
        details={"retry_after_s": 5},
    )


def _closed() -> StoreError:
    return StoreError("The workspace is closed.", code="store-closed", next_step="Open a new workspace.")
