"""What every action of the engine works with: the ports, the settings, and this process's identity."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from antiphon.domain.jobs import Job
from antiphon.domain.results import Outcome
from antiphon.engine.ids import new_id
from antiphon.engine.recent import Recent
from antiphon.ports.blob_store import BlobStore
from antiphon.ports.clock import Clock
from antiphon.ports.executor import Executor
from antiphon.ports.job_store import JobStore
from antiphon.ports.liveness import Liveness
from antiphon.ports.program_codec import ProgramCodec
from antiphon.ports.provider import Provider
from antiphon.ports.target_driver import TargetDriver

REMEMBERED_DIGESTS = 50_000
REMEMBERED_S = 3_600.0

log = logging.getLogger("antiphon.engine")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Times in seconds, sizes in bytes.

    Attributes:
        inline_seconds: A plan estimated to cost at most this, and safe, runs inline.
        lease_seconds: An engine whose heart has stopped for so long has lost its jobs (see `leases.recover`).
        heartbeat_seconds: How often an engine beats.
        poll_seconds: How often an idle engine looks for work of other processes, and for sessions that are due.
        max_attempts: A job that was taken so many times and lost each time fails instead of being tried again. Large,
            since from its second attempt on a job runs in a worker process and is hardly ever to blame.
        small_bytes: Values up to this size live in the row, larger ones in the blob store.
        provider_tries: A job that its provider has refused so many times for reasons that pass is failed.
        provider_retry_seconds: How long to wait before the second try; each later one waits about twice as long.
        provider_most_seconds: The longest wait between two tries, and between two looks at a job.
        provider_loose_seconds: How often to look for lines of the ledger whose job has ended without them.
        provider_calls: Calls to providers at the same time.
    """

    inline_seconds: float = 0.1
    lease_seconds: float = 30.0
    heartbeat_seconds: float = 5.0
    poll_seconds: float = 0.25
    max_attempts: int = 25
    small_bytes: int = 65_536
    provider_tries: int = 10
    provider_retry_seconds: float = 0.5
    provider_most_seconds: float = 30.0
    provider_loose_seconds: float = 15.0
    provider_calls: int = 16


@dataclass(frozen=True, slots=True)
class Finished:
    """A job after a submit, with its outcomes if it ended in this process and they are still in memory.

    Attributes:
        repeated: True when the submit's key named a job that was there already: this is that job.
    """

    job: Job
    outcomes: tuple[Outcome, ...] | None = None
    repeated: bool = False


class JobObserver(Protocol):
    """Told of jobs once what happened to them is stored; for metrics, traces and logs.

    Called in whatever thread did it, so it must not block. What other processes do is not told here.
    """

    def submitted(self, job: Job) -> None:
        """A new job was stored by this process; it may have ended already."""
        ...

    def ended(self, job: Job) -> None:
        """This process ended the job, whoever submitted it; once for each job."""
        ...


class Follower(Protocol):
    """Whoever has jobs run by providers; see `engine.providers.follower`."""

    def start(self) -> None:
        """Begin, in threads of its own."""
        ...

    def take(self, job: Job, done: Callable[[], None]) -> None:
        """See a claimed job through; `done` is called once this engine works on it no more. Returns at once."""
        ...

    def stop(self, task_id: str) -> None:
        """Look at a job that was cancelled, or that another engine has by now; unknown ones are ignored."""
        ...

    def nudge(self, task_id: str) -> None:
        """Look at a job again now; unknown ones are ignored."""
        ...

    def has(self, task_id: str) -> bool:
        """Whether it sees this attempt at a job through."""
        ...

    def close(self) -> None:
        """Begin nothing any more, and wait for calls that are under way."""
        ...


