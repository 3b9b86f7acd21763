"""The embedded connection: the engine runs in the caller's own process."""

from __future__ import annotations

import atexit
import getpass
import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from antiphon.client.connection import ReplayView, TargetView
from antiphon.client.embedded_devices import EmbeddedDevices
from antiphon.client.embedded_queues import EmbeddedQueues
from antiphon.client.tracing import current_trace
from antiphon.composition import RunningEngine, build_engine, trace_jobs
from antiphon.domain.badges import Badge
from antiphon.domain.batches import BatchItem
from antiphon.domain.jobs import Job, as_told
from antiphon.domain.policies.life import LivingDevice, StillDevice
from antiphon.domain.results import Outcome
from antiphon.domain.sessions import Session
from antiphon.engine import job_record, sessions
from antiphon.engine.archived import where_it_went
from antiphon.engine.badges import give_badge
from antiphon.engine.cancel import cancel, missing_job
from antiphon.engine.context import EngineSettings, Finished
from antiphon.engine.estimates import expected_wait
from antiphon.engine.queues.policies import known_policy
from antiphon.engine.replay import replay
from antiphon.engine.requests import OpenSessionRequest, SubmitRequest
from antiphon.engine.results import items_of, outcomes_of
from antiphon.engine.submit import submit
from antiphon.engine.wait import wait
from antiphon.ports.clock import Clock
from antiphon.ports.job_store import JobQuery, SessionQuery


class EmbeddedConnection(EmbeddedQueues, EmbeddedDevices):
    """Implements `Connection` on an engine of this process."""

    def __init__(
        self,
        home: Path | str | None = None,
        *,
        workspace: str = "default",
        database: str | None = None,
        settings: EngineSettings | None = None,
        clock: Clock | None = None,
        workers: int | None = None,
        dispatch: bool = True,
        targets: Iterable[LivingDevice | StillDevice] = (),
    ) -> None:
        self._engine: RunningEngine = build_engine(
            home,
            database=database,
            settings=settings,
            clock=clock,
            workers=workers,
            dispatch=dispatch,
            devices=targets,
        )
        self._ctx = self._engine.ctx
        trace_jobs(self._ctx)
        self.workspace = workspace
        self.who = _user()
        # At exit the engine gives its jobs back to the queue, so that another process need not wait for a dead lease.
        self._finalizer = weakref.finalize(self, RunningEngine.close, self._engine)
        atexit.register(self._finalizer)

    @property
    def location(self) -> str:
        """The folder it lives in."""
        return str(self._engine.home)

    def targets(self) -> list[TargetView]:
        """Every target with its queue."""
        with self._ctx.store.read() as tx:
            depths, badges = tx.queue_depths(), tx.badges()
        return [
            TargetView(
                driver.info,
                *depths.get(name, (0, 0)),
                expected_wait(self._ctx, name),
                policy.slots,
                policy.access,
                badges.get(name),
            )
            for name, driver in self._ctx.drivers.items()
            for policy in (known_policy(self._ctx, name),)
        ]

    def give_badge(self, badge: Badge) -> Badge:
        """See `engine.badges`; who and when are the engine's to say."""
        return give_badge(
            self._ctx,
            target=badge.target,
            version=badge.version,
            antiphon=badge.antiphon,
            passed=badge.passed,
            not_applicable=badge.not_applicable,
            failed=badge.failed,
            by=self.who,
        )

    def submit(self, request: SubmitRequest) -> Finished:
        """See `engine.submit`."""
        return submit(self._ctx, replace(request, trace=request.trace or current_trace()))

    def job(self, job_id: str) -> Job:
        """The job as it stands."""
        with self._ctx.store.read() as tx:
            found = tx.job(job_id, workspace=self.workspace)
            if found is None:
                raise missing_job(tx, self.workspace, job_id)
        return as_told(found)

    def jobs(self, query: JobQuery) -> list[Job]:
        """Jobs that match."""
        with self._ctx.store.read() as tx:
            return [as_told(job) for job in tx.find_jobs(query)]

    def wait(self, job_id: str, timeout: float | None, watch: Callable[[Job], None] | None) -> Job:
        """See `engine.wait`."""
        return wait(self._ctx, self.workspace, job_id, timeout, watch)

    def cancel(self, job_id: str) -> Job:
        """See `engine.cancel`."""
        return cancel(self._ctx, self.workspace, job_id, who=self.who)

    def outcomes(self, job: Job) -> tuple[Outcome, ...]:
        """See `engine.results`."""
        return outcomes_of(self._ctx, job)

    def items(self, job: Job) -> list[BatchItem]:
        """Items of a batch."""
        return items_of(self._ctx, job)

    def record(self, job: Job) -> dict[str, Any]:
        """See `engine.job_record`."""
        return job_record.record_of(self._ctx, job)

    def events(self, subject: str) -> list[dict[str, Any]]:
        """The log of a job or session."""
        with self._ctx.store.read() as tx:
            return [job_record.event_to_json(event) for event in tx.events(subject)]

    def replay(self, job: Job, timeout: float | None) -> ReplayView:
        """See `engine.replay`."""
        done = replay(self._ctx, job, who=self.who, timeout=timeout)
        return ReplayView(done.job, done.original, done.agreement, done.changed)

    def open_session(self, request: OpenSessionRequest) -> Session:
        """See `engine.sessions`."""
        return sessions.open_new_session(self._ctx, request)

    def session(self, session_id: str) -> Session:
        """The session as it stands."""
        with self._ctx.store.read() as tx:
            found = tx.session(session_id, workspace=self.workspace)
            if found is None:
                gone = where_it_went(tx, self.workspace, session_id)
                raise gone or sessions.session_not_found(session_id)
        return found

    def sessions(self, query: SessionQuery) -> list[Session]:
        """Sessions that match."""
        with self._ctx.store.read() as tx:
            return tx.find_sessions(query)

    def close_session(self, session_id: str) -> Session:
        """No new jobs; the queued finish."""
        return sessions.close_session(self._ctx, self.workspace, session_id, who=self.who)

    def cancel_session(self, session_id: str) -> Session:
        """No new jobs; the queued are cancelled."""
        return sessions.cancel_session(self._ctx, self.workspace, session_id, who=self.who)

    def close(self) -> None:
        """Stop the engine; what it was running goes back into the queue."""
        self._finalizer()
        atexit.unregister(self._finalizer)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
