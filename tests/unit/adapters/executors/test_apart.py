from __future__ import annotations

import operator
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime

import pytest

from antiphon.adapters.executors.apart import CallsApart
from antiphon.adapters.executors.places import Places
from antiphon.adapters.targets.emu.recorded import recorded
from antiphon.adapters.targets.emu.snapshots import snapshot_named
from antiphon.errors import AntiphonError, LimitError, StoreError
from antiphon.ports.on_behalf import on_behalf_of


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


def test_closing_ends_calls_that_wait() -> None:
    calls = CallsApart("compilers", workers=1)

    def waits() -> str | None:
        with pytest.raises(StoreError) as found:
            calls(time.sleep, 600.0)
        return found.value.code

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(waits) for _ in range(2)]
        while not calls.calls.num_asked:
            time.sleep(0.01)
        calls.close()
        assert {each.result() for each in waiting} == {"store-closed"}
    with pytest.raises(StoreError, match="closed"):
        calls(os.getpid)


def test_one_workspace_leaves_room_for_others_and_its_batches_wait_with_patience() -> None:
    calls = CallsApart("compilers", workers=1, places=Places(3, 2))

    def asks(workspace: str, *, patient: bool = False) -> object:
        with on_behalf_of(workspace, patient=patient):
            return calls(time.sleep, 600.0)

    with ThreadPoolExecutor(4) as pool:
        greedy = [pool.submit(asks, "greedy") for _ in range(2)]
        while calls.calls._places._taken["greedy"] < 2:
            time.sleep(0.01)
        with pytest.raises(StoreError) as refused:
            asks("greedy")
        assert refused.value.code == "compilers-busy"
        modest, batch = pool.submit(asks, "modest"), pool.submit(asks, "greedy", patient=True)
        with pytest.raises(NotInTime):
            modest.result(0.2)
        with pytest.raises(StoreError):
            asks("third")
        calls.close()
        for each in (*greedy, modest, batch):
            assert getattr(each.exception(), "code", None) == "store-closed"


def test_nothing_is_done_for_who_gives_up() -> None:
    calls = CallsApart("compilers", workers=1)

    def asks(gives_up: Future[None]) -> object:
        with on_behalf_of("w", patient=True, gives_up=gives_up):
            return calls(time.sleep, 600.0)

    runs, waits = Future[None](), Future[None]()
    try:
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(asks, runs)
            while not calls.calls.num_asked:
                time.sleep(0.005)
            second = pool.submit(asks, waits)
            while not calls.calls._turns._waiting:
                time.sleep(0.005)
            waits.set_result(None)
            assert isinstance(second.exception(20), StoreError)
            assert not first.done()
            runs.set_result(None)
            assert getattr(first.exception(20), "code", None) == "task-cancelled"
        assert calls(operator.add, 1, 2) == 3
    finally:
        calls.close()
