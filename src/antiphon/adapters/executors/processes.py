"""The executor of worker processes: warm, limited in time and memory, killed one by one; see `pool`."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from antiphon.adapters.executors.pool import WorkerPool
from antiphon.adapters.executors.running import RunWork
from antiphon.domain.results import Execution
from antiphon.errors import AntiphonError
from antiphon.ports.executor import Report, Task
from antiphon.ports.target_driver import TargetDriver


class ProcessExecutor:
    """Runs each task in a worker process of its own choosing; workers build their drivers once and stay alive.

    How a task may end, besides with its driver's own result or `AntiphonError`: as `WorkerPool` says of requests, with
    `Task.max_seconds` as its time, and "engine-error" for any other exception or a result that cannot be pickled.

    Args:
        load_drivers: Builds the drivers, target name to driver; called once in each worker. A function of an importable
            module, or a `functools.partial` of one; not of the user's script.
        max_workers: Tasks that run at the same time; by default, the processors this process may use.
        memory_bytes: Bytes that tasks of one worker may allocate; see `WorkerPool`.
        preload: Modules that a worker imports before it is ready; those that are not installed are skipped.

    Raises:
        ExecutionError: `load_drivers` cannot be found by another process; code "worker-not-started".
    """

    name = "processes"

    def __init__(
        self,
        load_drivers: Callable[[], Mapping[str, TargetDriver]],
        max_workers: int | None = None,
        memory_bytes: int | None = None,
        preload: Sequence[str] = (),
    ) -> None:
        self._pool = WorkerPool(self.name, load_drivers, max_workers, memory_bytes, preload)
        atexit.register(self.close)

    @property
    def capacity(self) -> int:
        """The most workers there will be."""
        return self._pool.capacity

    @property
    def memory_bytes(self) -> int | None:
        """What one worker may allocate."""
        return self._pool.memory_bytes

    @property
    def takes_ahead(self) -> bool:
        """True: its worker has read the task that follows when the one before it ends."""
        return True

    def warm(self, workers: int | None = None) -> None:
        """Start workers ahead, up to `workers` (default: all there may be), without waiting until they are ready."""
        self._pool.warm(workers)

    def start(self, task: Task, done: Callable[[Report], None]) -> None:
        """Run `task` in a worker, soon; `done` is called once, from a thread of the executor.

        What `done` raises is logged and otherwise ignored. `done` holds up its worker: it should be quick.
        """

        def tell(outcome: object, seconds: float) -> None:
            if isinstance(outcome, AntiphonError):
                done(Report(None, outcome, seconds))
            else:
                done(Report(cast("Execution", outcome), None, seconds))

        request = RunWork(task.target, task.work, task.plan)
        self._pool.start(task.id, request, task.max_seconds, tell, follows=task.follows)

    def cancel(self, task_id: str) -> None:
        """End the task and what follows it: a running one by killing its worker, a waiting one here and at once."""
        self._pool.cancel(task_id)

    def close(self) -> None:
        """Kill all workers and forget all tasks; no `done` is called from here on. Takes under a second."""
        atexit.unregister(self.close)
        self._pool.close()
