"""A long batch gives way after its quantum, to whoever the rules would start in its place, and loses nothing by it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from antiphon import Job, JobStatus, Workspace
from antiphon.client.embedded import EmbeddedConnection
from antiphon.domain.queues import QueuePolicy
from antiphon.engine.context import EngineContext
from programs import BELL

pytestmark = pytest.mark.embedded

Open = Callable[..., Workspace]
SLOW = """OPENQASM 3.0; include "stdgates.inc"; qubit[17] q; bit[17] c;
for int i in [1:40] { for int k in [0:15] { cx q[k], q[k + 1]; ry(0.1) q[k]; } } c = measure q;"""


def connection(ws: Workspace) -> EmbeddedConnection:
    assert isinstance(ws._connection, EmbeddedConnection)
    return ws._connection


def set_policy(ctx: EngineContext, **policy: Any) -> None:
    with ctx.store.write() as tx:
        tx.save_queue_policy(None, QueuePolicy(target="sim.auto", version=1, **policy))


def by_another_user(ws: Workspace, submit: Callable[[], Job]) -> Job:
    connection(ws).who, own = "somebody else", connection(ws).who
    try:
        return submit()
    finally:
        connection(ws).who = own


def eventually(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not check():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def log_of(job: Job) -> list[str]:
    return [event["event"] for event in job.events]


@pytest.mark.parametrize("slots", [1, None], ids=["queued", "pooled"])
def test_a_long_batch_gives_way_to_another_user_s_job(open_workspace: Open, slots: int | None) -> None:
    ws = open_workspace()
    set_policy(connection(ws)._ctx, slots=slots, quantum_s=0.2)
    target = ws.target("sim.auto")
    batch = target.submit_batch([SLOW] * 40, shots=5, seed=7, execution="process")
    eventually(lambda: batch.items[1].status is JobStatus.SUCCEEDED)
    short = by_another_user(ws, lambda: target.submit(BELL, shots=5, execution="process"))
    short.wait(60)
    assert not batch.status.is_final, "the short one waited for the whole batch"
    assert len(batch.result(100).counts) == 40
    record = batch.record
    assert "yielded" in log_of(batch)
    assert record["yields"] == log_of(batch).count("yielded")
    assert record["attempts"] == 1
    # Each program ran once, in order, whatever came between.
    started = [item.started_at or 0.0 for item in batch.items]
    assert started == sorted(started)
    assert connection(ws)._ctx.held == set()


def test_a_batch_does_not_give_way_to_its_own_user(open_workspace: Open) -> None:
    ws = open_workspace()
    set_policy(connection(ws)._ctx, slots=1, quantum_s=0.1)
    target = ws.target("sim.auto")
    batch = target.submit_batch([SLOW] * 10, shots=5, execution="process")
    after = target.submit(BELL, shots=5, execution="process")
    after.wait(100)
    assert batch.status is JobStatus.SUCCEEDED
    assert "yielded" not in log_of(batch)


def test_a_batch_does_not_give_way_to_who_would_not_be_started(open_workspace: Open) -> None:
    ws = open_workspace()
    set_policy(connection(ws)._ctx, slots=1, quantum_s=0.1)
    target = ws.target("sim.auto")
    with target.open_session():
        batch = target.submit_batch([SLOW] * 10, shots=5, execution="process")
        eventually(lambda: batch.status is JobStatus.EXECUTING)
        # Jobs of sessions go first, and so would the rest of this batch.
        beside = open_workspace(dispatch=False)
        other = by_another_user(beside, lambda: beside.target("sim.auto").submit(BELL, shots=5))
        other.wait(100)
        assert batch.status is JobStatus.SUCCEEDED
        assert "yielded" not in log_of(batch)


def test_a_batch_that_gave_way_can_be_cancelled_and_keeps_what_it_did(open_workspace: Open) -> None:
    ws = open_workspace()
    set_policy(connection(ws)._ctx, slots=1, quantum_s=0.1)
    target = ws.target("sim.auto")
    batch = target.submit_batch([SLOW] * 40, shots=5, execution="process")
    eventually(lambda: batch.items[0].status is JobStatus.SUCCEEDED)
    by_another_user(ws, lambda: target.submit(BELL, shots=5, execution="process"))
    eventually(lambda: "yielded" in log_of(batch))
    batch.cancel().wait(60)
    assert batch.status is JobStatus.CANCELLED
    assert batch.items[0].status is JobStatus.SUCCEEDED
    assert all(item.status.is_final for item in batch.items)
