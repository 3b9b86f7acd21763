from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from antiphon.adapters.executors.turns import Turns


class Queue:
    """Owners who wait for turns, in threads, and end them when told."""

    def __init__(self, at_once: int) -> None:
        self.turns = Turns(at_once)
        self.order: list[str] = []
        self._ends: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def add(self, owner: str, name: str) -> None:
        """The next of an owner waits when this returns, or has its turn."""
        self._ends[name] = threading.Event()
        before = self._count()
        thread = threading.Thread(target=self._wait, args=(owner, name), daemon=True)
        self._threads.append(thread)
        thread.start()
        eventually(lambda: self._count() > before)

    def end(self, name: str) -> None:
        """Its turn is over; returns when the next has begun, if any waits."""
        waiting = self._num_waiting()
        began = len(self.order)
        self._ends[name].set()
        if waiting:
            eventually(lambda: len(self.order) > began)

    def close(self) -> None:
        self.turns.close()
        for end in self._ends.values():
            end.set()
        for thread in self._threads:
            thread.join(10)

    def _count(self) -> int:
        return len(self.order) + self._num_waiting()

    def _num_waiting(self) -> int:
        with self.turns._lock:
            return sum(map(len, self.turns._waiting.values()))

    def _wait(self, owner: str, name: str) -> None:
        with self.turns.turn(owner, None) as has:
            if has:
                self.order.append(name)
                self._ends[name].wait(30)


def eventually(check: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not check():
        assert time.monotonic() < until
        time.sleep(0.001)


def test_who_has_fewest_goes_first_and_each_owner_in_order() -> None:
    queue = Queue(2)
    try:
        for name in ("a1", "a2", "a3", "a4", "b1", "b2", "c1"):
            queue.add(name[0], name)
        assert queue.order == ["a1", "a2"]
        for name in ("a1", "a2", "b1", "c1", "b2"):
            queue.end(name)
        assert queue.order == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]
    finally:
        queue.close()


def test_who_waits_too_long_has_no_turn_and_takes_nobodys() -> None:
    turns = Turns(1)
    with turns.turn("a", None) as has:
        assert has
        with pytest.raises(TimeoutError), turns.turn("b", 0.01):
            pytest.fail("it has no turn")
    with turns.turn("b", 0.01) as has:
        assert has
    turns.close()
    with turns.turn("b", None) as has:
        assert not has


def test_what_is_kept_of_owners_does_not_grow_with_their_number() -> None:
    turns = Turns(2)
    for number in range(5_000):
        with turns.turn(f"owner-{number}", 1.0):
            pass
    assert len(turns._last) + len(turns._has) < 3_000
