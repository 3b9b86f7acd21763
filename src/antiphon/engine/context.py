"""What every action of the engine works with: the ports, the settings, and this process's identity."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from antiphon.domain.jobs import Job
from antiphon.domain.results import Outcome
from antiphon.engine.ids import new_id
from antiphon.ports.blob_store import BlobStore
from antiphon.ports.clock import Clock
from antiphon.ports.executor import Executor
from antiphon.ports.job_store import JobStore
from antiphon.ports.liveness import Liveness
from antiphon.ports.program_codec import ProgramCodec
from antiphon.ports.target_driver import TargetDriver


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Times in seconds, sizes in bytes.

    Attributes:
        inline_seconds: A plan estimated to cost at most this, and safe, runs inline.
        lease_seconds: An engine that has not beaten for so long has lost its jobs.
        heartbeat_seconds: How often an engine beats.
        poll_seconds: How often an idle engine looks for work of other processes, and for sessions that are due.
        max_attempts: A job whose engine died under it so many times fails instead of being tried again. Large, since
            from its second attempt on a job runs in a worker process and is hardly ever to blame.
        small_bytes: Values up to this size live in the row, larger ones in the blob store.
    """

    inline_seconds: float = 0.1
    lease_seconds: float = 30.0
    heartbeat_seconds: float = 5.0
    poll_seconds: float = 0.25
    max_attempts: int = 25
    small_bytes: int = 65_536


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that ended in this process, with its outcomes while they are still in memory."""

    job: Job
    outcomes: tuple[Outcome, ...] | None = None


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
    engine_id: str = field(default_factory=lambda: new_id("eng"))
    wakeup: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)
    environment_digest: str = ""
    stored_digests: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    """Jobs this process is working on: added before the lease is stored, taken out after the end is."""
    _ended: dict[str, threading.Event] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ended_event(self, job_id: str) -> threading.Event:
        """An event that is set when the job ends in this process."""
        with self._lock:
            return self._ended.setdefault(job_id, threading.Event())

    def announce_end(self, job_id: str) -> None:
        """Wake whoever waits for the job in this process."""
        with self._lock:
            event = self._ended.pop(job_id, None)
        if event is not None:
            event.set()
