"""What every executor promises: one report for each task, whatever the driver does, and nothing raised."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import executor_drivers
from antiphon.adapters.executors.inline import InlineExecutor
from antiphon.adapters.executors.processes import ProcessExecutor
from antiphon.domain.results import Sampled
from antiphon.errors import LimitError, NotFoundError
from antiphon.ports.executor import Executor
from executor_tasks import Reports, code, eventually, facts, run, task

MAKERS: dict[str, Callable[[], Executor]] = {
    "inline": lambda: InlineExecutor(executor_drivers.load_drivers()),
    "processes": lambda: ProcessExecutor(executor_drivers.load_drivers, max_workers=2, memory_bytes=2**30),
}


@pytest.fixture(scope="module", params=sorted(MAKERS))
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    executor = MAKERS[request.param]()
    yield executor
    executor.close()


@pytest.fixture(params=sorted(MAKERS))
def own_executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    executor = MAKERS[request.param]()
    yield executor
    executor.close()


def start_in_thread(executor: Executor, job: object, reports: Reports) -> threading.Thread:
    # An inline executor is busy in the thread that starts the task.
    thread = threading.Thread(target=executor.start, args=(job, reports))
    thread.start()
    return thread


def test_the_driver_s_result_comes_home(executor: Executor) -> None:
    report = run(executor, task(shots=7, payload=3))
    assert report.error is None
    assert report.execution is not None
    assert report.execution.outcomes == (Sampled((), ({"00000000": 7},), 7),)
    assert report.execution.provenance["payload"] == b"\x07\x07\x07"
    assert report.seconds >= 0


def test_a_large_result_comes_home_whole(executor: Executor) -> None:
    size = 30_000_001
    assert facts(run(executor, task(payload=size)))["payload"] == b"\x07" * size


def test_seconds_are_those_of_the_task(executor: Executor) -> None:
    assert run(executor, task("sleep", 0.05)).seconds >= 0.05


def test_an_error_of_ours_comes_home_as_it_was_raised(executor: Executor) -> None:
    error = run(executor, task("refuse")).error
    assert type(error) is LimitError
    assert error.to_dict() == {
        "code": "too-wide",
        "message": "Too wide.",
        "cause": "40 qubits",
        "next_step": "Use 30.",
        "details": {"limit": 30},
    }


@pytest.mark.parametrize("kind", ["ValueError", "PanicError"])
def test_an_engine_s_own_error_names_engine_and_exception(executor: Executor, kind: str) -> None:
    report = run(executor, task("fail", kind, "negative norm\nsecond line"))
    assert code(report) == "engine-error"
    assert report.error is not None
    assert report.error.message == f"The engine testing of test.driver failed with {kind}."
    assert report.error.cause == "negative norm"
    assert "Traceback" not in str(report.error)
    frames = report.error.details["frames"]
    assert any(frame.startswith("executor_drivers.py:") and frame.endswith(" in fail") for frame in frames)
    assert not any("/" in frame for frame in frames)


def test_an_engine_out_of_memory_says_so(executor: Executor) -> None:
    report = run(executor, task("fail", "MemoryError", "Unable to allocate 64 GiB"))
    assert code(report) == "worker-memory"
    assert report.error is not None
    assert "64 GiB" in report.error.cause


def test_an_unknown_target_is_reported_with_the_known_ones(executor: Executor) -> None:
    report = run(executor, task(target="sim.none"))
    assert isinstance(report.error, NotFoundError)
    assert report.error.details == {"target": "sim.none", "known": ["test.driver"]}


def test_tasks_from_many_threads_get_one_report_each(executor: Executor) -> None:
    jobs = [(task(shots=number), Reports()) for number in range(60)]

    def start(part: int) -> None:
        for job, reports in jobs[part::4]:
            executor.start(job, reports)

    threads = [threading.Thread(target=start, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for job, reports in jobs:
        report = reports.the_one()
        assert report.execution is not None
        assert report.execution.outcomes[0].shots == job.work.options["shots"]
        assert reports.num_waiting == 0


def test_a_cancelled_task_reports_that_and_no_result(executor: Executor, tmp_path: Path) -> None:
    begun, go_on = tmp_path / "begun", tmp_path / "go-on"
    job, reports = task("meet", str(begun), str(go_on)), Reports()
    thread = start_in_thread(executor, job, reports)
    eventually(begun.exists)
    executor.cancel(job.id)
    executor.cancel(job.id)
    go_on.touch()
    assert code(reports.the_one()) == "task-cancelled"
    thread.join()
    assert reports.num_waiting == 0
    assert run(executor, task()).error is None


def test_cancelling_what_does_not_run_is_ignored(executor: Executor) -> None:
    job = task()
    executor.cancel(job.id)
    assert run(executor, job).error is None
    executor.cancel(job.id)
    assert run(executor, job).error is None


def test_a_task_that_runs_is_not_started_again(executor: Executor, tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    job, first, second = task("meet", str(tmp_path / "begun"), str(go_on)), Reports(), Reports()
    thread = start_in_thread(executor, job, first)
    eventually((tmp_path / "begun").exists)
    executor.start(job, second)
    assert code(second.the_one()) == "conflict"
    go_on.touch()
    assert first.the_one().error is None
    thread.join()


def test_a_closed_executor_refuses_tasks(own_executor: Executor) -> None:
    assert run(own_executor, task()).error is None
    own_executor.close()
    own_executor.close()
    assert code(run(own_executor, task())) == "executor-closed"


def test_it_has_a_name_and_a_capacity(executor: Executor) -> None:
    assert executor.name in MAKERS
    assert executor.capacity >= 1
