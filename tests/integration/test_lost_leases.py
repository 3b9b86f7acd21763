"""Leases that seem lost, and leases that are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from antiphon import JobStatus, Workspace
from antiphon.adapters.clocks import SystemClock
from antiphon.client.embedded import EmbeddedConnection
from antiphon.engine import execute
from antiphon.engine.batch import BatchRun
from antiphon.engine.claim import claim
from antiphon.engine.context import EngineContext, EngineSettings
from antiphon.engine.leases import put_back_orphans, recover, release
from antiphon.engine.planning import plan_work
from antiphon.engine.record import record
from antiphon.engine.resolve import resolve_work
from antiphon.errors import ExecutionError
from antiphon.ports.executor import Report
from programs import BELL, ENDLESS

pytestmark = pytest.mark.embedded

Open = Callable[..., Workspace]


class ShiftedClock(SystemClock):
    """The time of this machine, put forward or back."""

    shift = 0.0

    def now(self) -> float:
        return super().now() + self.shift


def context(ws: Workspace) -> EngineContext:
    connection = ws._connection
    assert isinstance(connection, EmbeddedConnection)
    return connection._ctx


def eventually(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline, "it did not come about within 20 s"
        time.sleep(0.01)


def test_an_engine_whose_clock_differs_is_not_dead(open_workspace: Open) -> None:
    first = open_workspace(settings=EngineSettings(heartbeat_seconds=0.05))
    job = first.target("sim.auto").submit(ENDLESS, shots=1)
    eventually(lambda: job.status is JobStatus.EXECUTING)
    ahead = ShiftedClock()
    ahead.shift = 3_600.0
    second = open_workspace(dispatch=False, clock=ahead, settings=EngineSettings(heartbeat_seconds=0.2))
    for _ in range(4):
        assert recover(context(second)) == []
        time.sleep(0.25)
    assert job.facts.attempts == 1
    job.cancel().wait(60)


def test_the_heart_beats_on_when_the_clock_is_set_back(open_workspace: Open) -> None:
    clock = ShiftedClock()
    ws = open_workspace(clock=clock, settings=EngineSettings(heartbeat_seconds=0.05))

    def heartbeat() -> float:
        with context(ws).store.read() as tx:
            return next(engine.heartbeat_at for engine in tx.engines())

    before = heartbeat()
    clock.shift = -3_600.0
    eventually(lambda: heartbeat() < before - 3_000)


def test_the_heart_beats_while_a_long_program_is_read(open_workspace: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def slowly(*args: Any) -> Any:
        reading.set()
        assert go_on.wait(20)
        return resolve_work(*args)

    monkeypatch.setattr(execute, "resolve_work", slowly)
    ws = open_workspace(settings=EngineSettings(heartbeat_seconds=0.05))
    job = ws.target("sim.auto").submit(BELL, shots=5, execution="process")
    assert reading.wait(20)
    with context(ws).store.read() as tx:
        before = tx.engines()[0].heartbeat_at
    time.sleep(0.5)
    with context(ws).store.read() as tx:
        assert tx.engines()[0].heartbeat_at > before
    go_on.set()
    assert job.result(60)


def test_a_late_failure_of_a_lost_lease_is_dropped_although_the_job_waits_under_the_same_fence(
    open_workspace: Open,
) -> None:
    ctx = context(open_workspace(dispatch=False))
    ws = open_workspace(dispatch=False)
    job = ws.target("sim.auto").submit(BELL, shots=5, execution="process")
    (claimed,) = claim(ctx, 1)
    ctx.held.clear()
    put_back_orphans(ctx)
    record(ctx, claimed, Report(None, ExecutionError("It came too late."), 1.0))
    assert job.status is JobStatus.WAITING


def test_an_engine_that_takes_its_lost_job_again_runs_it_again(open_workspace: Open) -> None:
    # A laptop slept, another engine put the job back and went; the first attempt still runs here.
    ws = open_workspace(dispatch=False)
    ctx = context(ws)
    job = ws.target("sim.auto").submit(ENDLESS, shots=1)
    (first,) = claim(ctx, 1)
    execute.start_claimed(ctx, first, lambda: None)
    ctx.held.clear()
    put_back_orphans(ctx)
    ended = threading.Event()
    (second,) = claim(ctx, 1)
    execute.start_claimed(ctx, second, ended.set)
    assert job.status is JobStatus.EXECUTING
    ctx.executors["process"].cancel(f"{job.id}/1")
    time.sleep(0.3)
    assert job.status is JobStatus.EXECUTING
    job.cancel()
    assert ended.wait(20)
    assert job.facts.status is JobStatus.CANCELLED


def test_what_runs_under_a_lost_lease_is_stopped(open_workspace: Open) -> None:
    ws = open_workspace()
    ctx = context(ws)
    job = ws.target("sim.auto").submit(ENDLESS, shots=1)
    eventually(lambda: job.status is JobStatus.EXECUTING and bool(ctx.executors["process"]._pool._runs))  # type: ignore[attr-defined]
    other = context(open_workspace(dispatch=False))
    # The other engine takes the job over, as it would of one that slept, and keeps it.
    other_id, other.engine_id = other.engine_id, ctx.engine_id
    held, other.held = other.held, set()
    put_back_orphans(other)
    other.engine_id, other.held = other_id, held
    taken = claim(other, 1)
    eventually(lambda: not any(task.endswith("/1") for task in ctx.executors["process"]._pool._runs))  # type: ignore[attr-defined]
    assert job.facts.attempts >= 2
    assert [each.id for each in taken] in ([], [job.id])
    release(other)
    job.cancel().wait(60)


def test_a_batch_whose_lease_is_lost_writes_nothing_more(open_workspace: Open) -> None:
    ws = open_workspace(dispatch=False)
    ctx = context(ws)
    job = ws.target("sim.auto").submit_batch([BELL, BELL], shots=5, execution="process")
    (first,) = claim(ctx, 1)
    with ctx.store.read() as tx:
        work = resolve_work(ctx, tx, first.spec)
    plan = plan_work(ctx.drivers["sim.auto"], work)
    reports: list[Report] = []
    old = BatchRun(ctx, first, work, plan, ctx.executors["inline"], reports.append)
    ctx.held.clear()
    put_back_orphans(ctx)
    claim(ctx, 1)
    old.start()
    assert [item.status for item in job.items] == [JobStatus.WAITING] * 2
    assert reports[0].error is not None
