from __future__ import annotations

import threading
import time

import pytest
from limits import parse
from limits.strategies import SlidingWindowCounterRateLimiter

from antiphon.server.access import counters
from antiphon.server.access.counters import LoopStorage


class Clock:
    """Stands in for `time.time`, here and inside `limits`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        monkeypatch.setattr(time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_window_slides(clock: Clock) -> None:
    strategy = SlidingWindowCounterRateLimiter(LoopStorage())
    limit = parse("4/minute")
    clock.now = 1_000_020.0  # a window of a minute begins
    assert [strategy.hit(limit, "ada") for _ in range(5)] == [True] * 4 + [False]
    assert strategy.hit(limit, "grace")
    clock.now += 60 + 30  # half of the next window: half of the last one still counts
    assert [strategy.hit(limit, "ada") for _ in range(3)] == [True, True, False]
    clock.now += 180
    assert strategy.get_window_stats(limit, "ada").remaining == 4


def test_what_is_over_is_not_kept(clock: Clock) -> None:
    storage = LoopStorage()
    for number in range(1_000):
        storage.incr(f"key {number}", 10)
    clock.now += counters.SWEEP_S + 1
    assert storage.incr("another", 10) == 1
    assert (len(storage.storage), len(storage.expirations)) == (1, 1)


def test_counting_starts_no_threads() -> None:
    storage = LoopStorage()
    storage.timer.join()
    before = threading.active_count()
    for _ in range(100):
        storage.incr("ada", 10)
        assert threading.active_count() == before
    assert storage.decr("ada", 60) == 40
    assert storage.decr("ada", 60) == 0
