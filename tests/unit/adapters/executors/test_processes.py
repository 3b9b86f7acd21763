import os
import queue
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import executor_drivers
from antiphon.adapters.executors.processes import ProcessExecutor
from antiphon.errors import ConflictError, ExecutionError
from antiphon.ports.executor import Report, Task
from executor_tasks import Reports, code, eventually, exists, facts, is_running, read_when_there, run, task

MEMORY = 2**30


@pytest.fixture(scope="module")
def executor() -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor(executor_drivers.load_drivers, max_workers=2, memory_bytes=MEMORY)
    yield executor
    executor.close()


@pytest.fixture
def single() -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor(executor_drivers.load_drivers, max_workers=1, memory_bytes=MEMORY)
    yield executor
    executor.close()


def error_of(report: Report) -> ExecutionError:
    assert isinstance(report.error, ExecutionError)
    return report.error


def test_a_worker_is_kept_between_tasks_and_loads_its_drivers_once(single: ProcessExecutor) -> None:
    first, second = facts(run(single, task())), facts(run(single, task()))
    assert first["pid"] == second["pid"] != os.getpid()
    assert (second["executed"], second["loads"]) == (2, 1)


@pytest.mark.parametrize("action", ["hold", "hold-the-interpreter"])
def test_a_task_over_its_time_is_killed_and_its_neighbour_is_not(
    executor: ProcessExecutor, tmp_path: Path, action: str
) -> None:
    neighbour, go_on = Reports(), tmp_path / "go-on"
    executor.start(task("meet", str(tmp_path / "begun"), str(go_on)), neighbour)
    pid = int(read_when_there(tmp_path / "begun"))
    report = run(executor, task(action, str(tmp_path / "held"), seconds=0.3))
    error = error_of(report)
    assert error.code == "worker-timeout"
    assert "0.3 s" in error.message
    assert error.details == {"limit_seconds": 0.3}
    assert report.seconds >= 0.3
    assert not is_running(int((tmp_path / "held").read_text()))
    go_on.touch()
    assert facts(neighbour.the_one())["pid"] == pid


@pytest.mark.parametrize("action", ["hold", "hold-the-interpreter"])
def test_a_cancelled_task_is_killed_and_its_neighbour_is_not(
    executor: ProcessExecutor, tmp_path: Path, action: str
) -> None:
    neighbour, go_on = Reports(), tmp_path / "go-on"
    executor.start(task("meet", str(tmp_path / "begun"), str(go_on)), neighbour)
    pid = int(read_when_there(tmp_path / "begun"))
    job, reports = task(action, str(tmp_path / "held")), Reports()
    executor.start(job, reports)
    held = int(read_when_there(tmp_path / "held"))
    executor.cancel(job.id)
    assert code(reports.the_one()) == "task-cancelled"
    assert not is_running(held)
    go_on.touch()
    assert facts(neighbour.the_one())["pid"] == pid


@pytest.mark.parametrize(
    ("action", "arguments", "ending"),
    [
        ("abort", (), "signal SIGABRT"),
        ("segfault", (), "signal SIGSEGV"),
        ("kill-itself", (), "signal SIGKILL"),
        ("exit", (3,), "exit code 3"),
        ("exit", (0,), "exit code 0"),
    ],
)
def test_a_crash_ends_its_task_alone_and_says_how(
    executor: ProcessExecutor, tmp_path: Path, action: str, arguments: tuple[int, ...], ending: str
) -> None:
    neighbour, go_on = Reports(), tmp_path / "go-on"
    executor.start(task("meet", str(tmp_path / "begun"), str(go_on)), neighbour)
    pid = int(read_when_there(tmp_path / "begun"))
    error = error_of(run(executor, task(action, *arguments)))
    assert error.code == "worker-crashed"
    assert ending in error.message
    assert error.details["exit"] == ending
    assert run(executor, task()).error is None
    go_on.touch()
    assert facts(neighbour.the_one())["pid"] == pid


def test_a_crash_keeps_where_it_happened(executor: ProcessExecutor) -> None:
    assert "in segfault" in error_of(run(executor, task("segfault"))).details["stderr"]


def test_a_worker_killed_from_outside_ends_its_task_with_a_hint_at_memory(
    executor: ProcessExecutor, tmp_path: Path
) -> None:
    reports = Reports()
    executor.start(task("hold", str(tmp_path / "held")), reports)
    os.kill(int(read_when_there(tmp_path / "held")), signal.SIGKILL)
    error = error_of(reports.the_one())
    assert error.code == "worker-crashed"
    assert "out of memory" in error.next_step


