import threading
from pathlib import Path

import pytest

import executor_drivers
from antiphon.adapters.executors.inline import InlineExecutor
from antiphon.ports.executor import Report
from executor_tasks import Reports, code, run, task


@pytest.fixture
def executor() -> InlineExecutor:
    return InlineExecutor(executor_drivers.load_drivers())


def test_start_returns_after_the_report_was_taken_in_the_same_thread(executor: InlineExecutor) -> None:
    threads: list[int] = []

    def note(report: Report) -> None:
        assert report.error is None
        threads.append(threading.get_ident())

    executor.start(task(), note)
    assert threads == [threading.get_ident()]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interruption_releases_the_task_and_then_goes_on(
    executor: InlineExecutor, kind: type[BaseException]
) -> None:
    reports, job = Reports(), task("fail", kind.__name__, "stop")
    with pytest.raises(kind):
        executor.start(job, reports)
    assert code(reports.the_one()) == "task-interrupted"
    assert reports.num_waiting == 0
    assert code(run_again(executor, job.id)) == "not-found"


def run_again(executor: InlineExecutor, task_id: str) -> Report:
    again = task(target="nowhere")
    object.__setattr__(again, "id", task_id)
    return run(executor, again)


def test_what_the_callback_raises_reaches_the_caller_and_frees_the_task(executor: InlineExecutor) -> None:
    def refuse(report: Report) -> None:
        raise RuntimeError("the store is full")

    job = task()
    with pytest.raises(RuntimeError, match="the store is full"):
        executor.start(job, refuse)
    assert run(executor, job).error is None


def test_close_lets_a_running_task_end(executor: InlineExecutor, tmp_path: Path) -> None:
    job, reports = task("meet", str(tmp_path / "begun"), str(tmp_path / "go-on")), Reports()
    thread = threading.Thread(target=executor.start, args=(job, reports))
    thread.start()
    executor_drivers.wait_for(str(tmp_path / "begun"))
    executor.close()
    (tmp_path / "go-on").touch()
    assert reports.the_one().error is None
    thread.join()
