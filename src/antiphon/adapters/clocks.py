"""Clocks: the system's own, one that is many times as fast, and one that a test moves by hand."""

from __future__ import annotations

import math
import threading
import time

from antiphon.errors import LimitError

# How soon a waiter of a manual clock notices, in real seconds; an event cannot be told that a clock moved.
_NOTICE_S = 0.001
# However fast a clock is, whoever waits on it gives the processor away for so long.
_SHORTEST_S = 0.01


class SystemClock:
    """The time of this machine."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def wait(self, event: threading.Event, timeout: float) -> bool:
        """Wait until `event` is set or `timeout` seconds passed; True when the event is set."""
        return event.wait(max(0.0, timeout))


class FastClock:
    """Runs `speed` times as fast as the machine's: with 3,600 an hour takes a second, and a day 24.

    For devices that live: queues, calibrations and outages pass while you look on, and `job.result()` waits as usual.
    What really computes takes as long as ever, and so `speed` times as long on this clock; leases and limits of
    sessions run out on it too. Give it to the only workspace of a folder that is open.

    Args:
        speed: How many of its seconds pass in one real second, 1 to 100,000.
        start: The first time it tells, in seconds since the epoch (UTC); default is now.

    Raises:
        LimitError: No such speed, or no such time (code "clock-invalid").
    """

    def __init__(self, speed: float = 3_600.0, start: float | None = None) -> None:
        if not 1.0 <= speed <= 100_000.0:
            raise LimitError(
                f"speed={speed!r} is no speed of a clock.",
                code="clock-invalid",
                next_step="Give a number from 1 to 100,000; with 3,600 an hour takes a second.",
            )
        if start is not None and not (math.isfinite(start) and start >= 0):
            raise LimitError(
                f"start={start!r} is no time.",
                code="clock-invalid",
                next_step="Give seconds since the epoch, such as datetime(2026, 3, 2, tzinfo=UTC).timestamp().",
            )
        self._speed = speed
        self._start = time.time() if start is None else start
        self._began = time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return self._start + self._speed * (time.monotonic() - self._began)

    def wait(self, event: threading.Event, timeout: float) -> bool:
        """Wait until `event` is set or `timeout` seconds of this clock passed, 10 ms real ones at least."""
        return event.wait(max(_SHORTEST_S, timeout / self._speed)) if timeout > 0 else event.is_set()


class ManualClock:
    """Stands still until it is advanced. Thread-safe: real threads may wait on it.

    Args:
        start: The first time it tells, in seconds since the epoch (UTC).
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._num_waiting = 0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the epoch, UTC, as advanced so far."""
        return self._now

    @property
    def num_waiting(self) -> int:
        """How many threads are inside `wait`; a test looks at it before it advances the clock."""
        return self._num_waiting

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass and wake every waiter whose time ran out.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f"A clock does not go back: {seconds} s.")
        with self._lock:
            self._now += seconds

    def wait(self, event: threading.Event, timeout: float) -> bool:
        """Wait until `event` is set or the clock was advanced by `timeout` seconds; True when the event is set."""
        with self._lock:
            deadline = self._now + timeout
            self._num_waiting += 1
        try:
            while self._now < deadline:
                if event.wait(_NOTICE_S):
                    return True
            return event.is_set()
        finally:
            with self._lock:
                self._num_waiting -= 1
