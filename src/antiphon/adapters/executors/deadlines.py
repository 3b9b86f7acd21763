"""One thread that calls back when a deadline passes, for any number of owners with one deadline each."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable


class Deadlines:
    """Deadlines in seconds of `time.monotonic`; the thread starts with the first and sleeps until the earliest."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[Hashable, tuple[float, Callable[[], None]]] = {}
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None
        self._closed = False

    def set(self, owner: Hashable, seconds: float, expire: Callable[[], None]) -> None:
        """Call `expire` once, from the thread of this object, unless `owner` clears or replaces it in `seconds`."""
        due_at = time.monotonic() + seconds
        with self._changed:
            self._due[owner] = (due_at, expire)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._watch, name="antiphon-deadlines", daemon=True)
                self._thread.start()
            elif due_at < self._wakes_at:
                self._changed.notify()

    def clear(self, owner: Hashable) -> None:
        """Forget the owner's deadline; its callback may be under way already."""
        with self._changed:
            self._due.pop(owner, None)

    def close(self) -> None:
        """Forget all deadlines and end the thread."""
        with self._changed:
            self._closed = True
            self._due.clear()
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _watch(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                now = time.monotonic()
                expired = [owner for owner, (due_at, _) in self._due.items() if due_at <= now]
                callbacks = [self._due.pop(owner)[1] for owner in expired]
                if not callbacks:
                    self._wakes_at = min((due_at for due_at, _ in self._due.values()), default=math.inf)
                    left = self._wakes_at - now
                    # A limit of years overflows what a lock can wait for.
                    self._changed.wait(min(left, threading.TIMEOUT_MAX))
            for expire in callbacks:
                expire()
