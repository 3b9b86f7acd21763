"""What was verified a moment ago and need not be verified again: bounded in number and in time."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class RecentlyKnown(Generic[T]):
    """A memory of credentials, by the hash of their text: the texts themselves are not kept.

    Args:
        seconds: How long an entry counts; what was revoked meanwhile elsewhere goes on so long at most.
        size: How many at most; the one used longest ago makes room.
        clock: A clock that only goes forward, in seconds.
    """

    def __init__(self, seconds: float, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[bytes, tuple[float, T]] = OrderedDict()

    def get(self, text: str) -> T | None:
        """What is known of a credential, or None."""
        digest = _digest(text)
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if self._clock() >= entry[0]:
            del self._entries[digest]
            return None
        self._entries.move_to_end(digest)
        return entry[1]

    def put(self, text: str, value: T) -> None:
        """Remember it from now on."""
        digest = _digest(text)
        self._entries[digest] = (self._clock() + self._seconds, value)
        self._entries.move_to_end(digest)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def forget(self, unwanted: Callable[[T], bool]) -> None:
        """Drop the entries that `unwanted` says."""
        for digest in [digest for digest, (_, value) in self._entries.items() if unwanted(value)]:
            del self._entries[digest]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()
