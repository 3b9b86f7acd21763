"""Programs that were read, the least recently used forgotten first when their memory exceeds the room."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from antiphon.domain.programs import Program
from antiphon.errors import AntiphonError

REFUSED_SECONDS = 60.0
"""A program whose reader had to be killed is not read again for so long."""
REFUSED_BYTES = 2_048


class ReadPrograms:
    """Programs, and for a while refusals, by key; thread-safe. Weights are in bytes, about."""

    def __init__(self, room_bytes: int) -> None:
        self._room = room_bytes
        self._used = 0
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, tuple[Program | AntiphonError, int, float | None]] = OrderedDict()

    def get(self, key: bytes) -> Program | AntiphonError | None:
        """What is known of it."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            found, _, until = entry
            if until is not None and time.monotonic() >= until:
                self._drop(key)
                return None
            self._entries.move_to_end(key)
            return found

    def keep(self, key: bytes, program: Program, weight: int) -> None:
        """Remember a program, unless it is larger than the room."""
        self._put(key, program, weight, None)

    def refuse(self, key: bytes, error: AntiphonError) -> None:
        """Remember for a while that it cannot be read."""
        self._put(key, error, REFUSED_BYTES, time.monotonic() + REFUSED_SECONDS)

    def _put(self, key: bytes, value: Program | AntiphonError, weight: int, until: float | None) -> None:
        with self._lock:
            if key in self._entries:
                self._drop(key)
            if weight > self._room:
                return
            self._entries[key] = (value, weight, until)
            self._used += weight
            while self._used > self._room:
                self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        _, weight, _ = self._entries.pop(key)
        self._used -= weight
