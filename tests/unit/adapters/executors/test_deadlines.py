import math
import queue
import time
from collections.abc import Iterator

import pytest

from antiphon.adapters.executors.deadlines import Deadlines


@pytest.fixture
def deadlines() -> Iterator[Deadlines]:
    deadlines = Deadlines()
    yield deadlines
    deadlines.close()


def test_the_earlier_deadline_comes_first_whichever_was_set_first(deadlines: Deadlines) -> None:
    passed: queue.SimpleQueue[str] = queue.SimpleQueue()
    deadlines.set("never", math.inf, lambda: passed.put("never"))
    deadlines.set("far", 3600, lambda: passed.put("far"))
    time.sleep(0.1)  # the thread sleeps by now, and has to be woken
    deadlines.set("late", 0.2, lambda: passed.put("late"))
    deadlines.set("soon", 0.05, lambda: passed.put("soon"))
    assert [passed.get(timeout=30), passed.get(timeout=30)] == ["soon", "late"]
    assert passed.empty()


def test_a_deadline_does_not_pass_before_its_time_and_only_once(deadlines: Deadlines) -> None:
    passed: queue.SimpleQueue[float] = queue.SimpleQueue()
    begun = time.monotonic()
    deadlines.set("one", 0.1, lambda: passed.put(time.monotonic()))
    assert passed.get(timeout=30) - begun >= 0.1
    time.sleep(0.15)
    assert passed.empty()


def test_a_cleared_or_replaced_deadline_does_not_pass(deadlines: Deadlines) -> None:
    passed: queue.SimpleQueue[str] = queue.SimpleQueue()
    deadlines.set("cleared", 0.05, lambda: passed.put("cleared"))
    deadlines.set("replaced", 0.05, lambda: passed.put("replaced"))
    deadlines.clear("cleared")
    deadlines.clear("unknown")
    deadlines.set("replaced", 3600, lambda: passed.put("replacement"))
    deadlines.set("last", 0.15, lambda: passed.put("last"))
    assert passed.get(timeout=30) == "last"
    assert passed.empty()


def test_nothing_passes_after_close() -> None:
    passed: queue.SimpleQueue[str] = queue.SimpleQueue()
    deadlines = Deadlines()
    deadlines.set("one", 0.05, lambda: passed.put("one"))
    deadlines.close()
    deadlines.close()
    time.sleep(0.1)
    assert passed.empty()
