from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.jobs import Job
from antiphon.engine.context import EngineContext
from antiphon.errors import RateLimitedError, StoreError
from antiphon.ports.job_store import JobStore, Transaction
from antiphon.server.events import hub as hub_module
from antiphon.server.events import watches
from antiphon.server.events.hub import EventHub
from stored_facts import add_job, add_session, claim

LONG = 30.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[RunningEngine]:
    engine = build_engine(tmp_path, dispatch=False)
    yield engine
    engine.close()


@pytest.fixture
def ctx(engine: RunningEngine) -> EngineContext:
    return engine.ctx


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[JobStore]:
    """The store as another process has it open: nothing that happens in it is announced here."""
    other = build_engine(tmp_path, dispatch=False)
    yield other.ctx.store
    other.close()


@pytest.fixture(autouse=True)
def _no_look_without_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "LOOK_ANYWAY_S", 600.0)


def run(ctx: EngineContext, body: Callable[[EventHub], Coroutine[Any, Any, None]], **limits: int) -> None:
    async def with_hub() -> None:
        hub = EventHub(ctx, **{"max_watches": 20_000, "max_watches_per_key": 20_000, **limits})
        await hub.start()
        try:
            async with asyncio.timeout(60):
                await body(hub)
        finally:
            await hub.stop()

    asyncio.run(with_hub())


