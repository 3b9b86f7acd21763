"""`antiphon worker`: takes from the queues, drains at the first signal, and gives back at the second."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from antiphon import Job, JobStatus, Workspace
from antiphon.cli.exit_codes import INTERRUPTED
from programs import BELL, ENDLESS

SLOW = """OPENQASM 3.0; include "stdgates.inc"; qubit[20] q; bit[20] c;
for int i in [1:60] { for int k in [0:18] { cx q[k], q[k + 1]; ry(0.1) q[k]; } } c = measure q;"""


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path / "lab", dispatch=False) as ws:
        yield ws


@pytest.fixture
def worker(ws: Workspace, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    program = [sys.executable, "-c", "from antiphon.cli.main import main; main()"]
    command = [*program, "worker", "--home", str(tmp_path / "lab"), "--workers", "1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def told(worker: subprocess.Popen[str]) -> dict[str, object]:
    assert worker.stdout is not None
    found: dict[str, object] = json.loads(worker.stdout.readline())
    return found


def until_running(job: Job) -> None:
    eventually(lambda: job.status is JobStatus.EXECUTING)


def eventually(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not check():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def test_it_says_what_it_serves_and_takes_what_waits(ws: Workspace, worker: subprocess.Popen[str]) -> None:
    found = told(worker)
    assert found["runs_on"] == "worker processes"
    assert found["jobs_at_a_time"] == 1
    assert isinstance(found["targets"], list)
    assert "sim.auto" in found["targets"]
    job = ws.target("sim.auto").submit(BELL, shots=5, execution="process")
    assert job.result(60).counts
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0


def test_the_first_signal_lets_what_runs_end_and_takes_no_more(ws: Workspace, worker: subprocess.Popen[str]) -> None:
    told(worker)
    target = ws.target("sim.auto")
    running = target.submit(SLOW, shots=5, execution="process")
    until_running(running)
    worker.send_signal(signal.SIGINT)
    after = target.submit(BELL, shots=5, execution="process")
    assert worker.wait(100) == 0
    assert running.status is JobStatus.SUCCEEDED
    assert after.status is JobStatus.WAITING


def test_the_second_signal_gives_back_what_runs(ws: Workspace, worker: subprocess.Popen[str]) -> None:
    told(worker)
    job = ws.target("sim.auto").submit(ENDLESS, shots=5)
    until_running(job)
    worker.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(60) == INTERRUPTED
    assert job.status is JobStatus.WAITING
    assert [event["event"] for event in job.events] == ["submitted", "claimed", "lease lost"]
