"""The durable record: jobs, batch items, sessions, events, artefacts, results, and who holds which lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from antiphon.domain.batches import BatchItem
from antiphon.domain.jobs import Job, JobEvent, JobStatus
from antiphon.domain.sessions import Session, SessionEvent, SessionStatus
from antiphon.errors import ConflictError
from antiphon.ports.access_store import AccessTransaction
from antiphon.ports.archive_store import ArchiveTransaction
from antiphon.ports.azure_store import AzureTransaction
from antiphon.ports.badge_store import BadgeTransaction
from antiphon.ports.ledger_store import LedgerTransaction
from antiphon.ports.queue_store import QueueTransaction
from antiphon.ports.webhook_store import WebhookTransaction


class VersionConflictError(ConflictError):
    """Somebody else changed it first; read again and decide again."""

    code = "version-conflict"


class KeyTakenError(ConflictError):
    """A job (or session) with this idempotency key exists in the workspace; `details["id"]` names it."""

    code = "key-taken"


class ResultExistsError(ConflictError):
    """The job already has its one result."""

    code = "result-exists"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One line of an event log, as read back. `seq` grows within the store; `version` is the subject's after it."""

    seq: int
    subject: str
    version: int
    event: str
    status: str
    at: float
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs of a workspace, newest first unless `oldest_first`; None means any."""

    workspace: str
    status: JobStatus | None = None
    target: str | None = None
    session_id: str | None = None
    name: str | None = None
    id_prefix: str | None = None
    created_after: float | None = None
    created_before: float | None = None
    limit: int = 100
    before: tuple[float, str] | None = None
    """Cursor: (created_at, id) of the last job already seen; only jobs after it in the chosen order are returned."""
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions of a workspace, newest first; None means any."""

    workspace: str
    status: SessionStatus | None = None
    target: str | None = None
    id_prefix: str | None = None
    limit: int = 100
    before: tuple[float, str] | None = None
    """Cursor: (created_at, id) of the last session already seen."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """An immutable value by content hash: a program, an observable, parameter values, a large result.

    `body` is None when the bytes are in the blob store under `blob`.
    """

    digest: str
    kind: str
    body: bytes | None
    blob: str | None = None
    facts: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class EngineLease:
    """A running engine process: jobs it owns are its as long as it is alive and its heart beats."""

    id: str
    host: str
    pid: int
    process_started_at: float
    started_at: float
    heartbeat_at: float


@dataclass(frozen=True, slots=True)
class StoredResult:
    """The one result of a job: JSON text in the row, or the digest of an artefact when it is large."""

    job_id: str
    fence: int
    body: str | None
    artefact: str | None


class Transaction(
    AccessTransaction,
    WebhookTransaction,
    AzureTransaction,
    QueueTransaction,
    LedgerTransaction,
    ArchiveTransaction,
    BadgeTransaction,
    Protocol,
):
    """One atomic unit: all of it is stored or none. Reads see the transaction's own writes.

    A write transaction is serialised against others that touch the same rows: what `job` and `session` return cannot
    change before the transaction ends (SQLite: the write lock; PostgreSQL: row locks, `FOR UPDATE`).
    """

    # --- jobs

    def add_job(self, job: Job, events: Sequence[tuple[int, str, str, JobEvent]]) -> None:
        """Insert `job` with its log: (version, event name, status, event) for each line.

        Raises:
            KeyTakenError: Its key is taken in its workspace.
        """
        ...

    def save_job(self, before: Job, after: Job, event: JobEvent) -> None:
        """Store `after` if the stored version is `before.version`, and append `event` to its log.

        Raises:
            VersionConflictError: The stored version is another one.
        """
        ...

    def job(self, job_id: str, *, workspace: str | None = None) -> Job | None:
        """The job, or None; with a workspace, None also when it belongs to another."""
        ...

    def job_by_key(self, workspace: str, key: str) -> Job | None:
        """The job submitted under an idempotency key."""
        ...

    def succeeded_work(self, workspace: str, work_digest: str) -> Job | None:
        """The newest job of a workspace with this `work_digest` that succeeded."""
        ...

    def find_jobs(self, query: JobQuery) -> list[Job]:
        """Jobs that match, in the query's order; a status is the one that users are told (`domain.jobs.as_told`)."""
        ...

    def count_jobs(self, workspace: str | None = None, *, target: str | None = None) -> dict[JobStatus, int]:
        """How many jobs are in each status, as users are told it."""
        ...

    def queue_depths(self) -> dict[str, tuple[int, int]]:
        """How many jobs of all workspaces wait and run, as users are told; a target without either is left out."""
        ...

    def fold_counts(self) -> None:
        """Put together what connections counted that are gone; to be done now and then."""
        ...

    def oldest_waiting(self, targets: Sequence[str]) -> dict[str, float]:
        """When the oldest waiting job of each target was submitted; a target without one is left out."""
        ...

    def jobs_before(self, job: Job, most: int) -> int:
        """How many jobs of its target wait in a class before a waiting job's, or older in its own; up to `most`."""
        ...

    def owned_jobs(self, owner: str) -> list[Job]:
        """Jobs an engine holds a lease on."""
        ...

    def pending_jobs(self, session_id: str) -> list[Job]:
        """Jobs of a session that are not final, oldest first."""
        ...

    # --- batch items

    def add_items(self, job_id: str, count: int) -> None:
        """Insert `count` waiting items."""
        ...

    def items(self, job_id: str) -> list[BatchItem]:
        """Items in order of index; empty for a job that is not a batch."""
        ...

    def save_item(self, job_id: str, before: BatchItem, after: BatchItem) -> None:
        """Store `after` if the stored status is `before.status`.

        Raises:
            VersionConflictError: It is not.
        """
        ...

    # --- results and artefacts

    def add_result(self, result: StoredResult) -> None:
        """Insert the one result of a job.

        Raises:
            ResultExistsError: It already has one.
        """
        ...

    def result(self, job_id: str) -> StoredResult | None:
        """The result, or None."""
        ...

    def add_artefact(self, artefact: Artefact) -> None:
        """Insert it unless its digest is there already."""
        ...

    def artefact(self, digest: str) -> Artefact | None:
        """The artefact, or None."""
        ...

    # --- sessions

    def add_session(self, session: Session, event: SessionEvent) -> None:
        """Insert `session` with the first line of its log.

        Raises:
            KeyTakenError: Its key is taken by a session of its workspace that is not final.
        """
        ...

    def save_session(self, before: Session, after: Session, event: SessionEvent) -> None:
        """Store `after` if the stored version is `before.version`, and append `event` to its log.

        Raises:
            VersionConflictError: The stored version is another one.
        """
        ...

    def session(self, session_id: str, *, workspace: str | None = None) -> Session | None:
        """The session, or None; with a workspace, None also when it belongs to another."""
        ...

    def session_by_key(self, workspace: str, key: str) -> Session | None:
        """The newest session opened under a key."""
        ...

    def find_sessions(self, query: SessionQuery) -> list[Session]:
        """Sessions that match, newest first."""
        ...

    def live_sessions(self) -> dict[str, int]:
        """How many sessions of all workspaces have not ended, by target."""
        ...

    def due_sessions(self, now: float) -> list[Session]:
        """Sessions of all workspaces whose `due_at` has passed."""
        ...

    def busy_until(self, session_id: str, started_at: float, job_id: str) -> float | None:
        """Until when jobs of a session ran that were started before one of its jobs was; None if none was.

        Beyond all time while one runs. Of jobs that were started together the id decides, and a job that has another's
        result never ran.
        """
        ...

    # --- logs and leases

    def events(self, subject: str) -> list[StoredEvent]:
        """The log of one job or session, oldest first."""
        ...

    def last_seq(self) -> int:
        """`seq` of the newest line of all logs; 0 when there is none."""
        ...

    def events_after(self, seq: int, limit: int) -> list[StoredEvent]:
        """Lines of all logs with a larger `seq`, oldest first.

        On PostgreSQL a line may become visible after one with a larger `seq`: who must not miss any reads some way
        back again.
        """
        ...

    def workspace_events(self, workspace: str, after: int, until: int) -> list[StoredEvent]:
        """The lines of one workspace with `after < seq <= until`, oldest first; all lines in between are looked at."""
        ...

    def save_engine(self, engine: EngineLease) -> None:
        """Insert or replace an engine's lease (registration and heartbeat)."""
        ...

    def engines(self) -> list[EngineLease]:
        """All registered engines."""
        ...

    def remove_engine(self, engine_id: str) -> None:
        """Forget an engine that shut down or died."""
        ...


class JobStore(Protocol):
    """A database behind the port. Thread-safe; every method may be called from any thread."""

    @property
    def url(self) -> str:
        """Where it is, without any password."""
        ...

    def write(self) -> AbstractContextManager[Transaction]:
        """A write transaction, committed when the block ends, rolled back when it raises.

        Raises:
            StoreError: The disk is full, the file corrupt or not writable, or the database stayed locked too long.
        """
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """A read transaction: a consistent view, no write lock."""
        ...

    def close(self) -> None:
        """Give back every connection."""
        ...
