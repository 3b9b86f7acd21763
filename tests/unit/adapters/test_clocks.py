from __future__ import annotations

import threading
import time

import pytest

from antiphon.adapters.clocks import FastClock, ManualClock, SystemClock
from antiphon.errors import LimitError
from antiphon.ports.clock import Clock


def _waiting_thread(
    clock: ManualClock, event: threading.Event, timeout: float, answers: list[bool]
) -> threading.Thread:
    before = clock.num_waiting
    thread = threading.Thread(target=lambda: answers.append(clock.wait(event, timeout)))
    thread.start()
    while clock.num_waiting == before:
        time.sleep(0.0005)
    return thread


def test_all_are_clocks() -> None:
    clocks: list[Clock] = [SystemClock(), ManualClock(), FastClock()]
    assert all(clock.now() > 1_600_000_000 for clock in clocks)


def test_the_system_clock_follows_the_machine() -> None:
    assert time.time() <= SystemClock().now() <= time.time()


def test_the_system_clock_waits_for_the_event_or_the_time() -> None:
    event = threading.Event()
    assert SystemClock().wait(event, 0.001) is False
    assert SystemClock().wait(event, -1.0) is False
    event.set()
    assert SystemClock().wait(event, 60.0) is True


def test_a_manual_clock_stands_still_until_it_is_advanced() -> None:
    clock = ManualClock(100.0)
    assert clock.now() == 100.0
    clock.advance(3_600.5)
    assert clock.now() == 3_700.5


def test_a_manual_clock_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="back"):
        ManualClock().advance(-1.0)


def test_advancing_wakes_the_waiters_whose_time_ran_out_and_no_others() -> None:
    clock, event = ManualClock(), threading.Event()
    short: list[bool] = []
    long: list[bool] = []
    first = _waiting_thread(clock, event, 10.0, short)
    second = _waiting_thread(clock, event, 20.0, long)
    clock.advance(10.0)
    first.join(10)
    assert short == [False]
    assert clock.num_waiting == 1
    assert long == []
    clock.advance(10.0)
    second.join(10)
    assert long == [False]


def test_setting_the_event_wakes_a_waiter_without_any_time_passing() -> None:
    clock, event = ManualClock(), threading.Event()
    answers: list[bool] = []
    thread = _waiting_thread(clock, event, 10.0, answers)
    event.set()
    thread.join(10)
    assert answers == [True]


def test_a_wait_of_no_time_returns_at_once() -> None:
    clock, event = ManualClock(), threading.Event()
    assert clock.wait(event, 0.0) is False
    event.set()
    assert clock.wait(event, 0.0) is True


def test_on_a_fast_clock_an_hour_passes_while_a_moment_does() -> None:
    clock = FastClock(speed=100_000.0, start=1_000.0)
    assert clock.now() >= 1_000.0
    assert clock.wait(threading.Event(), 3_600.0) is False
    assert clock.now() >= 4_600.0


def test_a_fast_clock_waits_for_the_event() -> None:
    event = threading.Event()
    clock = FastClock(speed=2.0)
    assert clock.wait(event, 0.0) is False
    event.set()
    assert clock.wait(event, 1e6) is True
    assert clock.wait(event, -1.0) is True


def test_nobody_spins_on_a_fast_clock() -> None:
    clock = FastClock(speed=100_000.0, start=0.0)
    clock.wait(threading.Event(), 1e-6)
    assert clock.now() >= 0.01 * 100_000.0


@pytest.mark.parametrize(
    "how",
    [
        {"speed": 0.0},
        {"speed": -1.0},
        {"speed": float("nan")},
        {"speed": 1e9},
        {"start": float("nan")},
        {"start": -1.0},
    ],
)
def test_what_is_no_speed_or_time_is_refused(how: dict[str, float]) -> None:
    with pytest.raises(LimitError):
        FastClock(**how)
