from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon import JobStatus, Workspace
from antiphon.adapters.clocks import ManualClock
from antiphon.engine.context import EngineSettings
from programs import BELL, ENDLESS

pytestmark = pytest.mark.embedded


def child(home: Path, body: str) -> subprocess.Popen[str]:
    """A process that opens the folder and runs `body`; it prints what the test waits for. Use it in a `with`."""
    script = f"from antiphon import Workspace\nBELL = {BELL!r}\nENDLESS = {ENDLESS!r}\n" + textwrap.dedent(body)
    return subprocess.Popen(
        [sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )


def test_jobs_of_a_killed_process_are_finished_by_the_next(tmp_path: Path) -> None:
    body = """
        import sys, time
        ws = Workspace(sys.argv[1], workers=1)
        target = ws.target("sim.auto")
        jobs = [target.submit(BELL, shots=100, seed=1, execution="process", key=f"k{i}") for i in range(30)]
        print("submitted", flush=True)
        time.sleep(600)
    """
    with child(tmp_path, body) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "submitted\n"
        process.send_signal(signal.SIGKILL)
    with Workspace(tmp_path, workers=1) as ws:
        jobs = ws.jobs(limit=1000)
        assert len(jobs) == 30
        counts = [job.result(60).counts for job in jobs]
        assert all(each == counts[0] for each in counts)
        assert {job.status for job in jobs} == {JobStatus.SUCCEEDED}


def test_a_job_that_ran_when_its_engine_was_killed_runs_again_once(tmp_path: Path) -> None:
    body = """
        import sys, time
        ws = Workspace(sys.argv[1], workers=1)
        job = ws.target("sim.auto").submit(ENDLESS, shots=1, max_seconds=500)
        while job.status.value != "Executing":
            time.sleep(0.01)
        print(job.id, flush=True)
        time.sleep(600)
    """
    with child(tmp_path, body) as process:
        assert process.stdout is not None
        job_id = process.stdout.readline().strip()
        process.send_signal(signal.SIGKILL)
    with Workspace(tmp_path, workers=1) as ws:
        job = ws.job(job_id)
        deadline = time.monotonic() + 30
        while job.facts.attempts < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        job.cancel().wait(30)
        names = [event["event"] for event in job.events]
        assert names[:4] == ["submitted", "claimed", "lease lost", "claimed"]
        assert job.status is JobStatus.CANCELLED


def test_a_job_that_kills_every_engine_fails_at_last(tmp_path: Path) -> None:
    body = """
        import os, sys
        from antiphon.engine import execute
        ws = Workspace(sys.argv[1], workers=1, dispatch=True)
        def die(*args, **kwargs):
            os.kill(os.getpid(), 9)
        import antiphon.engine.dispatch as dispatch
        dispatch.start_claimed = die
        ws.target("sim.auto").submit(BELL, shots=1, execution="process", key="killer")
        import time
        time.sleep(600)
    """
    for _ in range(3):
        with child(tmp_path, body) as process:
            assert process.wait(60) == -signal.SIGKILL
    with Workspace(tmp_path, workers=1, settings=EngineSettings(max_attempts=3)) as ws:
        (job,) = ws.jobs()
        assert job.wait(30).status is JobStatus.FAILED
        assert job.error is not None
        assert job.error["code"] == "engine-lost"


def test_closing_gives_running_jobs_back(open_workspace: Callable[..., Workspace]) -> None:
    first = open_workspace()
    job = first.target("sim.auto").submit(ENDLESS, shots=1)
    while job.status is JobStatus.WAITING:
        time.sleep(0.01)
    first.close()
    second = open_workspace(dispatch=False)
    again = second.job(job.id)
    assert again.status is JobStatus.WAITING
    assert again.events[-1]["event"] == "lease lost"
    assert again.events[-1]["why"] == "its engine shut down"


def test_a_late_result_of_a_lost_lease_is_refused(tmp_path: Path) -> None:
    slow_clock = ManualClock()
    slow = Workspace(tmp_path, clock=slow_clock, workers=1)
    try:
        job = slow.target("sim.auto").submit(ENDLESS, shots=1)
        while job.status is JobStatus.WAITING:
            slow_clock.advance(0.3)
            time.sleep(0.01)
        # To the other engine this one's heart stopped long ago, although its process lives.
        ahead = ManualClock(slow_clock.now() + 3600)
        with Workspace(tmp_path, clock=ahead, workers=1) as quick:
            taken = quick.job(job.id)
            deadline = time.monotonic() + 30
            while taken.facts.attempts < 2:
                assert time.monotonic() < deadline
                ahead.advance(3)
                time.sleep(0.01)
            fence = taken.facts.fence
            taken.cancel()
            while not taken.status.is_final:
                ahead.advance(0.3)
                time.sleep(0.01)
            assert taken.facts.fence == fence
    finally:
        slow.close()
    with Workspace(tmp_path, workers=1, dispatch=False) as look:
        final = look.job(job.id)
        assert final.status is JobStatus.CANCELLED
        assert sum(event["status"] == "Cancelled" for event in final.events) == 1


def test_two_processes_on_one_folder_share_the_work_and_run_each_job_once(tmp_path: Path) -> None:
    body = """
        import sys
        ws = Workspace(sys.argv[1], workers=1)
        target = ws.target("sim.auto")
        jobs = [target.submit(BELL, shots=10, execution="process", key=f"k{i}") for i in range(40)]
        for job in jobs:
            job.result(60)
        ws.close()
        print("done", flush=True)
    """
    processes = [child(tmp_path, body) for _ in range(2)]
    for process in processes:
        out, _ = process.communicate(timeout=100)
        assert out == "done\n"
    with Workspace(tmp_path, workers=1, dispatch=False) as ws:
        jobs = ws.jobs(limit=1000)
        assert len(jobs) == 40
        for job in jobs:
            assert [event["event"] for event in job.events] == ["submitted", "claimed", "succeeded"]


def test_a_lost_job_that_fails_its_session_takes_the_others_along(tmp_path: Path) -> None:
    # Found by killing engines at random: failing one lost job cancelled another in the same breath.
    body = """
        import sys, time
        ws = Workspace(sys.argv[1], workers=2)
        target = ws.target("sim.auto")
        target.open_session()
        jobs = [target.submit(ENDLESS, shots=1) for _ in range(2)]
        while any(job.status.value != "Executing" for job in jobs):
            time.sleep(0.01)
        print("running", flush=True)
        time.sleep(600)
    """
    with child(tmp_path, body) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGKILL)
    with Workspace(tmp_path, workers=1, settings=EngineSettings(max_attempts=1)) as ws:
        jobs = [job.wait(60) for job in ws.jobs(oldest_first=True)]
        assert {job.status for job in jobs} <= {JobStatus.FAILED, JobStatus.CANCELLED}
        assert JobStatus.FAILED in {job.status for job in jobs}
        assert ws.sessions()[0].facts.pending == 0
