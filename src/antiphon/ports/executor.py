"""Where work runs: in this process, in a warm worker process, later on a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from antiphon.domain.results import Execution
from antiphon.domain.work import Plan, Work
from antiphon.errors import AntiphonError


@dataclass(frozen=True, slots=True)
class Task:
    """One execution: a work, its plan, the target whose driver runs it, and its wall-clock limit in seconds."""

    id: str
    target: str
    work: Work
    plan: Plan
    max_seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """How a task ended: an execution or an error, and the seconds it took in the executor."""

    execution: Execution | None
    error: AntiphonError | None
    seconds: float


class Executor(Protocol):
    """Runs tasks. A task that crashes, hangs or eats memory never hurts the process that asked."""

    name: str

    @property
    def capacity(self) -> int:
        """How many tasks run at the same time."""
        ...

    @property
    def memory_bytes(self) -> int | None:
        """Memory one task may take, or None where only the machine limits it."""
        ...

    def start(self, task: Task, done: Callable[[Report], None]) -> None:
        """Run `task` and call `done` exactly once, from any thread; an error in the task is reported, never raised."""
        ...

    def cancel(self, task_id: str) -> None:
        """Stop the task if it runs; its `done` still gets a report, code "task-cancelled". Unknown ids are ignored."""
        ...

    def close(self) -> None:
        """Stop every task and free what the executor holds; `done` may not be called for tasks that were running."""
        ...