async def in_thread(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return await asyncio.to_thread(function, *args, **kwargs)


def test_what_another_process_stores_is_seen(ctx: EngineContext, elsewhere: JobStore) -> None:
    async def body(hub: EventHub) -> None:
        job, other = add_job(elsewhere), add_job(elsewhere)
        async with hub.watch(job.id, key="a") as watch, hub.watch(other.id, key="a") as quiet:
            while await watch.changed(0.1):
                pass
            while await quiet.changed(0):
                pass
            await in_thread(claim, elsewhere, job)
            assert await watch.changed(LONG)
            assert not await quiet.changed(0.1)

    run(ctx, body)


def test_nothing_falls_between_two_watches_and_their_looks(ctx: EngineContext, elsewhere: JobStore) -> None:
    async def body(hub: EventHub) -> None:
        for number in range(40):
            job = add_job(elsewhere)
            async with hub.watch(job.id, key="a") as watch:
                change = asyncio.ensure_future(in_thread(claim, elsewhere, job))
                await asyncio.sleep(0.001 * (number % 30))
                while (await in_thread(version, ctx, job)) == job.version:
                    assert await watch.changed(LONG)
                await change

    def version(ctx: EngineContext, job: Job) -> int:
        with ctx.store.read() as tx:
            found = tx.job(job.id)
        assert found is not None
        return found.version

    run(ctx, body)


def test_what_this_process_announces_needs_no_look(ctx: EngineContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "LOOK_S", 600.0)

    async def body(hub: EventHub) -> None:
        async with hub.watch("job-1", key="a") as watch, hub.watch("job-2", key="a") as quiet:
            while await watch.changed(0.2):
                pass
            while await quiet.changed(0):
                pass
            threading.Timer(0.02, ctx.announce_end, ("job-1",)).start()
            assert await watch.changed(LONG)
            assert not await quiet.changed(0)

    run(ctx, body)


def test_a_wait_ends_with_its_time(ctx: EngineContext, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(hub: EventHub) -> None:
        async with hub.watch("job-1", key="a") as watch:
            while await watch.changed(0.1):
                pass
            assert not await watch.changed(0)
            assert not await watch.changed(0.02)
            monkeypatch.setattr(watches, "LOOK_ANYWAY_S", 0.02)
            assert await watch.changed(LONG)

    run(ctx, body)


def test_a_workspace_is_told_of_its_own(ctx: EngineContext, elsewhere: JobStore) -> None:
    async def body(hub: EventHub) -> None:
        before = add_job(elsewhere)
        async with hub.watch_workspace("default", key="a") as mine, hub.watch_workspace("other", key="b") as theirs:
            job = await in_thread(add_job, elsewhere)
            foreign = await in_thread(add_job, elsewhere, workspace="other")
            session = await in_thread(add_session, elsewhere)
            assert [await anext(mine), await anext(mine)] == [job.id, session.id]
            assert await anext(theirs) == foreign.id
            await in_thread(claim, elsewhere, before)
            assert await anext(mine) == before.id

    run(ctx, body)


def test_no_change_of_a_workspace_is_missed_while_others_come_and_go(ctx: EngineContext, elsewhere: JobStore) -> None:
    async def body(hub: EventHub) -> None:
        for _ in range(20):
            async with hub.watch("job-1", key="a"):
                await asyncio.sleep(0.003)
                async with hub.watch_workspace("default", key="a") as changes:
                    jobs = [await in_thread(add_job, elsewhere) for _ in range(3)]
                    assert [await anext(changes) for _ in jobs] == [job.id for job in jobs]

    run(ctx, body)


def test_a_reader_that_is_too_slow_is_ended(
    ctx: EngineContext, elsewhere: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "MOST_UNREAD", 3)

    async def body(hub: EventHub) -> None:
        async with hub.watch_workspace("default", key="a") as changes:
            jobs = await in_thread(lambda: [add_job(elsewhere) for _ in range(5)])
            async with hub.watch(jobs[-1].id, key="a") as watch:
                await in_thread(claim, elsewhere, jobs[-1])
                assert await watch.changed(LONG)
            assert [subject async for subject in changes] == [job.id for job in jobs[:3]]

    run(ctx, body)


def test_watches_are_limited_by_caller_and_in_all(ctx: EngineContext) -> None:
    async def body(hub: EventHub) -> None:
        async with AsyncExitStack() as open_ones:
            for _ in range(2):
                await open_ones.enter_async_context(hub.watch("job-1", key="a"))
            with pytest.raises(RateLimitedError) as caught:
                await open_ones.enter_async_context(hub.watch("job-1", key="a"))
            assert caught.value.code == "streams-exceeded"
            assert caught.value.details["limit"] == 2
            assert caught.value.details["retry_after_s"] > 0
            with pytest.raises(RateLimitedError):
                await open_ones.enter_async_context(hub.watch_workspace("default", key="a"))
            await open_ones.enter_async_context(hub.watch_workspace("default", key="b"))
            with pytest.raises(RateLimitedError) as caught:
                await open_ones.enter_async_context(hub.watch("job-1", key="c"))
            assert caught.value.details["limit"] == 3
            assert hub.watches == 3
        assert hub.watches == 0
        async with hub.watch("job-1", key="a"), hub.watch("job-2", key="a"):
            assert hub.watches == 2

    run(ctx, body, max_watches=3, max_watches_per_key=2)


def test_stopping_wakes_and_ends_every_watch(ctx: EngineContext) -> None:
    async def body(hub: EventHub) -> None:
        async with hub.watch("job-1", key="a") as watch, hub.watch_workspace("default", key="a") as changes:
            while await watch.changed(0.1):
                pass
            waiting = asyncio.ensure_future(watch.changed(LONG))
            reading = asyncio.ensure_future(anext(changes, None))
            await asyncio.sleep(0.02)
            await hub.stop()
            assert await waiting
            assert watch.ended
            assert await reading is None
            assert await watch.changed(LONG)
        async with hub.watch("job-1", key="a") as late, hub.watch_workspace("default", key="a") as nothing:
            assert late.ended
            assert await late.changed(LONG)
            assert [subject async for subject in nothing] == []
        assert not hub.following
        assert ctx.on_change == []
        ctx.announce_end("job-1")

    run(ctx, body)


class _Counted:
    """A store that counts how often it is read, and fails as long as it is told to."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self.reads = 0
        self.broken = False

    def read(self) -> AbstractContextManager[Transaction]:
        self.reads += 1
        if self.broken:
            raise StoreError("The store does not answer.", code="store-unreachable")
        return self._store.read()


def test_nothing_is_read_while_nobody_watches(ctx: EngineContext) -> None:
    counted = _Counted(ctx.store)
    ctx.store, store = counted, ctx.store  # type: ignore[assignment]

    async def body(hub: EventHub) -> None:
        assert counted.reads == 0
        async with hub.watch("job-1", key="a"):
            while counted.reads < 3:
                await asyncio.sleep(0.01)
        while hub.following:
            await asyncio.sleep(0.01)
        reads = counted.reads
        ctx.announce_end("job-1")
        await asyncio.sleep(0.2)
        assert counted.reads == reads

    run(ctx, body)
    ctx.store = store


def test_a_store_that_fails_for_a_while_loses_no_change(
    ctx: EngineContext, elsewhere: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "AFTER_FAILURE_S", 0.02)
    counted = _Counted(ctx.store)
    ctx.store, store = counted, ctx.store  # type: ignore[assignment]

    async def body(hub: EventHub) -> None:
        job = add_job(elsewhere)
        async with hub.watch(job.id, key="a") as watch:
            while await watch.changed(0.1):
                pass
            counted.broken = True
            reads = counted.reads
            await in_thread(claim, elsewhere, job)
            while counted.reads < reads + 3:
                await asyncio.sleep(0.01)
            assert not await watch.changed(0)
            counted.broken = False
            assert await watch.changed(LONG)

    run(ctx, body)
    ctx.store = store


def test_of_ten_thousand_watches_only_the_one_that_is_meant_wakes(ctx: EngineContext, elsewhere: JobStore) -> None:
    async def body(hub: EventHub) -> None:
        job = add_job(elsewhere)
        async with AsyncExitStack() as open_ones:
            quiet = [await open_ones.enter_async_context(hub.watch(f"job-{n}", key=f"k{n}")) for n in range(9_999)]
            watch = await open_ones.enter_async_context(hub.watch(job.id, key="a"))
            while await watch.changed(0.1):
                pass
            for one in quiet:
                await one.changed(0)
            await in_thread(claim, elsewhere, job)
            assert await watch.changed(LONG)
            assert not any([await one.changed(0) for one in quiet])

    run(ctx, body)
