"""Counters of requests for one event loop: those of `limits` start a thread to expire old ones at almost every hit."""

from __future__ import annotations

import time

from limits.storage import MemoryStorage

SWEEP_S = 30.0


class LoopStorage(MemoryStorage):
    """A storage of `limits` for its window counters, to be used from one thread alone; what is over goes in passing."""

    STORAGE_SCHEME: list[str] = []  # noqa: RUF012 - as the base class has it
    _sweep_at = 0.0

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count; a new counter lives for `expiry` seconds."""
        now = time.time()
        if now >= self._sweep_at:
            self._sweep(now)
        count = self.get(key) + amount
        self.storage[key] = count
        if count == amount:
            self.expirations[key] = now + expiry
        return count

    def decr(self, key: str, amount: int = 1) -> int:
        """Take back."""
        count = max(self.get(key) - amount, 0)
        self.storage[key] = count
        return count

    def get(self, key: str) -> int:
        """How many; 0 once it is over."""
        return self.storage[key] if self.expirations.get(key, 0.0) > time.time() else self._forget(key)

    def _forget(self, key: str) -> int:
        self.storage.pop(key, None)
        self.expirations.pop(key, None)
        return 0

    def _sweep(self, now: float) -> None:
        self._sweep_at = now + SWEEP_S
        for key in [key for key, until in self.expirations.items() if until <= now]:
            self._forget(key)
