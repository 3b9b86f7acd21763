"""Where work runs: in this process, in a warm worker process, later on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from antiphon.domain.results import Execution
from antiphon.domain.work import Plan, Work
from antiphon.errors import AntiphonError


@dataclass(frozen=True, slots=True)
class Task:
    """One execution: a work, its plan, the target whose driver runs it, and its wall-clock limit in seconds.

    Attributes:
        follows: It is the next part of what runs under the same id: it runs right after it, in the same place.
    """

    id: str
    target: str
    work: Work
    plan: Plan
    max_seconds: float
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """How a task ended: an execution or an error, the seconds it took in the executor, and what a provider charged.

    Attributes:
        started_at: When a provider began it (seconds since the epoch), if it ran at one that tells.
        provenance: What else the job keeps of how it ran, if it ends with this, in whatever way.
    """

    execution: Execution | None
    error: AntiphonError | None
    seconds: float
    cost: tuple[Mapping[str, Any], ...] = ()
    started_at: float | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


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

    @property
    def takes_ahead(self) -> bool:
        """Whether it takes one task that follows (`Task.follows`) while the one before it runs."""
        ...

    def start(self, task: Task, done: Callable[[Report], None]) -> None:
        """Run `task` and call `done` exactly once, from any thread; an error in the task is reported, never raised.

        A task that follows another is told of after it; but where the other takes its process with it, before it, with
        code "task-not-started".
        """
        ...

    def cancel(self, task_id: str) -> None:
        """Stop the task if it runs, and what follows it; each `done` still gets a report, code "task-cancelled".

        Unknown ids are ignored.
        """
        ...

    def close(self) -> None:
        """Stop every task and free what the executor holds; `done` may not be called for tasks that were running."""
        ...
