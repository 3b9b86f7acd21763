"""The protocol between the client's objects and an engine, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from antiphon.client.device_connection import DeviceConnection
from antiphon.client.queue_connection import QueueConnection
from antiphon.domain.badges import Badge
from antiphon.domain.batches import BatchItem
from antiphon.domain.jobs import Job
from antiphon.domain.queues import Access
from antiphon.domain.results import Outcome
from antiphon.domain.sessions import Session
from antiphon.domain.targets import TargetInfo
from antiphon.engine.agreement import Agreement
from antiphon.engine.context import Finished
from antiphon.engine.requests import OpenSessionRequest, SubmitRequest
from antiphon.ports.job_store import JobQuery, SessionQuery


@dataclass(frozen=True, slots=True)
class TargetView:
    """A target with what changes from moment to moment.

    Attributes:
        queue_depth: Jobs waiting for it, of everybody.
        running: Jobs it is executing.
        expected_wait: Seconds that a job of standard priority submitted now would wait, at the median; None: not known.
        slots: How many jobs it runs at a time; None: as many as there are workers.
        access: What a session gets of it.
        badge: How it did when the contract kit was last run against it; None: it never was.
    """

    info: TargetInfo
    queue_depth: int
    running: int
    expected_wait: float | None = None
    slots: int | None = None
    access: Access = Access.SHARED
    badge: Badge | None = None


@dataclass(frozen=True, slots=True)
class ReplayView:
    """A finished replay as the client sees it."""

    job: Job
    original: Job
    agreement: Agreement
    changed: tuple[str, ...]


class Connection(QueueConnection, DeviceConnection, Protocol):
    """An engine in this process, or behind HTTP: the same calls, the same errors."""

    @property
    def workspace(self) -> str:
        """Name of the workspace all calls are scoped to."""
        ...

    @property
    def who(self) -> str:
        """Who calls, for the records."""
        ...

    @property
    def location(self) -> str:
        """The folder or URL behind it, for people."""
        ...

    def targets(self) -> list[TargetView]: ...  # noqa: D102
    def give_badge(self, badge: Badge) -> Badge: ...  # noqa: D102
    def submit(self, request: SubmitRequest) -> Finished: ...  # noqa: D102
    def job(self, job_id: str) -> Job: ...  # noqa: D102
    def jobs(self, query: JobQuery) -> list[Job]: ...  # noqa: D102
    def wait(self, job_id: str, timeout: float | None, watch: Callable[[Job], None] | None) -> Job: ...  # noqa: D102
    def cancel(self, job_id: str) -> Job: ...  # noqa: D102
    def outcomes(self, job: Job) -> tuple[Outcome, ...]: ...  # noqa: D102
    def items(self, job: Job) -> list[BatchItem]: ...  # noqa: D102
    def record(self, job: Job) -> dict[str, Any]: ...  # noqa: D102
    def events(self, subject: str) -> list[dict[str, Any]]: ...  # noqa: D102
    def replay(self, job: Job, timeout: float | None) -> ReplayView: ...  # noqa: D102
    def open_session(self, request: OpenSessionRequest) -> Session: ...  # noqa: D102
    def session(self, session_id: str) -> Session: ...  # noqa: D102
    def sessions(self, query: SessionQuery) -> list[Session]: ...  # noqa: D102
    def close_session(self, session_id: str) -> Session: ...  # noqa: D102
    def cancel_session(self, session_id: str) -> Session: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102
