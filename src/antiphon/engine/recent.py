"""What was read a moment ago and need not be read again: policies and prices, on the path of every submit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from antiphon.ports.clock import Clock

Value = TypeVar("Value")

FRESH_S = 1.0
MOST = 10_000


class Recent:
    """Values by key, each up to a second old or whatever the caller allows; safe to use from any thread."""

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[float, Any]] = {}
        self._changes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, clock: Clock, read: Callable[[], Value], fresh_s: float = FRESH_S) -> Value:
        """What `read` returned when it was last called for `key`, if that is not too long ago; else what it returns."""
        now = clock.now()
        known = self._found.get(key)
        if known is not None and 0.0 <= now - known[0] < fresh_s:
            value: Value = known[1]
            return value
        changes = self._changes
        value = read()
        with self._lock:
            # What was read while this process changed something may be from before the change.
            if changes == self._changes:
                if len(self._found) >= MOST:
                    self._found.clear()
                self._found[key] = (now, value)
        return value

    def known(self, key: Hashable, clock: Clock, fresh_s: float = FRESH_S) -> Any:
        """What is kept of `key`, if it is not too old; else None."""
        kept = self._found.get(key)
        return kept[1] if kept is not None and 0.0 <= clock.now() - kept[0] < fresh_s else None

    def keep(self, key: Hashable, clock: Clock, value: object) -> None:
        """Keep a value that has just been read."""
        with self._lock:
            if len(self._found) >= MOST:
                self._found.clear()
            self._found[key] = (clock.now(), value)

    def forget(self, key: Hashable) -> None:
        """Read it anew the next time: it was changed by this process."""
        with self._lock:
            self._changes += 1
            self._found.pop(key, None)
