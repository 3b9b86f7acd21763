from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

from antiphon import JobStatus, Workspace
from command_line import antiphon, finish, start
from programs import ENDLESS


def wait_until_it_executes(home: Path, process: subprocess.Popen[str]) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        if (home / "antiphon.db").exists():
            with Workspace(home, dispatch=False) as workspace:
                for job in workspace.jobs():
                    if job.status is JobStatus.EXECUTING:
                        return job.id
        time.sleep(0.1)
    raise AssertionError("no job was executed")


def test_ctrl_c_while_waiting_detaches_and_cancels_nothing(tmp_path: Path) -> None:
    home = tmp_path / "lab"
    program = tmp_path / "endless.qasm"
    program.write_text(ENDLESS)
    process = start(home, "submit", program, "--wait")
    job_id = wait_until_it_executes(home, process)
    # A worker may have begun before the submit of the same process has returned.
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    ran = finish(process)
    assert (ran.code, ran.out) == (130, "")
    assert f"antiphon jobs watch {job_id} --home {home}" in ran.err
    assert "Traceback" not in ran.err
    left = antiphon(home, "jobs", "show", job_id, "--json").data
    assert (left["status"], left["error"]) == ("Waiting", None)

    process = start(home, "jobs", "watch", job_id)
    assert wait_until_it_executes(home, process) == job_id
    antiphon(home, "jobs", "cancel", job_id)
    watched = finish(process)
    assert watched.code == 3
    assert antiphon(home, "jobs", "show", job_id, "--json").data["status"] == "Cancelled"


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    process = start(tmp_path, "targets", "--json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    process.wait(60)
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
