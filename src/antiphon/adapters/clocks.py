"""Clocks: the system's own, and one that a test moves by hand."""

from __future__ import annotations

import threading
import time

# How soon a waiter of a manual clock notices, in real seconds; an event cannot be told that a clock moved.
_NOTICE_S = 0.001


class SystemClock:
    """The time of this machine."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def wait(self, event: threading.Event, timeout: float) -> bool:
        """Wait until `event` is set or `timeout` seconds passed; True when the event is set."""
        return event.wait(max(0.0, timeout))


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
