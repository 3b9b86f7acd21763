"""The part of a transaction that takes old jobs and sessions out of the tables."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, delete, func, literal_column, select, text, tuple_
from sqlalchemy.types import Integer

from antiphon.adapters.store.archive_tables import archived_subjects
from antiphon.adapters.store.azure_tables import azure_items
from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.queue_tables import submissions
from antiphon.adapters.store.rows import job_of, session_of
from antiphon.adapters.store.statements import Statement, given, upsert_into
from antiphon.adapters.store.tables import batch_items, events, jobs, results, sessions
from antiphon.domain.jobs import Job
from antiphon.domain.sessions import Session
from antiphon.ports.archive_store import Archived

_LIMIT: Any = bindparam("limit", type_=Integer())
# Left to itself SQLAlchemy adds this for SQLite as a parameter.
_NO_OFFSET: Any = literal_column("0")

_JOB_WORKSPACES = Statement(
    (),
    lambda _: text(
        """
        WITH RECURSIVE names(name) AS (
            SELECT min(workspace) FROM jobs
            UNION ALL
            SELECT (SELECT min(workspace) FROM jobs WHERE workspace > names.name) FROM names WHERE name IS NOT NULL
        )
        SELECT name FROM names WHERE name IS NOT NULL
        """
    ),
)
_SESSION_WORKSPACES = Statement((), lambda _: select(sessions.c.workspace).distinct().order_by(sessions.c.workspace))


@lru_cache(maxsize=4)
def _ended(table: Any, *, after_cursor: bool) -> Statement:
    c = table.c
    # What was made earlier alone can have ended earlier; the index gives it in this order.
    query = select(table).where(
        c.workspace == given(table, "workspace"),
        c.created_at < bindparam("before", type_=c.created_at.type),
        c.ended_at < bindparam("ended", type_=c.ended_at.type),
    )
    names = ["workspace", "before", "ended"]
    if after_cursor:
        seen = tuple_(bindparam("seen_at", type_=c.created_at.type), bindparam("seen_id", type_=c.id.type))
        query = query.where(tuple_(c.created_at, c.id) > seen)
        names += ["seen_at", "seen_id"]
    if table is sessions:
        query = query.where(~select(jobs.c.id).where(jobs.c.session_id == sessions.c.id).exists())
    else:
        # What a provider may still have of a job is settled from its line, whatever became of the job.
        open_line = select(submissions.c.id).where(
            submissions.c.job_id == jobs.c.id, submissions.c.settled_at.is_(None)
        )
        query = query.where(~open_line.exists())
    query = query.order_by(c.created_at, c.id).limit(_LIMIT).offset(_NO_OFFSET)
    return Statement((*names, "limit"), lambda _: query)


def _remove(table: Any, name: str) -> Statement:
    return Statement((name,), lambda _: delete(table).where(table.c[name] == given(table, name)))


def _locked(table: Any) -> Statement:
    query = select(table.c.id).where(table.c.id == given(table, "id"), table.c.version == given(table, "version"))
    return Statement(("id", "version"), lambda _: query.with_for_update())


_JOB_LOCKED, _SESSION_LOCKED = _locked(jobs), _locked(sessions)
_OF_A_JOB = (
    _remove(submissions, "job_id"),
    _remove(batch_items, "job_id"),
    _remove(results, "job_id"),
    _remove(azure_items, "subject"),
)
# Without its newest line the log would number the next one as that one: it stays until it is no longer the newest.
_LOG = Statement(
    ("subject",),
    lambda _: delete(events).where(
        events.c.subject == given(events, "subject"), events.c.seq < select(func.max(events.c.seq)).scalar_subquery()
    ),
)
_JOB = _remove(jobs, "id")
_SESSION = _remove(sessions, "id")
_ITEM = _remove(azure_items, "subject")
_KEEP = upsert_into(archived_subjects)
_WHERE = Statement(
    ("id", "workspace"),
    lambda _: select(archived_subjects).where(
        archived_subjects.c.id == given(archived_subjects, "id"),
        archived_subjects.c.workspace == given(archived_subjects, "workspace"),
    ),
)
_HAS_JOBS = Statement(
    ("session_id", "limit"),
    lambda _: select(jobs.c.id).where(jobs.c.session_id == given(jobs, "session_id")).limit(_LIMIT).offset(_NO_OFFSET),
)
_DELIVERIES = Statement(
    ("before", "limit"),
    lambda _: text(
        "DELETE FROM webhook_deliveries WHERE id IN ("
        "SELECT id FROM webhook_deliveries WHERE next_at IS NULL AND created_at < :before LIMIT :limit)"
    ).bindparams(bindparam("before", type_=sessions.c.created_at.type), _LIMIT),
)


class ArchiveTransaction(EventTransaction):
    """Leaving the tables: see `antiphon.ports.archive_store` for what each method promises."""

    def workspaces_with_jobs(self) -> list[str]:
        """The names of workspaces that have, or had, jobs."""
        return [row[0] for row in self._runner.rows(_JOB_WORKSPACES)]

    def workspaces_with_sessions(self) -> list[str]:
        """The names of workspaces that have sessions."""
        return [row[0] for row in self._runner.rows(_SESSION_WORKSPACES)]

    def jobs_ended_before(
        self, workspace: str, before: float, after: tuple[float, str] | None, limit: int
    ) -> list[Job]:
        """Jobs of a workspace submitted and ended before a time, by age; after (created_at, id) of the last seen."""
        statement = _ended(jobs, after_cursor=after is not None)
        return [job_of(row) for row in self._runner.rows(statement, (workspace, before, before, *(after or ()), limit))]

    def sessions_ended_before(
        self, workspace: str, before: float, after: tuple[float, str] | None, limit: int
    ) -> list[Session]:
        """Sessions of a workspace that ended before a time and have no job left, as `jobs_ended_before`."""
        statement = _ended(sessions, after_cursor=after is not None)
        rows = self._runner.rows(statement, (workspace, before, before, *(after or ()), limit))
        return [session_of(row) for row in rows]

    def forget_job(self, job: Job, archived: Archived) -> bool:
        """Delete an ended job with all its rows, and keep where it went; False if it changed or is gone."""
        if not job.status.is_final or self._runner.row(_JOB_LOCKED, (job.id, job.version)) is None:
            return False
        for statement in (*_OF_A_JOB, _LOG, _JOB):
            self._runner.change(statement, (job.id,))
        self._keep(archived)
        return True

    def forget_session(self, session: Session, archived: Archived) -> bool:
        """Delete an ended session without jobs, and keep where it went; False if it changed or is gone."""
        if session.ended_at is None or self._runner.row(_SESSION_LOCKED, (session.id, session.version)) is None:
            return False
        if self._runner.row(_HAS_JOBS, (session.id, 1)) is not None:
            return False
        for statement in (_ITEM, _LOG, _SESSION):
            self._runner.change(statement, (session.id,))
        self._keep(archived)
        return True

    def archived(self, subject: str, *, workspace: str) -> Archived | None:
        """Where a job or session of a workspace went, or None."""
        row = self._runner.row(_WHERE, (subject, workspace))
        if row is None:
            return None
        return Archived(id=row[0], workspace=row[1], kind=row[2], archived_at=row[3], file=row[4])

    def forget_deliveries(self, before: float, limit: int) -> int:
        """Delete webhook deliveries that are over and were made before a time; returns how many went."""
        return self._runner.change(_DELIVERIES, (before, limit))

    def _keep(self, archived: Archived) -> None:
        row = (archived.id, archived.workspace, archived.kind, archived.archived_at, archived.file)
        self._runner.change(_KEEP, row)
