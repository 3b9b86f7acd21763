"""The executor of worker processes: warm, limited in time and memory, killed one by one.

Each worker has pipes and a thread of its own in the parent, so that nothing that happens to one worker reaches another:
no shared queue that breaks when its reader is killed, no lock that a dead process still holds. The pools on offer were
tried and lost. `concurrent.futures` and loky declare the whole pool broken when one worker dies and have no way to
kill one task. pebble (5.2.3) has both, but: it stops a worker by SIGTERM, which its handler never sees while an engine
holds the interpreter lock, and SIGKILL comes three seconds later, during which the pool enforces no other task's limit
(measured: 3.1 s to cancel, and a limit of 1 s beside it took effect after 3.1 s); workers killed from outside while
idle break the pool for good; and it starts processes through multiprocessing, which runs the user's script once more
in every worker unless the script guards against it.

Workers are started by `subprocess` instead: a fresh interpreter that never sees the user's `__main__` (a script without
a guard, a notebook and `python -c` all work) and no fork of a process with threads.
"""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from antiphon.adapters.executors import failures
from antiphon.adapters.executors.deadlines import Deadlines
from antiphon.adapters.executors.machine import memory_for_each_worker, usable_processors
from antiphon.adapters.executors.worker import Request, Setup
from antiphon.adapters.executors.worker_process import WorkerProcess
from antiphon.domain.results import Execution
from antiphon.errors import AntiphonError
from antiphon.ports.executor import Report, Task
from antiphon.ports.target_driver import TargetDriver

_LOG = logging.getLogger(__name__)
_START_SECONDS = 120.0
_CLOSE_SECONDS = 1.0


@dataclass(eq=False, slots=True)
class _Run:
    """A task that waits or runs. `verdict` is why it was stopped; it is set once, and wins over any result."""

    task: Task
    done: Callable[[Report], None]
    worker: WorkerProcess | None = None
    verdict: AntiphonError | None = None


class _Slot:
    """Room for one worker and the thread that talks to it."""

    def __init__(self) -> None:
        self.worker: WorkerProcess | None = None
        self.wake = threading.Semaphore(0)
        self.thread: threading.Thread | None = None


