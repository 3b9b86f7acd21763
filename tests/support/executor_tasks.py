"""Start tasks and collect their reports."""

from __future__ import annotations

import itertools
import os
import queue
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from antiphon.domain.work import JobKind, Plan, Work
from antiphon.ports.executor import Executor, Report, Task

PLAN = Plan(("testing",), ("there is no other",), 0.0, 0, safe_inline=True)
_numbers = itertools.count()


def task(do: str = "none", *arguments: Any, seconds: float = 60.0, target: str = "test.driver", **options: Any) -> Task:
    work = Work(JobKind.SAMPLE, (), {"do": do, "with": arguments, **options})
    return Task(f"task-{next(_numbers)}", target, work, PLAN, seconds)


class Reports:
    """The reports of one task; there should be one."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Report] = queue.SimpleQueue()

    def __call__(self, report: Report) -> None:
        self._queue.put(report)

    def the_one(self) -> Report:
        return self._queue.get(timeout=30)

    @property
    def num_waiting(self) -> int:
        return self._queue.qsize()


def run(executor: Executor, task: Task) -> Report:
    """Run a task to its end; a second report would fail the test."""
    reports = Reports()
    executor.start(task, reports)
    report = reports.the_one()
    assert reports.num_waiting == 0
    return report


def facts(report: Report) -> Any:
    """What the driver said about its process."""
    assert report.error is None, str(report.error)
    assert report.execution is not None
    return report.execution.provenance


def code(report: Report) -> str:
    assert report.execution is None
    assert report.error is not None
    return report.error.code


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.002)


def read_when_there(path: Path) -> str:
    eventually(path.exists)
    return path.read_text()


def is_running(pid: int) -> bool:
    """False once the process is gone or a zombie, with all of its threads."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat").read_text()
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except (ProcessLookupError, FileNotFoundError):
        return False
    return threads > 1 or stat.rpartition(")")[2].split()[0] != "Z"


def exists(pid: int) -> bool:
    """True even for a zombie."""
    return Path(f"/proc/{pid}").exists()
