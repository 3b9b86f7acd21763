"""A cache of built things by key, bounded by their size, shared by threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class BoundedCache(Generic[T]):
    """Keeps the most recently used things up to `capacity` in the unit of `size` (entries, if not given)."""

    def __init__(self, capacity: int, size: Callable[[T], int] = lambda _: 1) -> None:
        self._capacity = capacity
        self._size = size
        self._held = 0
        self._items: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, build: Callable[[], T]) -> T:
        """The thing under `key`, built if it is not there. Two threads may build it twice; one of them is kept."""
        with self._lock:
            found = self._items.get(key)
            if found is not None:
                self._items.move_to_end(key)
                return found
        built = build()
        size = self._size(built)
        if size <= self._capacity:
            with self._lock:
                if key not in self._items:
                    self._items[key] = built
                    self._held += size
                while self._held > self._capacity:
                    _, dropped = self._items.popitem(last=False)
                    self._held -= self._size(dropped)
        return built

    def put(self, key: Hashable, thing: T) -> None:
        """Keep the thing under `key`, in the place of one that is there."""
        self.pop(key)
        self.get(key, lambda: thing)

    def pop(self, key: Hashable) -> T | None:
        """Take the thing under `key` out; None when there is none."""
        with self._lock:
            found = self._items.pop(key, None)
            if found is not None:
                self._held -= self._size(found)
            return found

    def has(self, key: Hashable) -> bool:
        """Whether there is something under `key`."""
        with self._lock:
            return key in self._items
