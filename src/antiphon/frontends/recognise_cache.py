"""A bounded memory of objects already read: the same object, unchanged, is not read twice.

A hybrid loop submits one object hundreds of times. SDK objects can be changed in place and have no version number, so
an entry keeps a private copy, and a hit is one only when the caller's comparison with that copy says so. An entry dies
with its object: another object at the same address is never taken for it.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Read = TypeVar("Read")
Copy = TypeVar("Copy")


class RecognisedCache(Generic[Copy, Read]):
    """Least recently used, thread-safe, at most `capacity` objects."""

    def __init__(self, capacity: int = 64) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._entries: OrderedDict[int, tuple[weakref.ref[object], Copy, Read]] = OrderedDict()

    def get(self, subject: object, unchanged: Callable[[Copy], bool]) -> Read | None:
        """What was read from `subject`, if it was read before and `unchanged(copy)` holds."""
        key = id(subject)
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry[0]() is not subject:
                return None
            self._entries.move_to_end(key)
        return entry[2] if unchanged(entry[1]) else None

    def put(self, subject: object, copy: Copy, read: Read) -> None:
        """Remember `read` under `subject`, which must allow weak references."""
        with self._lock:
            self._entries[id(subject)] = (weakref.ref(subject), copy, read)
            self._entries.move_to_end(id(subject))
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)


class TextCache(Generic[Read]):
    """Least recently used, thread-safe: what short texts were read to be, as long as that is short too."""

    def __init__(self, weight: Callable[[Read], int], capacity: int = 200_000) -> None:
        self._weight = weight
        self._capacity = capacity
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[Read, int]] = OrderedDict()
        self._held = 0

    def get(self, key: Hashable, read: Callable[[], Read]) -> Read:
        """What was read under `key`, or what `read` makes now."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
                return entry[0]
        made = read()
        weight = self._weight(made)
        with self._lock:
            if weight <= self._capacity // 4 and key not in self._entries:
                self._entries[key] = (made, weight)
                self._held += weight
                while self._held > self._capacity:
                    self._held -= self._entries.popitem(last=False)[1][1]
        return made