@dataclass(slots=True)
class EngineContext:
    """The ports, and what this process knows and need not ask the store for."""

    store: JobStore
    blobs: BlobStore
    clock: Clock
    codec: ProgramCodec
    liveness: Liveness
    drivers: Mapping[str, TargetDriver]
    executors: Mapping[str, Executor]
    environment: Mapping[str, str]
    settings: EngineSettings = EngineSettings()
    providers: Mapping[str, Provider] = field(default_factory=dict)
    """Who runs the targets that are elsewhere, by target; the others run on executors of this machine."""
    follower: Follower | None = None
    """Where there are providers."""
    engine_id: str = field(default_factory=lambda: new_id("eng"))
    wakeup: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)
    environment_digest: str = ""
    beating: bool = False
    """Whether a thread of this process keeps the engine's lease alive."""
    registered: bool = False
    """Whether the store knows this engine, so that others can see it die."""
    stored_digests: set[str] = field(default_factory=set)
    """Artefacts this process has stored and need not store again; see `remember`."""
    held: set[str] = field(default_factory=set)
    """Tasks this process is working on: added before the lease is stored, taken out after the end is."""
    queues: set[str] = field(default_factory=set)
    """Targets with slots whose queues this engine ran when it last looked."""
    interrupted_at: float | None = None
    """When jobs last came back from the workers unended, through no fault of their own: a cluster that is gone, say."""
    turns: dict[str, int] = field(default_factory=dict)
    """When each target without slots last got a worker of this engine, counted in turns."""
    suspects: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Engines that are late: the heartbeat last seen, and when it was first seen to be late."""
    on_change: list[Callable[[str], None]] = field(default_factory=list)
    """Told the id of a job that this process has just submitted or ended; called in any thread, must neither block nor
    raise. Changes by other processes are in the store's log only."""
    observers: list[JobObserver] = field(default_factory=list)
    recent: Recent = field(default_factory=Recent)
    """What this process read a moment ago and may use again."""
    stoppers: dict[str, Callable[[], None]] = field(default_factory=dict)
    """By task: of what may have nothing at an executor while it works on it, how it is stopped."""
    _remembered_since: float = field(default_factory=time.monotonic)
    _waiters: dict[str, list[threading.Event]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def has_stored(self, digest: str) -> bool:
        """Whether this process stored an artefact within the last hour or so.

        What jobs of the last day name is never swept away, so what is in mind for less is still there.
        """
        if time.monotonic() - self._remembered_since > REMEMBERED_S:
            self.stored_digests.clear()
            self._remembered_since = time.monotonic()
        return digest in self.stored_digests

    def remember(self, digests: Iterable[str]) -> None:
        """Keep in mind what is stored, up to REMEMBERED_DIGESTS; storing a thing twice only costs time."""
        if len(self.stored_digests) >= REMEMBERED_DIGESTS:
            self.stored_digests.clear()
        self.stored_digests.update(digests)

    def stop_task(self, task_id: str) -> None:
        """Stop a task that runs in this process, or ask its provider to; others are ignored."""
        for executor in self.executors.values():
            executor.cancel(task_id)
        if self.follower is not None:
            self.follower.stop(task_id)
        stop = self.stoppers.get(task_id)
        if stop is not None:
            stop()

    def close_runners(self) -> None:
        """Stop what runs in this process, and see nothing through at providers any more."""
        if self.follower is not None:
            self.follower.close()
        for executor in self.executors.values():
            executor.close()

    @contextmanager
    def watching_end(self, job_id: str) -> Iterator[threading.Event]:
        """An event that is set when the job ends in this process; forgotten with the block."""
        event = threading.Event()
        with self._lock:
            self._waiters.setdefault(job_id, []).append(event)
        try:
            yield event
        finally:
            with self._lock:
                waiters = self._waiters[job_id]
                waiters.remove(event)
                if not waiters:
                    del self._waiters[job_id]

    def announce_end(self, job_id: str) -> None:
        """Wake whoever waits for the job in this process."""
        with self._lock:
            for event in self._waiters.get(job_id, ()):
                event.set()
        self.announce_change(job_id)

    def announce_change(self, job_id: str) -> None:
        """Tell `on_change` of a job whose change is stored."""
        for listener in tuple(self.on_change):
            listener(job_id)

    def tell_submitted(self, job: Job) -> None:
        """Tell the observers of a new job that is stored."""
        for observer in tuple(self.observers):
            try:
                observer.submitted(job)
            except Exception:
                # What watches must not change what happens: the job is stored.
                log.exception("an observer of jobs failed")

    def tell_ended(self, job: Job) -> None:
        """Tell the observers of a job whose end is stored."""
        for observer in tuple(self.observers):
            try:
                observer.ended(job)
            except Exception:
                log.exception("an observer of jobs failed")
