from __future__ import annotations

import operator
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from antiphon.adapters.executors import apart
from antiphon.adapters.executors.apart import CallsApart
from antiphon.adapters.targets.emu.recorded import recorded
from antiphon.adapters.targets.emu.snapshots import snapshot_named
from antiphon.errors import AntiphonError, LimitError, StoreError


@pytest.fixture
def calls() -> Iterator[CallsApart]:
    calls = CallsApart("compilers", workers=1)
    yield calls
    calls.close()


def test_a_call_is_made_in_another_process(calls: CallsApart) -> None:
    first, again = calls(os.getpid), calls(os.getpid)
    assert first == again != os.getpid()
    assert calls(divmod, 7, 2) == (3, 1)


def test_an_error_of_ours_is_raised_as_it_is(calls: CallsApart) -> None:
    known = recorded("emu.manila").calibrations
    with pytest.raises(AntiphonError) as here:
        snapshot_named("nonsense", known, "emu.manila")
    with pytest.raises(type(here.value)) as found:
        calls(snapshot_named, "nonsense", known, "emu.manila")
    assert found.value.to_dict() == here.value.to_dict()


def test_another_error_is_told_as_a_program_that_cannot_be_compiled(calls: CallsApart) -> None:
    with pytest.raises(LimitError) as found:
        calls(operator.truediv, 1, 0)
    assert found.value.code == "compile-failed"
    assert "ZeroDivisionError" in (found.value.cause or "")


def test_a_call_that_takes_too_long_is_killed_and_the_next_is_made() -> None:
    calls = CallsApart("compilers", workers=1, seconds=0.2)
    try:
        with pytest.raises(LimitError) as found:
            calls(time.sleep, 600.0)
        assert found.value.code == "compile-too-long"
        assert calls(operator.add, 1, 2) == 3
    finally:
        calls.close()


def test_a_call_that_eats_memory_or_crashes_is_told_so(calls: CallsApart) -> None:
    for function, given in ((bytes, 2**36), (os._exit, 3)):
        with pytest.raises(LimitError) as found:
            calls(function, given)
        assert found.value.code == "compile-too-long"


def test_more_calls_than_may_wait_are_refused_at_once_and_closing_ends_those_that_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apart, "MAX_WAITING", 2)
    calls = CallsApart("compilers", workers=1)

    def waits() -> StoreError:
        with pytest.raises(StoreError) as found:
            calls(time.sleep, 600.0)
        return found.value

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(waits) for _ in range(2)]
        while len(calls._pending) < 2:
            time.sleep(0.01)
        with pytest.raises(StoreError) as refused:
            calls(os.getpid)
        calls.close()
        assert {each.result().code for each in waiting} == {"store-closed"}
    assert refused.value.code == "compilers-busy"
    with pytest.raises(StoreError, match="closed"):
        calls(os.getpid)
