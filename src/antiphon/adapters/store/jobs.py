"""The part of a transaction that is about jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, literal_column, select, text, update
from sqlalchemy.types import Integer

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.rows import CHANGING_JOB_COLUMNS, job_changes, job_of, job_row
from antiphon.adapters.store.statements import Statement, given, insert_into
from antiphon.adapters.store.tables import jobs
from antiphon.adapters.store.telling import NOTIFY
from antiphon.domain.jobs import Job, JobEvent, JobStatus, as_told
from antiphon.ports.job_store import KeyTakenError, VersionConflictError

_FOR_DISPATCHERS = frozenset({JobStatus.WAITING, JobStatus.CANCELLATION_REQUESTED})

_c = jobs.c
# A partial index is used only where the query repeats its condition word for word, so this is no parameter.
_IS_WAITING = _c.status == literal_column("'Waiting'")
_LIMIT: Any = bindparam("limit", type_=Integer())
# Left to itself SQLAlchemy adds this for SQLite as a parameter.
_NO_OFFSET: Any = literal_column("0")

_ADD = insert_into(jobs)
_ADD_UNLESS_KEY = insert_into(jobs, skip_conflict_on=(_c.workspace, _c.key), where=text("key IS NOT NULL"))
_SAVE = Statement(
    (*CHANGING_JOB_COLUMNS, "saved_id", "saved_version"),
    lambda _: (
        update(jobs)
        .where(
            _c.id == bindparam("saved_id", type_=_c.id.type),
            _c.version == bindparam("saved_version", type_=_c.version.type),
        )
        .values({name: given(jobs, name) for name in CHANGING_JOB_COLUMNS})
    ),
)
_BY_ID = Statement(("id",), lambda _: select(jobs).where(_c.id == given(jobs, "id")))
_BY_ID_LOCKED = Statement(
    ("id",), lambda _: select(jobs).where(_c.id == given(jobs, "id")).with_for_update(key_share=True)
)
_BY_KEY = Statement(
    ("workspace", "key"),
    lambda _: select(jobs).where(_c.workspace == given(jobs, "workspace"), _c.key == given(jobs, "key")),
)
_BY_WORK = Statement(
    ("workspace", "work_digest", "limit"),
    lambda _: (
        select(jobs)
        .where(
            _c.workspace == given(jobs, "workspace"),
            _c.work_digest == given(jobs, "work_digest"),
            _c.status == literal_column("'Succeeded'"),
        )
        .order_by(_c.created_at.desc())
        .limit(_LIMIT)
        .offset(_NO_OFFSET)
    ),
)


_OWNED = Statement(
    ("owner",), lambda _: select(jobs).where(_c.owner == given(jobs, "owner")).order_by(_c.created_at, _c.id)
)


def _pending(*, lock: bool) -> Statement:
    query = (
        select(jobs)
        .where(_c.session_id == given(jobs, "session_id"), _c.ended_at.is_(None))
        .order_by(_c.created_at, _c.id)
    )
    return Statement(("session_id",), lambda _: query.with_for_update(key_share=True) if lock else query)


_PENDING = _pending(lock=False)
_PENDING_LOCKED = _pending(lock=True)


class JobTransaction(EventTransaction):
    """Jobs: see `antiphon.ports.job_store.Transaction` for what each method promises."""

    def add_job(self, job: Job, events: Sequence[tuple[int, str, str, JobEvent]]) -> None:
        """Insert `job` with its log.

        Raises:
            KeyTakenError: Its key is taken in its workspace.
        """
        if job.key is None:
            self._runner.change(_ADD, job_row(job))
        elif not self._runner.change(_ADD_UNLESS_KEY, job_row(job)):
            first = self.job_by_key(job.workspace, job.key)
            raise KeyTakenError(
                f"The key {job.key!r} is taken by job {first.id if first else 'unknown'}.",
                next_step="Use a new key for a new request.",
                details={"id": first.id if first else None},
            )
        self._log(
            [(job.id, version, name, status, event.at, event.who, event.why) for version, name, status, event in events]
        )
        self._tell_dispatchers(job)

    def save_job(self, before: Job, after: Job, event: JobEvent) -> None:
        """Store `after` if the stored version is `before.version`, and append `event` to its log.

        Raises:
            VersionConflictError: The stored version is another one.
        """
        if not self._runner.change(_SAVE, (*job_changes(after), before.id, before.version)):
            raise VersionConflictError(
                f"Job {before.id} was changed by somebody else meanwhile.",
                cause=f"it is no longer at version {before.version}",
                next_step="Read it again and decide again.",
                details={"id": before.id, "version": before.version},
            )
        told = as_told(after).status.value
        self._log([(after.id, after.version, event.trigger.value, told, event.at, event.who, event.why)])
        self._tell_dispatchers(after)

    def _tell_dispatchers(self, job: Job) -> None:
        """Wake other processes' dispatchers at the commit, if the job is theirs to take or to stop."""
        if self._runner.dialect_name == "postgresql" and job.status in _FOR_DISPATCHERS:
            self._runner.change(NOTIFY, ())

    def job(self, job_id: str, *, workspace: str | None = None) -> Job | None:
        """The job, or None; with a workspace, None also when it belongs to another."""
        row = self._runner.row(_BY_ID_LOCKED if self._runner.writable else _BY_ID, (job_id,))
        if row is None or (workspace is not None and row[1] != workspace):
            return None
        return job_of(row)

    def job_by_key(self, workspace: str, key: str) -> Job | None:
        """The job submitted under an idempotency key."""
        row = self._runner.row(_BY_KEY, (workspace, key))
        return None if row is None else job_of(row)

    def succeeded_work(self, workspace: str, work_digest: str) -> Job | None:
        """The newest job of a workspace with this `work_digest` that succeeded."""
        row = self._runner.row(_BY_WORK, (workspace, work_digest, 1))
        return None if row is None else job_of(row)

    def owned_jobs(self, owner: str) -> list[Job]:
        """Jobs an engine holds a lease on."""
        return [job_of(row) for row in self._runner.rows(_OWNED, (owner,))]

    def pending_jobs(self, session_id: str) -> list[Job]:
        """Jobs of a session that are not final, oldest first."""
        statement = _PENDING_LOCKED if self._runner.writable else _PENDING
        return [job_of(row) for row in self._runner.rows(statement, (session_id,))]
