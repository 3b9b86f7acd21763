"""Calls made apart: a function with its arguments is called in a worker process, and waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

from antiphon.adapters.executors import failures
from antiphon.adapters.executors.bounded_calls import BoundedCalls
from antiphon.adapters.executors.places import Places
from antiphon.errors import AntiphonError, LimitError, StoreError

P = ParamSpec("P")
R = TypeVar("R")

WORKERS = 2
CALL_SECONDS = 60.0
CALL_MEMORY = 2**31
"""Bytes that one call may take beyond what its modules do."""
PATIENCE_SECONDS = 180.0
"""A call waits so long at most for those before it and for itself."""


class CallsApart:
    """Makes calls of importable functions in worker processes (see `BoundedCalls`); thread-safe.

    Args:
        name: What is done, for errors: "compilers".
        preload: Modules that a worker imports before its first call.
        seconds, memory_bytes: Limits of one call.
        places: For calls that run or wait at the same time.
    """

    def __init__(
        self,
        name: str,
        preload: Sequence[str] = (),
        *,
        workers: int = WORKERS,
        seconds: float = CALL_SECONDS,
        memory_bytes: int = CALL_MEMORY,
        places: Places | None = None,
    ) -> None:
        self.calls = BoundedCalls(
            name,
            _nothing,
            workers=workers,
            seconds=seconds,
            memory_bytes=memory_bytes,
            patience_seconds=PATIENCE_SECONDS,
            busy=_busy,
            preload=preload,
            places=places,
        )

    def __call__(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `function` returns, or raises if that is an error of Antiphon's.

        Raises:
            LimitError: It had to be killed (code "compile-too-long").
            StoreError: Too many calls run or wait (code "compilers-busy"), or it is closed (code "store-closed");
                nothing is known about the call.
        """
        answer = self.calls.ask(_Call(function, args, kwargs))
        if isinstance(answer, _Answer):
            return cast("R", answer.value)
        if not isinstance(answer, AntiphonError):
            raise TypeError(f"a call apart answered {type(answer).__name__}")
        cause = self.calls.why_killed(answer, "It")
        raise answer if cause is None else self._killed(answer, cause)

    def close(self) -> None:
        """Kill the workers; who waits for one is told that it is closed."""
        self.calls.close()

    def _killed(self, found: AntiphonError, cause: str) -> LimitError:
        limits = {"limit_seconds": self.calls.seconds, "limit_bytes": self.calls.memory_bytes}
        return LimitError(
            "The program could not be compiled within the limits of this server.",
            code="compile-too-long",
            cause=cause,
            next_step="Make it smaller, choose a lower optimization_level, or submit it in parts.",
            details={**limits, "ended": found.code},
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


def _busy() -> StoreError:
    return StoreError(
        "The server is compiling as many programs as it can.",
        code="compilers-busy",
        cause="each is compiled in a process of its own, and those before this one take their time",
        next_step="Send it again in a few seconds.",
        details={"retry_after_s": 5},
    )