def test_a_worker_killed_while_idle_is_replaced_unseen(single: ProcessExecutor) -> None:
    pid = facts(run(single, task()))["pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_running(pid))
    assert facts(run(single, task()))["pid"] != pid


def test_children_of_a_worker_die_with_it(executor: ProcessExecutor, tmp_path: Path) -> None:
    job, reports = task("spawn-child", str(tmp_path / "child")), Reports()
    executor.start(job, reports)
    child = int(read_when_there(tmp_path / "child"))
    executor.cancel(job.id)
    assert code(reports.the_one()) == "task-cancelled"
    eventually(lambda: not is_running(child))


def test_a_task_over_the_memory_limit_fails_alone_and_names_the_limit(single: ProcessExecutor) -> None:
    pid = facts(run(single, task("allocate", MEMORY // 4)))["pid"]
    error = error_of(run(single, task("allocate", 2 * MEMORY)))
    assert error.code == "worker-memory"
    assert "1,024 MiB" in error.message
    assert error.details == {"limit_bytes": MEMORY}
    assert facts(run(single, task("allocate", MEMORY // 4)))["pid"] != pid


def test_an_engine_that_aborts_for_want_of_memory_is_told_from_a_crash(executor: ProcessExecutor) -> None:
    assert code(run(executor, task("bad-alloc"))) == "worker-memory"


def test_a_result_too_large_to_send_is_a_matter_of_memory(executor: ProcessExecutor) -> None:
    assert code(run(executor, task(payload=int(0.7 * MEMORY)))) == "worker-memory"


@pytest.mark.parametrize("kind", ["SystemExit", "KeyboardInterrupt"])
def test_an_engine_that_asks_the_process_to_stop_has_failed(single: ProcessExecutor, kind: str) -> None:
    pid = facts(run(single, task()))["pid"]
    error = error_of(run(single, task("fail", kind, "bye")))
    assert error.code == "engine-error"
    assert kind in error.message
    assert facts(run(single, task()))["pid"] == pid


@pytest.mark.parametrize("fault", ["unpicklable", "not-rebuilt"])
def test_a_result_that_cannot_travel_is_the_engine_s_error(executor: ProcessExecutor, fault: str) -> None:
    error = error_of(run(executor, task(returns=fault)))
    assert error.code == "engine-error"
    assert "TypeError" in error.message
    assert run(executor, task()).error is None


def test_a_work_that_cannot_travel_is_reported(executor: ProcessExecutor) -> None:
    assert code(run(executor, task(shots=executor_drivers.Unpicklable()))) == "engine-error"
    assert run(executor, task()).error is None


def test_tasks_beyond_the_workers_wait_in_order_and_are_cancelled_at_once(
    single: ProcessExecutor, tmp_path: Path
) -> None:
    first, go_on = Reports(), tmp_path / "go-on"
    single.start(task("meet", str(tmp_path / "begun"), str(go_on)), first)
    order: list[str] = []

    def collect_in(reports: Reports, task_id: str) -> Callable[[Report], None]:
        def collect(report: Report) -> None:
            order.append(task_id)
            reports(report)

        return collect

    waiting = [task(seconds=0.2 + number) for number in range(3)]
    reports = [Reports() for _ in waiting]
    for job, collect in zip(waiting, reports, strict=True):
        single.start(job, collect_in(collect, job.id))
    single.cancel(waiting[1].id)
    assert code(reports[1].the_one()) == "task-cancelled"
    # Longer than the limit of the first that waits: waiting is not running.
    time.sleep(0.3)
    go_on.touch()
    assert [reports[number].the_one().error for number in (0, 2)] == [None, None]
    assert order == [waiting[1].id, waiting[0].id, waiting[2].id]
    assert first.the_one().error is None


def test_no_more_tasks_run_at_once_than_there_are_workers(executor: ProcessExecutor, tmp_path: Path) -> None:
    assert executor.capacity == 2
    reports = [Reports() for _ in range(3)]
    for number, collect in enumerate(reports):
        executor.start(task("meet", str(tmp_path / str(number)), str(tmp_path / "go-on")), collect)
    eventually(lambda: len(list(tmp_path.iterdir())) == 2)
    time.sleep(0.1)
    assert len(list(tmp_path.iterdir())) == 2
    (tmp_path / "go-on").touch()
    assert len({facts(collect.the_one())["pid"] for collect in reports}) == 2


def test_workers_start_with_the_first_task_or_ahead_if_asked(tmp_path: Path) -> None:
    started = tmp_path / "started"
    executor = ProcessExecutor(partial(executor_drivers.load_slowly, str(started)), max_workers=1)
    time.sleep(0.1)
    assert not started.exists()
    executor.warm()
    pid = int(read_when_there(started))
    executor.close()
    assert not exists(pid)


def test_close_ends_everything_and_reports_nothing(tmp_path: Path) -> None:
    executor = ProcessExecutor(executor_drivers.load_drivers, max_workers=2, memory_bytes=MEMORY)
    reports = [Reports() for _ in range(3)]
    for number, collect in enumerate(reports):
        executor.start(task("hold-the-interpreter", str(tmp_path / str(number))), collect)
    pids = [int(read_when_there(tmp_path / str(number))) for number in range(2)]
    executor.close()
    # Not even zombies are left.
    assert not any(exists(pid) for pid in pids)
    assert [collect.num_waiting for collect in reports] == [0, 0, 0]


def test_an_executor_may_be_closed_by_the_one_who_takes_a_report() -> None:
    executor = ProcessExecutor(executor_drivers.load_drivers, max_workers=1, memory_bytes=MEMORY)
    reports = Reports()

    def close_and_collect(report: Report) -> None:
        executor.close()
        reports(report)

    executor.start(task(), close_and_collect)
    pid = facts(reports.the_one())["pid"]
    eventually(lambda: not exists(pid))


def test_whoever_cannot_take_a_report_hurts_nobody_else(
    single: ProcessExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(report: Report) -> None:
        raise RuntimeError("the store is full")

    single.start(task(), refuse)
    assert run(single, task()).error is None
    assert "the store is full" in caplog.text


def test_a_loader_that_no_other_process_can_find_is_refused() -> None:
    with pytest.raises(ExecutionError, match="not a function of an importable module") as caught:
        ProcessExecutor(lambda: executor_drivers.load_drivers())
    assert caught.value.code == "worker-not-started"


@pytest.mark.parametrize(
    ("loader", "expected", "text"),
    [
        (executor_drivers.load_with_error, "worker-not-started", "RuntimeError: the calibration file is missing"),
        (executor_drivers.load_with_own_error, "no-licence", "No licence."),
        (executor_drivers.load_and_die, "worker-not-started", "exit code 7"),
    ],
)
def test_a_loader_that_fails_fails_the_task_and_says_why(loader: object, expected: str, text: str) -> None:
    executor = ProcessExecutor(loader, max_workers=1)  # type: ignore[arg-type]
    try:
        report = run(executor, task())
        assert code(report) == expected
        assert text in str(report.error)
    finally:
        executor.close()


def test_a_loader_that_failed_is_tried_again_for_the_next_task(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    executor = ProcessExecutor(partial(executor_drivers.load_when_allowed, str(allowed)), max_workers=1)
    try:
        assert code(run(executor, task())) == "worker-not-started"
        allowed.touch()
        eventually(lambda: run(executor, task()).error is None)
    finally:
        executor.close()


def test_modules_are_imported_ahead_and_missing_ones_skipped() -> None:
    executor = ProcessExecutor(executor_drivers.load_drivers, max_workers=1, preload=("colorsys", "no_such_engine"))
    try:
        assert facts(run(executor, task(modules=["colorsys", "chunk"])))["modules"] == ["colorsys"]
    finally:
        executor.close()


# --- one that follows another


def part(first: Task, do: str, *arguments: object, **options: Any) -> Task:
    return replace(task(do, *arguments, **options), id=first.id, follows=True)


def test_what_follows_runs_next_in_the_same_worker_before_others_that_wait(
    single: ProcessExecutor, tmp_path: Path
) -> None:
    order: queue.SimpleQueue[tuple[str, Report]] = queue.SimpleQueue()
    first = task("meet", str(tmp_path / "begun"), str(tmp_path / "go-on"))
    single.start(first, lambda report: order.put(("first", report)))
    pid = read_when_there(tmp_path / "begun")
    single.start(task(), lambda report: order.put(("other", report)))
    single.start(part(first, "none"), lambda report: order.put(("second", report)))
    (tmp_path / "go-on").touch()
    ended = [order.get(timeout=30) for _ in range(3)]
    assert [name for name, _ in ended] == ["first", "second", "other"]
    assert {facts(report)["pid"] for _, report in ended} == {int(pid)}


def test_what_follows_is_at_the_worker_before_the_one_ends(single: ProcessExecutor, tmp_path: Path) -> None:
    begun, followed = Reports(), Reports()
    first = task("meet", str(tmp_path / "begun"), str(tmp_path / "go-on"))

    def slow_to_take(report: Report) -> None:
        # The second leaves a mark while the first one's end is still being taken: nobody sent it only now.
        read_when_there(tmp_path / "second")
        begun(report)

    single.start(first, slow_to_take)
    read_when_there(tmp_path / "begun")
    # Far more than a pipe holds: the worker reads it while it runs the first.
    single.start(
        part(first, "meet", str(tmp_path / "second"), str(tmp_path / "go-on"), blob=b"x" * 3_000_000), followed
    )
    (tmp_path / "go-on").touch()
    assert facts(begun.the_one())["pid"] == facts(followed.the_one())["pid"]


def test_only_one_follows_at_a_time(single: ProcessExecutor, tmp_path: Path) -> None:
    reports = [Reports() for _ in range(3)]
    first = task("meet", str(tmp_path / "begun"), str(tmp_path / "go-on"))
    single.start(first, reports[0])
    single.start(part(first, "none"), reports[1])
    single.start(part(first, "none"), reports[2])
    error = reports[2].the_one().error
    assert isinstance(error, ConflictError)
    (tmp_path / "go-on").touch()
    assert facts(reports[0].the_one())["pid"] == facts(reports[1].the_one())["pid"]


@pytest.mark.parametrize(
    ("do", "seconds", "ending"), [("kill-itself", 60.0, "worker-crashed"), ("hold", 0.3, "worker-timeout")]
)
def test_what_follows_one_that_ends_its_worker_is_told_first_and_was_not_started(
    single: ProcessExecutor, tmp_path: Path, do: str, seconds: float, ending: str
) -> None:
    order: queue.SimpleQueue[tuple[str, Report]] = queue.SimpleQueue()
    first = task("meet", str(tmp_path / "begun"), str(tmp_path / "go-on"))
    single.start(first, lambda report: order.put(("first", report)))
    read_when_there(tmp_path / "begun")
    arguments = (str(tmp_path / "held"),) if do == "hold" else ()
    second, marked = part(first, do, *arguments, seconds=seconds), tmp_path / "third"

    def go_on(report: Report) -> None:
        order.put(("first", report))
        single.start(part(first, "meet", str(marked), str(marked)), lambda third: order.put(("third", third)))

    # The first one's end hands the third over behind the second, as a batch does.
    single._pool._runs[first.id].done = lambda _, spent: go_on(Report(None, None, spent))
    single.start(second, lambda report: order.put(("second", report)))
    (tmp_path / "go-on").touch()
    ended = [order.get(timeout=30) for _ in range(3)]
    assert [name for name, _ in ended] == ["first", "third", "second"]
    assert code(ended[1][1]) == "task-not-started"
    assert code(ended[2][1]) == ending
    assert not marked.exists()
    assert facts(run(single, task()))["executed"] == 1


def test_cancelling_ends_what_runs_and_what_follows(single: ProcessExecutor, tmp_path: Path) -> None:
    ended: queue.SimpleQueue[str] = queue.SimpleQueue()
    first = task("hold", str(tmp_path / "held"))
    single.start(first, lambda report: ended.put(f"first {code(report)}"))
    read_when_there(tmp_path / "held")
    single.start(part(first, "none"), lambda report: ended.put(f"second {code(report)}"))
    single.cancel(first.id)
    assert [ended.get(timeout=30) for _ in range(2)] == ["second task-cancelled", "first task-cancelled"]


def test_cancelling_what_waits_ends_what_follows_too(single: ProcessExecutor, tmp_path: Path) -> None:
    ended: queue.SimpleQueue[str] = queue.SimpleQueue()
    busy, waits = task("hold", str(tmp_path / "held")), task()
    single.start(busy, Reports())
    read_when_there(tmp_path / "held")
    single.start(waits, lambda report: ended.put(f"first {code(report)}"))
    single.start(part(waits, "none"), lambda report: ended.put(f"second {code(report)}"))
    single.cancel(waits.id)
    assert [ended.get(timeout=30) for _ in range(2)] == ["second task-cancelled", "first task-cancelled"]
    single.cancel(busy.id)
