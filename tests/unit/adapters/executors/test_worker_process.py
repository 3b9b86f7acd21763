"""Workers seen from outside: what they inherit, what reaches them, and that they never outlive their parent."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import executor_drivers
from antiphon.adapters.executors.processes import ProcessExecutor
from antiphon.adapters.executors.worker_process import WorkerProcess
from executor_tasks import Reports, eventually, facts, is_running, read_when_there, run, task

SUPPORT = Path(executor_drivers.__file__).parent
HEAD = """
import executor_drivers
from executor_tasks import Reports, facts, run, task
from antiphon.adapters.executors.processes import ProcessExecutor
"""


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor(executor_drivers.load_drivers, max_workers=1, memory_bytes=2**30)
    yield executor
    executor.close()


def interpreter(*arguments: str) -> subprocess.Popen[str]:
    """A Python process that finds the drivers and complains about everything left behind."""
    return subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(SUPPORT), *sys.path])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def is_gone(pid: int) -> bool:
    return not is_running(pid)


def outcome(process: subprocess.Popen[str], given: str | None = None) -> tuple[int, str, str]:
    with process:
        out, err = process.communicate(given, timeout=60)
    return process.returncode, out, err


def test_a_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"print('body', flush=True)\n{HEAD}\n"
        "executor = ProcessExecutor(executor_drivers.load_drivers, max_workers=2)\n"
        "facts(run(executor, task()))\n"
        "executor.close()\n"
        "print('end')\n"
    )
    assert outcome(interpreter(str(script))) == (0, "body\nend\n", "")


def test_a_script_may_forget_to_close(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"{HEAD}\nexecutor = ProcessExecutor(executor_drivers.load_drivers, max_workers=2)\n"
        "print(facts(run(executor, task()))['pid'])\n"
        f"executor.start(task('hold-the-interpreter', {str(tmp_path / 'held')!r}), Reports())\n"
        f"executor_drivers.wait_for({str(tmp_path / 'held')!r})\n"
    )
    status, out, err = outcome(interpreter(str(script)))
    assert (status, err) == (0, "")
    for pid in (int(out), int((tmp_path / "held").read_text())):
        eventually(partial(is_gone, pid))


@pytest.mark.parametrize("how", ["-c", "-"])
def test_code_without_a_file_works_too(how: str) -> None:
    code = f"{HEAD}\nexecutor = ProcessExecutor(executor_drivers.load_drivers, 1)\nfacts(run(executor, task()))\n"
    process = interpreter("-c", code) if how == "-c" else interpreter("-")
    assert outcome(process, None if how == "-c" else code) == (0, "", "")


def test_a_loader_in_the_script_itself_is_refused_with_the_reason() -> None:
    code = f"{HEAD}\ndef load():\n    return {{}}\n\nProcessExecutor(load)"
    status, _, err = outcome(interpreter("-c", code))
    assert status == 1
    assert "defined in the script or notebook itself" in err


def test_a_module_in_the_working_folder_does_not_shadow_the_standard_library(tmp_path: Path) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit('the wrong pickle')")
    code = textwrap.dedent(f"""
        import os, sys
        {textwrap.indent(HEAD, "        ").strip()}
        os.chdir({str(tmp_path)!r})
        facts(run(ProcessExecutor(executor_drivers.load_drivers, 1), task()))
    """)
    assert outcome(interpreter("-P", "-c", code)) == (0, "", "")


@pytest.mark.parametrize("action", ["hold", "hold-the-interpreter"])
def test_a_busy_worker_dies_with_a_parent_that_is_killed(tmp_path: Path, action: str) -> None:
    code = (
        f"{HEAD}\nexecutor = ProcessExecutor(executor_drivers.load_drivers, 2)\nrun(executor, task())\n"
        f"executor.warm()\nrun(executor, task({action!r}, {str(tmp_path / 'held')!r}))"
    )
    process = interpreter("-c", code)
    worker = int(read_when_there(tmp_path / "held"))
    process.kill()
    with process:
        process.communicate(timeout=30)
    eventually(lambda: not is_running(worker), seconds=5)


def test_what_engines_print_does_not_reach_the_parent_s_streams() -> None:
    code = (
        f"{HEAD}\nfacts(run(ProcessExecutor(executor_drivers.load_drivers, 1), task('write', 'noise')))\nprint('data')"
    )
    assert outcome(interpreter("-c", code)) == (0, "data\n", "")


def test_an_engine_that_prints_without_end_is_not_stopped_by_it(executor: ProcessExecutor) -> None:
    assert run(executor, task("chatter", 1_000_000)).error is None


def test_an_engine_that_reads_standard_input_finds_it_empty(executor: ProcessExecutor) -> None:
    assert facts(run(executor, task(read=True)))["stdin"] == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_meant_for_the_parent_leave_the_task_alone(
    executor: ProcessExecutor, tmp_path: Path, number: signal.Signals
) -> None:
    reports = Reports()
    executor.start(task("meet", str(tmp_path / "begun"), str(tmp_path / "go-on")), reports)
    pid = int(read_when_there(tmp_path / "begun"))
    os.kill(pid, number)
    (tmp_path / "go-on").touch()
    assert facts(reports.the_one())["pid"] == pid


def test_ctrl_c_in_the_terminal_goes_to_the_parent_alone(executor: ProcessExecutor) -> None:
    pid = facts(run(executor, task()))["pid"]
    assert os.getpgid(pid) == pid != os.getpgid(0)


def test_numerical_libraries_use_one_thread_unless_the_user_says_otherwise(
    executor: ProcessExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("RAYON_NUM_THREADS", "3")
    names = ["OMP_NUM_THREADS", "RAYON_NUM_THREADS", "QDK_PYTHON_TELEMETRY"]
    assert facts(run(executor, task(environment=names)))["environment"] == {
        "OMP_NUM_THREADS": "1",
        "RAYON_NUM_THREADS": "3",
        "QDK_PYTHON_TELEMETRY": "none",
    }


def test_a_worker_whose_parent_hangs_up_leaves() -> None:
    worker = WorkerProcess()
    worker._requests.close()
    eventually(lambda: not worker.is_alive())
    assert worker.reap().status == 0
    assert worker.reap().status == 0
    worker.kill()
