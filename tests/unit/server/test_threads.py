from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from antiphon.server.threads import RequestThreads

PATIENCE_S = 20.0


@pytest.fixture(params=[False, True], ids=["patient", "eager"])
def threads(request: pytest.FixtureRequest) -> Iterator[RequestThreads]:
    pool = RequestThreads(3, eager=request.param)
    yield pool
    pool.shutdown()


class _Odd(BaseException):
    pass


def _raise(error: BaseException) -> None:
    raise error


def test_a_call_is_run_in_another_thread_with_its_arguments(threads: RequestThreads) -> None:
    def act(first: int, *, second: int) -> tuple[int, int]:
        return first + second, threading.get_ident()

    total, where = asyncio.run(threads.call(act, 1, second=2))
    assert total == 3
    assert where != threading.get_ident()


def test_a_call_sees_the_context_of_its_own_task(threads: RequestThreads) -> None:
    name: contextvars.ContextVar[int] = contextvars.ContextVar("name")

    async def one(number: int) -> int:
        name.set(number)
        return await threads.call(name.get)

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(one(number) for number in range(50)))

    assert asyncio.run(all_of_them()) == list(range(50))


@pytest.mark.parametrize("kind", [ValueError, _Odd])
def test_what_a_call_raises_is_raised_where_it_was_called(threads: RequestThreads, kind: type[BaseException]) -> None:
    with pytest.raises(kind, match="so it is"):
        asyncio.run(threads.call(_raise, kind("so it is")))
    assert asyncio.run(threads.call(int, "1")) == 1


def test_a_call_that_stops_an_iteration_does_not_hang(threads: RequestThreads) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(threads.call(_raise, StopIteration()))


def test_calls_that_arrive_together_are_done_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    # However slow the machine is, none of these counts as long.
    monkeypatch.setattr("antiphon.server.threads.STUCK_S", PATIENCE_S)
    threads, order = RequestThreads(3), []
    alone = threading.Lock()

    def act(number: int) -> bool:
        order.append(number)
        had_it = alone.acquire(blocking=False)
        time.sleep(0.0005)
        if had_it:
            alone.release()
        return had_it

    async def run() -> list[bool]:
        return await asyncio.gather(*(threads.call(act, number) for number in range(100)))

    assert all(asyncio.run(run()))
    assert order == list(range(100))
    threads.shutdown()


def test_a_long_call_keeps_neither_later_calls_nor_earlier_answers_waiting(threads: RequestThreads) -> None:
    release = threading.Event()

    async def run() -> None:
        async with asyncio.timeout(PATIENCE_S):
            before = asyncio.ensure_future(threads.call(int, "1"))
            long = asyncio.ensure_future(threads.call(release.wait))
            after = [asyncio.ensure_future(threads.call(int, "2")) for _ in range(20)]
            assert await before == 1
            assert await asyncio.gather(*after) == [2] * 20
            assert not long.done()
            release.set()
            assert await long

    asyncio.run(run())


def test_long_calls_run_at_once_in_no_more_threads_than_allowed(threads: RequestThreads) -> None:
    three, fourth = threading.Barrier(4), threading.Event()

    def act() -> None:
        three.wait(PATIENCE_S)

    async def run() -> None:
        async with asyncio.timeout(PATIENCE_S):
            calls = [asyncio.ensure_future(threads.call(act)) for _ in range(3)]
            while three.n_waiting < 3:
                await asyncio.sleep(0.001)
            late = asyncio.ensure_future(threads.call(fourth.set))
            await asyncio.sleep(0.05)
            assert not fourth.is_set()
            await asyncio.gather(asyncio.to_thread(three.wait, PATIENCE_S), late, *calls)

    asyncio.run(run())
    assert fourth.is_set()


def test_who_no_longer_waits_disturbs_nobody(threads: RequestThreads) -> None:
    release = threading.Event()

    async def run() -> int:
        async with asyncio.timeout(PATIENCE_S):
            gone = asyncio.ensure_future(threads.call(release.wait))
            stays = asyncio.ensure_future(threads.call(int, "1"))
            await asyncio.sleep(0)
            gone.cancel()
            release.set()
            return await stays

    assert asyncio.run(run()) == 1


def test_a_loop_that_was_closed_meanwhile_is_no_error_of_the_thread(threads: RequestThreads) -> None:
    begun, release = threading.Event(), threading.Event()

    def act() -> None:
        begun.set()
        release.wait(PATIENCE_S)

    async def leave(call: Callable[[], None]) -> None:
        task = asyncio.ensure_future(threads.call(call))
        assert await asyncio.to_thread(begun.wait, PATIENCE_S)
        task.cancel()

    asyncio.run(leave(act))
    release.set()
    assert asyncio.run(threads.call(int, "1")) == 1


def test_a_thread_that_was_added_for_a_long_call_goes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    threads, alone = RequestThreads(3), threading.Lock()

    def act() -> bool:
        had_it = alone.acquire(blocking=False)
        time.sleep(0.0005)
        if had_it:
            alone.release()
        return had_it

    async def run() -> list[bool]:
        async with asyncio.timeout(PATIENCE_S):
            both = threading.Barrier(3)
            long = [asyncio.ensure_future(threads.call(both.wait, PATIENCE_S)) for _ in range(2)]
            while both.n_waiting < 2:
                await asyncio.sleep(0.001)
            # From here on, however slow the machine is, no other thread is added.
            monkeypatch.setattr("antiphon.server.threads.STUCK_S", PATIENCE_S)
            calls = [asyncio.ensure_future(threads.call(act)) for _ in range(200)]
            await asyncio.gather(asyncio.to_thread(both.wait, PATIENCE_S), *long)
            return await asyncio.gather(*calls)

    assert all(asyncio.run(run())[-100:])
    threads.shutdown()