class ProcessExecutor:
    """Runs each task in a worker process of its own choosing; workers stay alive between tasks.

    A worker is started when a task finds none free, up to `max_workers`, and builds its drivers before its first task;
    tasks beyond that wait in order. A worker that was killed or crashed is replaced at once, in the background. Workers
    use one thread each for numerical work, unless OMP_NUM_THREADS and its kin are set in the environment.

    How a task may end, besides with its driver's own result or `AntiphonError`: "worker-timeout" after
    `Task.max_seconds` of running (waiting and the start of a worker do not count), "worker-memory", "worker-crashed",
    "engine-error" (any other exception, or a result that cannot be pickled), "task-cancelled", "worker-not-started",
    "executor-closed". Only that task ends.

    Args:
        load_drivers: Builds the drivers, target name to driver; called once in each worker. A function of an importable
            module, or a `functools.partial` of one; not of the user's script.
        max_workers: Tasks that run at the same time; by default, the processors this process may use.
        memory_bytes: Bytes that tasks of one worker may allocate, enforced on Linux (RLIMIT_AS counts address space, so
            a program that reserves much and touches little is refused too); by default, four fifths of the memory that
            is free now, divided by `max_workers`.
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
        self._max_workers = max(1, max_workers if max_workers is not None else usable_processors())
        self._memory = memory_bytes if memory_bytes is not None else memory_for_each_worker(self._max_workers)
        self._setup = Setup(os.getpid(), _by_name(load_drivers), tuple(preload), self._memory)
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}  # waiting and running, by task id
        self._waiting: deque[_Run] = deque()
        self._slots: list[_Slot] = []
        self._idle: list[_Slot] = []  # the last to fall idle is the first to work: its caches are warm
        self._deadlines = Deadlines()
        self._closed = threading.Event()
        atexit.register(self.close)

    @property
    def capacity(self) -> int:
        """The most workers there will be."""
        return self._max_workers

    @property
    def memory_bytes(self) -> int | None:
        """What one worker may allocate."""
        return self._memory

    def warm(self, workers: int | None = None) -> None:
        """Start workers ahead, up to `workers` (default: all there may be), without waiting until they are ready."""
        wanted = self._max_workers if workers is None else min(workers, self._max_workers)
        with self._lock:
            while not self._closed.is_set() and len(self._slots) < wanted:
                self._open_slot()

    def start(self, task: Task, done: Callable[[Report], None]) -> None:
        """Run `task` in a worker, soon; `done` is called once, from a thread of the executor.

        What `done` raises is logged and otherwise ignored. `done` holds up its worker: it should be quick.
        """
        run = _Run(task, done)
        refusal: AntiphonError | None = None
        with self._lock:
            if self._closed.is_set():
                refusal = failures.executor_closed(self.name)
            elif task.id in self._runs:
                refusal = failures.task_already_started(task.id)
            else:
                self._runs[task.id] = run
                self._waiting.append(run)
                if self._idle:
                    self._idle.pop().wake.release()
                elif len(self._slots) < self._max_workers:
                    self._open_slot()
        if refusal is not None:
            done(Report(None, refusal, 0.0))

    def cancel(self, task_id: str) -> None:
        """End the task: a running one by killing its worker, a waiting one at once, its `done` called here."""
        with self._lock:
            run = self._runs.get(task_id)
            waiting = run is not None and run in self._waiting
            if run is not None and waiting:
                self._waiting.remove(run)
                del self._runs[task_id]
        if run is None:
            return
        if waiting:
            _tell(run, Report(None, failures.task_cancelled(), 0.0))
        else:
            self._stop(run, failures.task_cancelled())

    def close(self) -> None:
        """Kill all workers and forget all tasks; no `done` is called from here on. Takes under a second."""
        atexit.unregister(self.close)
        with self._lock:
            self._closed.set()
            self._runs.clear()
            self._waiting.clear()
            slots = list(self._slots)
            workers = [slot.worker for slot in slots if slot.worker is not None]
        for worker in workers:
            worker.kill()
        for slot in slots:
            slot.wake.release()
        self._deadlines.close()
        until = time.monotonic() + _CLOSE_SECONDS
        for slot in slots:
            # A thread that is inside a `done` is not waited for longer than that, and never by itself.
            if slot.thread is not None and slot.thread is not threading.current_thread():
                slot.thread.join(max(0.0, until - time.monotonic()))

    def _open_slot(self) -> None:
        slot = _Slot()
        slot.thread = threading.Thread(target=self._serve, args=(slot,), name="antiphon-worker", daemon=True)
        self._slots.append(slot)
        slot.thread.start()

    def _serve(self, slot: _Slot) -> None:
        """The life of a slot: keep a worker ready, take the next task, run it, tell."""
        while True:
            unready = self._make_ready(slot)
            run = self._take(slot)
            if run is not None:
                begun = time.perf_counter()
                outcome = unready or self._execute(slot, run)
                self._finish(slot, run, outcome, time.perf_counter() - begun)
            elif self._closed.is_set():
                break
            else:
                slot.wake.acquire()
        self._discard(slot)

    def _take(self, slot: _Slot) -> _Run | None:
        """The next waiting task, or None, having put the slot among the idle."""
        with self._lock:
            if self._closed.is_set():
                return None
            if not self._waiting:
                self._idle.append(slot)
                return None
            run = self._waiting.popleft()
            run.worker = slot.worker
            return run

    def _make_ready(self, slot: _Slot) -> AntiphonError | None:
        """Give the slot a worker that has built its drivers, or say why it has none."""
        if slot.worker is not None and slot.worker.is_alive():
            return None
        self._discard(slot)
        if self._closed.is_set():
            return failures.executor_closed(self.name)
        try:
            worker = WorkerProcess()
        except (OSError, RuntimeError) as error:  # no memory, descriptors, processes or threads left
            return failures.worker_not_started(f"The system refused a process: {error}")
        with self._lock:
            slot.worker = worker
            if self._closed.is_set():
                worker.kill()
        self._deadlines.set(slot, _START_SECONDS, worker.kill)
        try:
            worker.send(self._setup)
            answer = worker.receive()
        except (OSError, EOFError):
            death = worker.reap()
            answer = failures.worker_died(death.status, death.printed, self._memory)
            answer = failures.worker_not_started(f"It ended while it loaded the targets. {answer}", answer.details)
        except Exception as error:  # noqa: BLE001 - an error of the drivers' own making that cannot be unpickled here
            answer = failures.worker_not_started(f"{type(error).__name__}: {error}")
        finally:
            self._deadlines.clear(slot)
        if answer is None:
            return None
        self._discard(slot)
        return answer if isinstance(answer, AntiphonError) else failures.worker_not_started(f"It answered {answer!r}.")

    def _execute(self, slot: _Slot, run: _Run) -> Execution | AntiphonError:
        task, worker = run.task, run.worker
        assert worker is not None
        self._deadlines.set(slot, task.max_seconds, lambda: self._stop(run, failures.time_exhausted(task.max_seconds)))
        try:
            worker.send(Request(task.target, task.work, task.plan))
            return cast("Execution | AntiphonError", worker.receive())
        except (OSError, EOFError):
            death = worker.reap()
            return failures.worker_died(death.status, death.printed, self._memory)
        except Exception as error:  # noqa: BLE001 - what pickle raises is up to the classes of the values
            # Part of the answer may still be in the pipe.
            self._discard(slot)
            return failures.engine_failed(task.target, task.plan, error)
        finally:
            self._deadlines.clear(slot)

    def _finish(self, slot: _Slot, run: _Run, outcome: Execution | AntiphonError, seconds: float) -> None:
        with self._lock:
            # After `close` nobody waits for the report any more.
            wanted = self._runs.pop(run.task.id, None) is run
            outcome = run.verdict or outcome
            stopped = run.verdict is not None
        if isinstance(outcome, AntiphonError):
            # A heap that has been at its limit is fragmented, and the next task deserves all of it.
            if stopped or outcome.code == "worker-memory":
                self._discard(slot)
            report = Report(None, outcome, seconds)
        else:
            report = Report(outcome, None, seconds)
        if wanted:
            _tell(run, report)

    def _stop(self, run: _Run, verdict: AntiphonError) -> None:
        """End a running task with `verdict`, unless it has ended or was stopped already."""
        with self._lock:
            if self._runs.get(run.task.id) is not run or run.verdict is not None:
                return
            run.verdict = verdict
            worker = run.worker
        if worker is not None:
            worker.kill()

    def _discard(self, slot: _Slot) -> None:
        worker = slot.worker
        if worker is not None:
            worker.kill()
            worker.reap()
            slot.worker = None


def _by_name(load_drivers: Callable[[], Mapping[str, TargetDriver]]) -> bytes:
    try:
        name = pickle.dumps(load_drivers)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        found = str(error)
    else:
        if b"__main__" not in name:
            return name
        found = "It is defined in the script or notebook itself, which workers never run."
    raise failures.worker_not_started(f"load_drivers is not a function of an importable module: {found}")


def _tell(run: _Run, report: Report) -> None:
    try:
        run.done(report)
    except Exception:  # noqa: BLE001 - the callback belongs to the caller; the slot has to live on
        _LOG.exception("The report of task %s could not be taken", run.task.id)
