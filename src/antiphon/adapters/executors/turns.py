"""Turns at something scarce, shared fairly among those who wait for it."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from contextlib import contextmanager


class Turns:
    """So many turns at the same time; the next goes to whoever has the fewest, then to whoever had one longest ago.

    Thread-safe. Those of one owner come in order.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._has: Counter[str] = Counter()
        self._last: dict[str, int] = {}
        self._given = 0
        self._waiting: dict[str, deque[Future[bool]]] = {}
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def turn(self, owner: str, seconds: float | None, gives_up: Future[None] | None = None) -> Iterator[bool]:
        """Wait for a turn and hold it in the block; False, and no turn, if it was closed.

        Args:
            gives_up: Who waits is told False once this is done.

        Raises:
            TimeoutError: It took longer than `seconds`.
        """
        mine: Future[bool] = Future()
        with self._lock:
            if self._closed:
                mine.set_result(False)
            else:
                self._waiting.setdefault(owner, deque()).append(mine)
                self._give()
        if gives_up is not None:
            gives_up.add_done_callback(lambda _: self._withdraw(owner, mine))
        try:
            has = mine.result(seconds)
        except NotInTime:
            with self._lock:
                if not mine.done():
                    self._forget(owner, mine)
                    raise
            has = mine.result()
        try:
            yield has
        finally:
            if has:
                with self._lock:
                    self._has[owner] -= 1
                    self._free += 1
                    self._give()

    def close(self) -> None:
        """Give no more turns; who waits for one is told so."""
        with self._lock:
            self._closed = True
            for waiting in self._waiting.values():
                for each in waiting:
                    each.set_result(False)
            self._waiting.clear()

    def _withdraw(self, owner: str, waiting: Future[bool]) -> None:
        with self._lock:
            if not waiting.done():
                self._forget(owner, waiting)
                waiting.set_result(False)

    def _give(self) -> None:
        while self._free and self._waiting:
            owner = min(self._waiting, key=lambda each: (self._has[each], self._last.get(each, -1)))
            first = self._waiting[owner][0]
            self._forget(owner, first)
            self._free -= 1
            self._has[owner] += 1
            self._given += 1
            self._last[owner] = self._given
            first.set_result(True)

    def _forget(self, owner: str, waiting: Future[bool]) -> None:
        self._waiting[owner].remove(waiting)
        if not self._waiting[owner]:
            del self._waiting[owner]
        if len(self._last) > 10 * (len(self._waiting) + 100):
            # Owners come and go; who went last is of interest only among those who wait now.
            self._last = {name: number for name, number in self._last.items() if name in self._waiting}
            self._has = +self._has
