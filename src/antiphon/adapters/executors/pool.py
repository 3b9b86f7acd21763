"""Warm worker processes, limited in time and memory, killed one by one; what they are asked is up to the caller.

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

import logging
import os
import pickle
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from antiphon.adapters.executors import failures
from antiphon.adapters.executors.deadlines import Deadlines
from antiphon.adapters.executors.machine import memory_for_each_worker, usable_processors
from antiphon.adapters.executors.worker import Request, Setup
from antiphon.adapters.executors.worker_process import WorkerProcess
from antiphon.errors import AntiphonError

_LOG = logging.getLogger(__name__)
_START_SECONDS = 120.0
_CLOSE_SECONDS = 1.0

Done = Callable[[object, float], None]
"""Takes what a request returned, or an `AntiphonError`, and the seconds it took."""


@dataclass(eq=False, slots=True)
class _Run:
    """A request that waits or runs. `verdict` is why it was stopped; it is set once, and wins over any answer.

    `slot` is where it runs. `follower` is what the same worker runs next; `sent`, whether the worker has it.
    """

    id: str
    request: Request
    seconds: float
    done: Done
    slot: _Slot | None = None
    worker: WorkerProcess | None = None
    verdict: AntiphonError | None = None
    follower: _Run | None = None
    sent: bool = False


class _Slot:
    """Room for one worker and the thread that talks to it."""

    def __init__(self) -> None:
        self.worker: WorkerProcess | None = None
        self.wake = threading.Semaphore(0)
        self.thread: threading.Thread | None = None
        self.sending = threading.Lock()


class WorkerPool:
    """Runs each request in a worker process of the pool's own choosing; workers stay alive between requests.

    A worker is started when a request finds none free, up to `max_workers`, and loads what requests need before its
    first; requests beyond that wait in order. A worker that was killed or crashed is replaced at once, in the
    background. Workers use one thread each for numerical work, unless OMP_NUM_THREADS and its kin are set in the
    environment.

    How a request may end, besides with its own answer: "worker-timeout" after its seconds of running (waiting and the
    start of a worker do not count), "worker-memory", "worker-crashed", what the request says of any other exception or
    of an answer that cannot be pickled, "task-cancelled", "worker-not-started", "executor-closed". Only that one ends.

    Args:
        name: For errors.
        load: Called once in each worker; what it returns is given to every request. A function of an importable
            module, or a `functools.partial` of one; not of the user's script.
        max_workers: Requests that run at the same time; by default, the processors this process may use.
        memory_bytes: Bytes that requests of one worker may allocate, enforced on Linux (RLIMIT_AS counts address space,
            so a program that reserves much and touches little is refused too); by default, four fifths of the memory
            that is free now, divided by `max_workers`.
        preload: Modules that a worker imports before it is ready; those that are not installed are skipped.

    Raises:
        ExecutionError: `load` cannot be found by another process; code "worker-not-started".
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], object],
        max_workers: int | None = None,
        memory_bytes: int | None = None,
        preload: Sequence[str] = (),
    ) -> None:
        self._name = name
        self._max_workers = max(1, max_workers if max_workers is not None else usable_processors())
        self._memory = memory_bytes if memory_bytes is not None else memory_for_each_worker(self._max_workers)
        self._setup = Setup(os.getpid(), _by_name(load), tuple(preload), self._memory)
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}  # waiting and running, by id
        self._waiting: deque[_Run] = deque()
        self._slots: list[_Slot] = []
        self._idle: list[_Slot] = []  # the last to fall idle is the first to work: its caches are warm
        self._deadlines = Deadlines()
        self._closed = threading.Event()

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

    def start(
        self,
        id: str,  # noqa: A002 - the field's own word
        request: Request,
        seconds: float,
        done: Done,
        *,
        follows: bool = False,
    ) -> None:
        """Run `request` in a worker, soon; `done` is called once, from a thread of the pool.

        What `done` raises is logged and otherwise ignored. `done` holds up its worker, unless something follows: it
        should be quick.

        Args:
            follows: Run it right after the request of the same id, in the same worker, which reads it ahead; one may
                follow at a time. Where no request of the id waits or runs, it is a request like any other. If the
                one before it ends the worker, this one ends first, with "task-not-started".
        """
        run = _Run(id, request, seconds, done)
        refusal: AntiphonError | None = None
        before: _Run | None = None
        with self._lock:
            before = self._runs.get(id)
            if self._closed.is_set():
                refusal = failures.executor_closed(self._name)
            elif before is not None and follows and before.follower is None:
                before.follower = run
            elif before is not None:
                refusal = failures.task_already_started(id)
            else:
                self._runs[id] = run
                self._waiting.append(run)
                if self._idle:
                    self._idle.pop().wake.release()
                elif len(self._slots) < self._max_workers:
                    self._open_slot()
        if refusal is not None:
            done(refusal, 0.0)
        elif before is not None and before.slot is not None and before.slot.thread is not threading.current_thread():
            # The slot's own thread waits for an answer by now; and this one must not wait for a worker to read.
            threading.Thread(target=_send_ahead, args=(before,), name="antiphon-send", daemon=True).start()

    def cancel(self, id: str) -> None:  # noqa: A002
        """End the request and what follows it: a running one by killing its worker, a waiting one here and at once."""
        with self._lock:
            run = self._runs.get(id)
            waiting = run is not None and run in self._waiting
            if run is not None and waiting:
                self._waiting.remove(run)
                del self._runs[id]
        if run is None:
            return
        if waiting:
            if run.follower is not None:
                _tell(run.follower, failures.task_cancelled(), 0.0)
            _tell(run, failures.task_cancelled(), 0.0)
        else:
            self._stop(run, failures.task_cancelled())

    def close(self) -> None:
        """Kill all workers and forget all requests; no `done` is called from here on. Takes under a second."""
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
        """The life of a slot: keep a worker ready, take the next request, run it, tell."""
        while True:
            unready = self._make_ready(slot)
            run = self._take(slot)
            if run is not None:
                while run is not None:
                    begun = time.perf_counter()
                    outcome = unready or self._execute(slot, run)
                    run = self._finish(slot, run, outcome, time.perf_counter() - begun)
            elif self._closed.is_set():
                break
            else:
                slot.wake.acquire()
        self._discard(slot)

    def _take(self, slot: _Slot) -> _Run | None:
        """The next waiting request, or None, having put the slot among the idle."""
        with self._lock:
            if self._closed.is_set():
                return None
            if not self._waiting:
                self._idle.append(slot)
                return None
            run = self._waiting.popleft()
            run.slot, run.worker = slot, slot.worker
            return run

    def _make_ready(self, slot: _Slot) -> AntiphonError | None:
        """Give the slot a worker that has loaded, or say why it has none."""
        if slot.worker is not None and slot.worker.is_alive():
            return None
        self._discard(slot)
        if self._closed.is_set():
            return failures.executor_closed(self._name)
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
            answer = failures.worker_not_started(f"It ended while it loaded. {answer}", answer.details)
        except Exception as error:  # noqa: BLE001 - an error of the loader's own making that cannot be unpickled here
            answer = failures.worker_not_started(f"{type(error).__name__}: {error}")
        finally:
            self._deadlines.clear(slot)
        if answer is None:
            return None
        self._discard(slot)
        return answer if isinstance(answer, AntiphonError) else failures.worker_not_started(f"It answered {answer!r}.")

    def _execute(self, slot: _Slot, run: _Run) -> object:
        worker = run.worker
        assert worker is not None
        self._deadlines.set(slot, run.seconds, lambda: self._stop(run, failures.time_exhausted(run.seconds)))
        try:
            with slot.sending:
                if not run.sent:
                    worker.send(run.request)
                    run.sent = True
            _send_ahead(run)
            return worker.receive()
        except (OSError, EOFError):
            death = worker.reap()
            self._discard(slot)
            return failures.worker_died(death.status, death.printed, self._memory)
        except Exception as error:  # noqa: BLE001 - what pickle raises is up to the classes of the values
            # Part of the answer may still be in the pipe.
            self._discard(slot)
            return run.request.failed(error)
        finally:
            self._deadlines.clear(slot)

    def _finish(self, slot: _Slot, run: _Run, outcome: object, seconds: float) -> _Run | None:
        """Tell how it ended; returns what the same worker runs next."""
        with self._lock:
            # After `close` nobody waits for the report any more.
            wanted = self._runs.pop(run.id, None) is run
            outcome = run.verdict or outcome
            stopped = run.verdict is not None
            # A heap that has been at its limit is fragmented, and the next request deserves all of it.
            spent = stopped or (isinstance(outcome, AntiphonError) and outcome.code == "worker-memory")
            follower = run.follower if wanted else None
            goes_on = follower is not None and not spent and slot.worker is not None
            if follower is not None and goes_on:
                follower.slot, follower.worker = slot, slot.worker
                self._runs[run.id] = follower
        if spent:
            self._discard(slot)
        if follower is not None and not goes_on:
            cancelled = run.verdict is not None and run.verdict.code == failures.task_cancelled().code
            _tell(follower, failures.task_cancelled() if cancelled else failures.task_not_started(), 0.0)
        if wanted:
            _tell(run, outcome, seconds)
        return follower if goes_on else None

    def _stop(self, run: _Run, verdict: AntiphonError) -> None:
        """End a running request with `verdict`, unless it has ended or was stopped already."""
        with self._lock:
            if self._runs.get(run.id) is not run or run.verdict is not None:
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


def _send_ahead(run: _Run) -> None:
    """Give the worker what follows `run`, if it has the one and not yet the other."""
    slot, worker = run.slot, run.worker
    assert slot is not None
    with slot.sending:
        follower = run.follower
        if worker is None or follower is None or follower.sent or not run.sent:
            return
        # A request that cannot be sent says so when its turn comes; a worker that has died is found by who listens.
        with suppress(Exception):
            worker.send(follower.request)
            follower.sent = True


def _by_name(load: Callable[[], object]) -> bytes:
    try:
        name = pickle.dumps(load)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        found = str(error)
    else:
        if b"__main__" not in name:
            return name
        found = "It is defined in the script or notebook itself, which workers never run."
    raise failures.worker_not_started(f"What loads it is not a function of an importable module: {found}")


def _tell(run: _Run, outcome: object, seconds: float) -> None:
    try:
        run.done(outcome, seconds)
    except Exception:  # noqa: BLE001 - the callback belongs to the caller; the slot has to live on
        _LOG.exception("The outcome of %s could not be taken", run.id)
