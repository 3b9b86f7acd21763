"""The executor without a process: for work that is cheap, bounded and cannot crash (`Plan.safe_inline`)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from antiphon.adapters.executors import failures
from antiphon.adapters.executors.running import run_work
from antiphon.domain.results import Execution
from antiphon.errors import AntiphonError
from antiphon.ports.executor import Report, Task
from antiphon.ports.target_driver import TargetDriver


class InlineExecutor:
    """Runs each task in the thread that starts it; `start` returns after `done` did.

    Several threads may start tasks at the same time. Nothing can interrupt an engine in this process: a task's time
    limit is not enforced, and a cancelled task runs to its end and is then reported as cancelled, its result dropped.

    Args:
        drivers: Target name to driver.
    """

    name = "inline"

    def __init__(self, drivers: Mapping[str, TargetDriver]) -> None:
        self._drivers = drivers
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._cancelled: set[str] = set()
        self._closed = False

    @property
    def capacity(self) -> int:
        """One: the thread that starts a task is busy with it."""
        return 1

    @property
    def memory_bytes(self) -> int | None:
        """None: it shares the memory of the calling process."""
        return None

    @property
    def takes_ahead(self) -> bool:
        """False: the thread that starts a task is busy with it."""
        return False

    def start(self, task: Task, done: Callable[[Report], None]) -> None:
        """Run `task` and call `done` with its report, both in this thread. What `done` raises is raised.

        Raises:
            KeyboardInterrupt, SystemExit: After `done` got a report with code "task-interrupted", so that the job is
                released before the process goes.
        """
        refusal = self._admit(task)
        if refusal is not None:
            done(Report(None, refusal, 0.0))
            return
        begun = time.perf_counter()
        try:
            outcome: Execution | AntiphonError = run_work(self._drivers, task.target, task.work, task.plan)
        except BaseException as error:
            self._release(task)
            done(Report(None, failures.task_interrupted(error), time.perf_counter() - begun))
            raise
        seconds = time.perf_counter() - begun
        if self._release(task):
            outcome = failures.task_cancelled()
        if isinstance(outcome, AntiphonError):
            done(Report(None, outcome, seconds))
        else:
            done(Report(outcome, None, seconds))

    def cancel(self, task_id: str) -> None:
        """Have the task reported as cancelled once it ends; unknown ids are ignored."""
        with self._lock:
            if task_id in self._running:
                self._cancelled.add(task_id)

    def close(self) -> None:
        """Refuse further tasks with code "executor-closed"; running ones end by themselves."""
        with self._lock:
            self._closed = True

    def _admit(self, task: Task) -> AntiphonError | None:
        with self._lock:
            if self._closed:
                return failures.executor_closed(self.name)
            if task.id in self._running:
                return failures.task_already_started(task.id)
            self._running.add(task.id)
            return None

    def _release(self, task: Task) -> bool:
        with self._lock:
            self._running.discard(task.id)
            cancelled = task.id in self._cancelled
            self._cancelled.discard(task.id)
            return cancelled
