"""Moments at which a job could be lost, doubled or stuck: each was found by reading the engine line by line."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon import JobStatus, Workspace
from antiphon.adapters.clocks import ManualClock
from antiphon.client.embedded import EmbeddedConnection
from antiphon.engine import dispatch, execute, submit
from antiphon.engine.batch import BatchRun
from antiphon.engine.claim import claim
from antiphon.engine.context import EngineContext, EngineSettings
from antiphon.engine.leases import put_back_orphans, release
from antiphon.engine.resolve import resolve_work
from antiphon.errors import SessionEndedError, StoreError, WaitTimeoutError
from programs import BELL, ENDLESS

pytestmark = pytest.mark.embedded

Open = Callable[..., Workspace]


def context(ws: Workspace) -> EngineContext:
    connection = ws._connection
    assert isinstance(connection, EmbeddedConnection)
    return connection._ctx


def eventually(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline, "it did not come about within 20 s"
        time.sleep(0.01)


def run_child(home: Path, body: str) -> subprocess.CompletedProcess[str]:
    script = f"from antiphon import Workspace\nBELL = {BELL!r}\nENDLESS = {ENDLESS!r}\n" + textwrap.dedent(body)
    return subprocess.run([sys.executable, "-c", script, str(home)], capture_output=True, text=True, timeout=100)


def failing_once(real: Callable[..., Any], error: BaseException) -> Callable[..., Any]:
    calls: list[object] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            raise error
        return real(*args, **kwargs)

    return call


# --- claimed, and never started or never ended


def test_a_job_that_cannot_be_read_for_the_moment_is_tried_again(
    open_workspace: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = StoreError("The store is busy.", code="store-busy")
    monkeypatch.setattr(execute, "resolve_work", failing_once(resolve_work, busy))
    job = open_workspace().target("sim.auto").submit(BELL, shots=5, execution="process")
    assert sum(job.result(60).counts.values()) == 5
    assert [event["event"] for event in job.events] == ["submitted", "claimed", "lease lost", "claimed", "succeeded"]


def test_a_batch_that_cannot_be_started_does_not_block_its_engine(
    open_workspace: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = StoreError("The store is busy.", code="store-busy")
    monkeypatch.setattr(BatchRun, "__init__", failing_once(BatchRun.__init__, broken))
    target = open_workspace().target("sim.auto")
    batch = target.submit_batch([BELL, BELL], shots=5, execution="process")
    after = target.submit(BELL, shots=5, execution="process")
    assert after.result(60).counts
    assert len(batch.result(60).counts) == 2


def test_an_exception_between_two_items_of_a_batch_fails_the_batch_alone(
    open_workspace: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BatchRun, "_take", failing_once(BatchRun._take, RuntimeError("a fault of ours")))
    target = open_workspace().target("sim.auto")
    batch = target.submit_batch([BELL, BELL], shots=5, execution="process").wait(60)
    assert batch.status is JobStatus.FAILED
    assert batch.error is not None
    assert "a fault of ours" in batch.error["cause"]
    assert target.submit(BELL, shots=5, execution="process").result(60).counts


@pytest.mark.parametrize("kind", ["sample", "batch"])
def test_ctrl_c_in_an_inline_job_leaves_it_to_the_queue(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    driver = context(ws).drivers["sim.auto"]
    monkeypatch.setattr(type(driver), "execute", failing_once(type(driver).execute, KeyboardInterrupt()))
    target = ws.target("sim.auto")
    with pytest.raises(KeyboardInterrupt):
        if kind == "batch":
            target.submit_batch([BELL, BELL], shots=5, execution="inline")
        else:
            target.submit(BELL, shots=5, execution="inline")
    (job,) = ws.jobs()
    assert job.wait(60).status is JobStatus.SUCCEEDED


def test_what_fails_each_time_it_ends_fails_at_last(open_workspace: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise TypeError("the end cannot be written down")

    monkeypatch.setattr(execute, "record", broken)
    monkeypatch.setattr(dispatch, "RECOVER_EVERY_S", 0.05)
    ws = open_workspace(settings=EngineSettings(max_attempts=2))
    job = ws.target("sim.auto").submit(BELL, shots=5, execution="process").wait(60)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error["code"] == "engine-lost"


def test_one_duty_that_fails_does_not_stop_the_others(open_workspace: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(ctx: object) -> None:
        raise RuntimeError("one bad session")

    monkeypatch.setattr(dispatch, "check_due_sessions", broken)
    job = open_workspace().target("sim.auto").submit(BELL, shots=5, execution="process")
    assert job.result(60).counts


# --- an engine that nobody sees die


def test_a_job_submitted_without_a_loop_survives_its_process(tmp_path: Path) -> None:
    body = """
        import os, sys
        from antiphon.engine import execute
        def die(*args, **kwargs):
            os.kill(os.getpid(), 9)
        execute.record = die
        Workspace(sys.argv[1], workers=1, dispatch=False).target("sim.auto").submit(BELL, shots=5, execution="inline")
    """
    assert run_child(tmp_path, body).returncode == -signal.SIGKILL
    with Workspace(tmp_path, workers=1) as ws:
        (job,) = ws.jobs()
        assert job.result(60).counts


def test_a_submit_that_meets_the_end_of_its_engine_is_refused(
    open_workspace: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = open_workspace()
    ctx = context(ws)
    real = submit._store

    def late(*args: Any, **options: Any) -> Any:
        # Another thread closes the workspace at this very moment.
        ctx.closing.set()
        release(ctx)
        return real(*args, **options)

    monkeypatch.setattr(submit, "_store", late)
    with pytest.raises(StoreError) as caught:
        ws.target("sim.auto").submit(BELL, shots=5, execution="inline")
    assert caught.value.code == "store-closed"
    assert open_workspace(dispatch=False).jobs() == []


def test_closing_while_threads_submit_loses_nothing(tmp_path: Path) -> None:
    codes: list[str] = []
    for _ in range(3):
        ws = Workspace(tmp_path, workers=1)
        target = ws.target("sim.auto")
        target.submit(BELL, shots=5)

        def submit_on(target: Any = target) -> None:
            try:
                while True:
                    target.submit(BELL, shots=5)
            except StoreError as error:
                codes.append(error.code)

        threads = [threading.Thread(target=submit_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        ws.close()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
    assert codes == ["store-closed"] * 9
    with Workspace(tmp_path, workers=1) as last:
        for job in last.jobs(limit=10_000):
            assert job.wait(60).status is JobStatus.SUCCEEDED


def test_a_forked_child_neither_uses_nor_ends_its_parents_engine(tmp_path: Path) -> None:
    body = """
        import os, sys, time
        ws = Workspace(sys.argv[1], workers=1)
        target = ws.target("sim.auto")
        job = target.submit(ENDLESS, shots=1, max_seconds=4)
        while job.status.value != "Executing":
            time.sleep(0.01)
        child = os.fork()
        if child == 0:
            for use in (lambda: target.submit(BELL), lambda: job.status, lambda: ws.jobs(), lambda: job.cancel()):
                try:
                    use()
                except Exception as error:
                    print(error.code, flush=True)
            sys.exit(0)
        os.waitpid(child, 0)
        print(job.status.value, job.facts.attempts, flush=True)
        job.wait(60)
        print(job.error["code"], flush=True)
        ws.close()
    """
    done = run_child(tmp_path, body)
    assert done.stdout.split("\n")[:6] == [*["store-closed"] * 4, "Executing 1", "worker-timeout"], done.stderr


# --- cancelling


def test_the_items_of_a_cancelled_batch_are_cancelled(open_workspace: Open) -> None:
    waiting = open_workspace(dispatch=False).target("sim.auto").submit_batch([BELL] * 3, shots=5, execution="process")
    waiting.cancel()
    assert [item.status for item in waiting.items] == [JobStatus.CANCELLED] * 3
    running = open_workspace().target("sim.auto").submit_batch([BELL, ENDLESS, BELL], shots=5)
    eventually(lambda: running.items[1].status is JobStatus.EXECUTING)
    running.cancel().wait(60)
    assert running.status is JobStatus.CANCELLED
    assert not [item for item in running.items if not item.status.is_final]


def test_cancelled_between_claim_and_start(open_workspace: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = open_workspace()

    def cancelled_first(ctx: EngineContext, *args: Any) -> Any:
        with_id = ws.jobs()[0]
        threading.Thread(target=with_id.cancel).start()
        eventually(lambda: with_id.status is JobStatus.CANCELLATION_REQUESTED)
        return resolve_work(ctx, *args)

    monkeypatch.setattr(execute, "resolve_work", cancelled_first)
    job = ws.target("sim.auto").submit(ENDLESS, shots=1).wait(60)
    assert job.status is JobStatus.CANCELLED


def test_a_cancelled_job_of_a_dead_engine_says_why_it_has_no_result(open_workspace: Open) -> None:
    ws = open_workspace(dispatch=False)
    job = ws.target("sim.auto").submit(ENDLESS, shots=1)
    claim(context(ws), 1)
    job.cancel()
    context(ws).held.clear()
    put_back_orphans(context(ws))
    assert job.status is JobStatus.CANCELLED
    assert job.error is not None
    assert job.error["code"] == "job-cancelled"


# --- what is stored, and what is kept in mind


def test_the_record_is_whole_although_the_first_submit_was_refused(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    session = target.open_session()
    ws.session(session.id).close()
    with pytest.raises(SessionEndedError):
        target.submit(BELL, shots=5)
    session.close()
    assert target.submit(BELL, shots=5).record["provenance"]["environment"]["antiphon"]


def test_waiting_leaves_nothing_behind(open_workspace: Open) -> None:
    ws = open_workspace(dispatch=False)
    job = ws.target("sim.auto").submit(BELL, shots=5, execution="process")
    for _ in range(3):
        with pytest.raises(WaitTimeoutError) as caught:
            job.wait(0.01)
    assert "no engine is running" in caught.value.cause
    assert not context(ws)._waiters


def test_an_ended_job_leaves_nothing_held(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    for execution in ("inline", "process"):
        target.submit(BELL, shots=5, execution=execution).wait(60)
        target.submit_batch([BELL], shots=5, execution=execution).wait(60)
    eventually(lambda: not context(ws).held)


# --- sessions whose time was up while no engine was there


def test_a_session_is_not_taken_up_again_after_its_idle_limit(open_workspace: Open) -> None:
    clock = ManualClock()
    ws = open_workspace(dispatch=False, clock=clock)
    target = ws.target("sim.auto")
    first = target.open_session(key="run", idle_limit=60)
    clock.advance(61)
    with pytest.raises(SessionEndedError, match="idle limit"):
        target.submit(BELL, shots=5)
    second = target.open_session(key="run", idle_limit=60)
    assert second.id != first.id
    assert first.status.is_final
    assert target.submit(BELL, shots=5).result(60).counts
