"""The executor of a Ray cluster: each task goes where its CPUs, GPUs, QPU and memory are free.

What crosses are our own frames: a work that was read from the store, as for a worker process of this machine, and its
answer. Nothing that a client sent is unpickled anywhere. Antiphon is installed on every node, in the same version.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from antiphon.adapters.executors import failures
from antiphon.adapters.executors.frames import decode, encode
from antiphon.adapters.executors.ray_task import run_message
from antiphon.adapters.executors.running import RunWork
from antiphon.errors import AntiphonError, ConnectionFailedError, ExecutionError, MissingExtraError
from antiphon.ports.executor import Report, Task
from antiphon.ports.target_driver import TargetDriver

_LOG = logging.getLogger(__name__)
_REPORTERS = 4
_KNOCK_S = 10.0


@dataclass(eq=False, slots=True)
class _Placed:
    """A task that Ray has; `verdict` is why it was stopped, and wins over any answer."""

    task: Task
    done: Callable[[Report], None]
    placed_at: float = field(default_factory=time.monotonic)
    ref: Any = None
    verdict: AntiphonError | None = None


class RayExecutor:
    """Runs each task as a Ray task that Ray never tries again by itself: what becomes of a job is the engine's to say.

    How a task may end, besides with its driver's own result or `AntiphonError`: "worker-timeout" after its seconds of
    running, "worker-crashed" when its process ended, "worker-memory" when Ray ended it for want of memory,
    "cluster-too-small" when no node has what it asks for, "task-cancelled", "executor-closed"; and "task-interrupted"
    when its node was lost, which gives the job back to the queue.

    Args:
        address: "auto", HOST:PORT of the cluster's head, or ray://HOST:PORT. A process has one connection to Ray: one
            that is there already is used, and left open at the end.
        load_drivers: As for `ProcessExecutor`.
        max_tasks: Tasks at the same time; by default as many as the cluster has CPUs for.
        cpus: CPUs of each task, `gpus` its GPUs.
        qpus: A task takes one of the custom resource "qpu:TARGET", if a node has that at all.

    Raises:
        MissingExtraError: Ray is not installed.
        ConnectionFailedError: There is no cluster at the address (code "cluster-unreachable").
    """

    name = "ray"

    def __init__(
        self,
        address: str,
        load_drivers: Callable[[], Mapping[str, TargetDriver]],
        *,
        max_tasks: int | None = None,
        cpus: float = 1.0,
        gpus: float = 0.0,
        qpus: bool = True,
    ) -> None:
        self._ray, self._leaves = _connected(address)
        self._run = self._ray.remote(run_message)
        self._loader = encode(load_drivers)
        self._cpus, self._gpus, self._qpus = cpus, gpus, qpus
        self._max_tasks = max_tasks if max_tasks is not None else self._fit()
        self._lock = threading.Lock()
        self._placed: dict[str, _Placed] = {}
        self._closed = False
        # Reports are stored by whoever is told: not in the thread in which Ray hands answers over.
        self._reporters = ThreadPoolExecutor(_REPORTERS, thread_name_prefix="antiphon-ray")
        atexit.register(self.close)

    @property
    def capacity(self) -> int:
        """How many tasks are given to the cluster at a time."""
        return self._max_tasks

    @property
    def memory_bytes(self) -> int | None:
        """None: a task is placed where its plan's memory is free."""
        return None

    @property
    def takes_ahead(self) -> bool:
        """False: each task is placed on its own."""
        return False

    def start(self, task: Task, done: Callable[[Report], None]) -> None:
        """Place the task; `done` is called once, from a thread of the executor."""
        placed = _Placed(task, done)
        with self._lock:
            if self._closed:
                refusal: AntiphonError | None = failures.executor_closed(self.name)
            elif task.id in self._placed:
                refusal = failures.task_already_started(task.id)
            else:
                self._placed[task.id] = placed
                refusal = None
        if refusal is not None:
            done(Report(None, refusal, 0.0))
            return
        try:
            placed.ref = self._place(task)
            ended: Future[Any] = placed.ref.future()
        except Exception as error:  # noqa: BLE001 - whatever Ray raises, the task gets its one report
            self._finish(placed, self._error_of(placed, error), 0.0)
            return
        ended.add_done_callback(lambda future: self._hand_over(placed, future))
        if placed.verdict is not None:
            self._kill(placed)

    def cancel(self, task_id: str) -> None:
        """End the task by ending its process; unknown ids are ignored."""
        with self._lock:
            placed = self._placed.get(task_id)
            if placed is None or placed.verdict is not None:
                return
            placed.verdict = failures.task_cancelled()
        self._kill(placed)

    def close(self) -> None:
        """End every task and leave the cluster; no `done` is called from here on."""
        atexit.unregister(self.close)
        with self._lock:
            if self._closed:
                return
            self._closed = True
            placed = list(self._placed.values())
            self._placed.clear()
        for each in placed:
            self._kill(each)
        self._reporters.shutdown(wait=False, cancel_futures=True)
        if self._leaves:
            self._ray.shutdown()

    def _fit(self) -> int:
        total = float(self._ray.cluster_resources().get("CPU", 1.0))
        return max(1, math.floor(total / self._cpus) if self._cpus > 0 else math.floor(total))

    def _place(self, task: Task) -> Any:
        asked: dict[str, float] = {"CPU": self._cpus, "GPU": self._gpus}
        if task.plan.memory_bytes > 0:
            asked["memory"] = float(task.plan.memory_bytes)
        nodes = [dict(node["Resources"]) for node in self._ray.nodes() if node["Alive"]]
        qpu = f"qpu:{task.target}"
        if self._qpus and any(qpu in node for node in nodes):
            asked[qpu] = 1.0
        # Ray would keep a task that fits nowhere for ever.
        if not any(all(node.get(name, 0.0) >= amount for name, amount in asked.items()) for node in nodes):
            raise _too_small(asked)
        run = self._run.options(
            name=f"{task.target} {task.id}",
            num_cpus=self._cpus,
            num_gpus=self._gpus,
            memory=int(asked["memory"]) if "memory" in asked else None,
            resources={qpu: 1.0} if qpu in asked else None,
            max_retries=0,
        )
        return run.remote(self._loader, encode(RunWork(task.target, task.work, task.plan)), task.max_seconds)

    def _hand_over(self, placed: _Placed, future: Future[Any]) -> None:
        try:
            self._reporters.submit(self._take, placed, future)
        except RuntimeError:  # closed meanwhile: nobody waits for the report any more
            return

    def _take(self, placed: _Placed, future: Future[Any]) -> None:
        seconds = time.monotonic() - placed.placed_at
        try:
            outcome, seconds = decode(future.result())
        except BaseException as error:  # noqa: BLE001 - Ray's errors, and cancelled futures
            outcome = self._error_of(placed, error)
        self._finish(placed, outcome, seconds)

    def _finish(self, placed: _Placed, outcome: Any, seconds: float) -> None:
        with self._lock:
            if self._placed.pop(placed.task.id, None) is not placed:
                return
            outcome = placed.verdict or outcome
        try:
            if isinstance(outcome, AntiphonError):
                placed.done(Report(None, outcome, seconds))
            else:
                placed.done(Report(outcome, None, seconds))
        except Exception:  # noqa: BLE001 - it belongs to the caller; the cluster goes on
            _LOG.exception("The outcome of %s could not be taken", placed.task.id)

    def _kill(self, placed: _Placed) -> None:
        if placed.ref is None:
            return
        try:
            self._ray.cancel(placed.ref, force=True)
        except Exception:  # noqa: BLE001 - it belongs to the caller; the cluster goes on
            _LOG.exception("The task %s could not be stopped", placed.task.id)

    def _error_of(self, placed: _Placed, error: BaseException) -> AntiphonError:
        from ray import exceptions

        if isinstance(error, AntiphonError):
            return error
        if isinstance(error, exceptions.OutOfMemoryError):
            return failures.memory_exhausted(None, _first_line(error))
        if isinstance(error, exceptions.WorkerCrashedError):
            if time.monotonic() - placed.placed_at >= placed.task.max_seconds:
                return failures.time_exhausted(placed.task.max_seconds)
            return _crashed(error)
        if isinstance(error, exceptions.RayTaskError):
            return failures.engine_failed(placed.task.target, placed.task.plan, error)
        # A node that is gone, a cluster that cannot be reached: the program is not at fault.
        return failures.task_interrupted(error)


