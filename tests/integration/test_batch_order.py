"""A batch whose next program is at the worker already: in order, truthful, and none the worse for a killed worker."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable

import pytest

from antiphon import JobStatus, Workspace
from antiphon.adapters.executors.processes import ProcessExecutor
from antiphon.client.embedded import EmbeddedConnection
from programs import BELL

pytestmark = pytest.mark.embedded

# Long enough by its plan to be handed over alone.
SLOW = """OPENQASM 3.0; include "stdgates.inc"; qubit[20] q; bit[20] c;
for int i in [1:20] { for int k in [0:18] { cx q[k], q[k + 1]; ry(0.1) q[k]; } } c = measure q;"""


def eventually(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not check():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def test_only_the_program_that_runs_is_executing(open_workspace: Callable[..., Workspace]) -> None:
    batch = open_workspace().target("sim.auto").submit_batch([SLOW] * 8, shots=5, execution="process")
    while not batch.status.is_final:
        executing = [item.index for item in batch.items if item.status is JobStatus.EXECUTING]
        assert len(executing) <= 1
    items = batch.items
    assert [item.status for item in items] == [JobStatus.SUCCEEDED] * 8
    for before, after in itertools.pairwise(items):
        assert before.ended_at is not None
        assert after.started_at is not None
        assert after.started_at >= before.ended_at


def test_a_killed_worker_costs_a_batch_nothing(open_workspace: Callable[..., Workspace]) -> None:
    ws = open_workspace()
    assert isinstance(ws._connection, EmbeddedConnection)
    executor = ws._connection._ctx.executors["process"]
    assert isinstance(executor, ProcessExecutor)
    batch = ws.target("sim.auto").submit_batch([SLOW] * 10 + [BELL], shots=5, seed=3, execution="process")
    eventually(lambda: batch.items[2].status is JobStatus.SUCCEEDED)
    (worker,) = [slot.worker for slot in executor._pool._slots if slot.worker is not None]
    os.kill(worker.pid, signal.SIGKILL)
    assert len(batch.result(100).counts) == 11
    assert batch.record["attempts"] == 1
    assert [item.status for item in batch.items] == [JobStatus.SUCCEEDED] * 11