def _connected(address: str) -> tuple[Any, bool]:
    """Ray, connected, and whether this made the connection."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingExtraError.of("ray", "ray", "Running on a cluster") from error
    if ray.is_initialized():
        return ray, False
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (ConnectionError, RuntimeError, ValueError, OSError, ImportError) as error:
        raise ConnectionFailedError(
            f"There is no Ray cluster at {address}.",
            code="cluster-unreachable",
            cause=_first_line(error),
            next_step="Start one with `ray start --head`, and give the address that it prints.",
        ) from None
    return ray, True


def _knock(address: str) -> None:
    """Find out quickly that nobody is there: Ray itself tries for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _crashed(error: BaseException) -> ExecutionError:
    return ExecutionError(
        "The Ray worker that ran the program ended.",
        code="worker-crashed",
        cause=_first_line(error),
        next_step="Submit it again; if it ends there again, run it on another target, or reduce it until it does not.",
    )


def _too_small(asked: Mapping[str, float]) -> ExecutionError:
    wanted = ", ".join(f"{name} {amount:g}" for name, amount in asked.items() if amount)
    return ExecutionError(
        "No node of the cluster is large enough for the program.",
        code="cluster-too-small",
        cause=f"It needs {wanted} on one node.",
        next_step="Add such a node, ask for less with --cpus and --gpus, or make the program smaller.",
        details={"asked": dict(asked)},
    )
