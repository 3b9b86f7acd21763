"""The part of a transaction that is about jobs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, select, text, tuple_, update
from sqlalchemy.types import Boolean, Integer

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.rows import CHANGING_JOB_COLUMNS, job_changes, job_of, job_row
from antiphon.adapters.store.statements import Statement, given, insert_into
from antiphon.adapters.store.tables import jobs
from antiphon.domain.jobs import Job, JobEvent, JobStatus
from antiphon.ports.job_store import JobQuery, KeyTakenError, VersionConflictError

_c = jobs.c
# A partial index is used only where the query repeats its condition word for word, so this is no parameter.
_IS_WAITING = _c.status == literal_column("'Waiting'")
_OUTSIDE_SESSION: Any = text("(session_id IS NULL)")
_OUTSIDE: Any = bindparam("outside", type_=Boolean())
_LIMIT: Any = bindparam("limit", type_=Integer())
# Left to itself SQLAlchemy adds this for SQLite as a parameter.
_NO_OFFSET: Any = literal_column("0")
# Ids are printable ASCII: this sorts after every one that continues the prefix.
_AFTER_ANY = "\U0010ffff"

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


def _waiting(*, lock: bool) -> Statement:
    # One target at a time: the index then hands the rows out in order, however many wait for whatever target.
    query = (
        select(jobs)
        .where(_c.target == given(jobs, "target"), _IS_WAITING)
        .order_by(_OUTSIDE_SESSION, _c.created_at, _c.id)
        .limit(_LIMIT)
        .offset(_NO_OFFSET)
    )
    # What another engine is claiming right now is not worth waiting for.
    locked = query.with_for_update(key_share=True, skip_locked=True)
    return Statement(("target", "limit"), lambda _: locked if lock else query)


_WAITING = _waiting(lock=False)
_WAITING_LOCKED = _waiting(lock=True)


def _before(*, whole: bool) -> Statement:
    # An index over an expression serves only a comparison with that expression.
    names = ["target", "outside"]
    inner: Any = select(literal_column("1")).where(
        _c.target == given(jobs, "target"), _IS_WAITING, text("(session_id IS NULL) = :outside").bindparams(_OUTSIDE)
    )
    if not whole:
        place = tuple_(bindparam("before_at", type_=_c.created_at.type), bindparam("before_id", type_=_c.id.type))
        inner = inner.where(tuple_(_c.created_at, _c.id) < place)
        names += ["before_at", "before_id"]
    counted = inner.limit(_LIMIT).offset(_NO_OFFSET).subquery()
    return Statement((*names, "limit"), lambda _: select(func.count()).select_from(counted))


_BEFORE = _before(whole=False)
_ALL_OF_THEM = _before(whole=True)
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

_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "status": _c.status == given(jobs, "status"),
    "target": _c.target == given(jobs, "target"),
    "session_id": _c.session_id == given(jobs, "session_id"),
    "name": _c.name == given(jobs, "name"),
    "id_prefix": and_(_c.id >= bindparam("id_from", type_=_c.id.type), _c.id < bindparam("id_below", type_=_c.id.type)),
    "created_after": _c.created_at > bindparam("created_after", type_=_c.created_at.type),
    "created_before": _c.created_at < bindparam("created_before", type_=_c.created_at.type),
}
_PARAMETERS = {"id_prefix": ("id_from", "id_below")}


@lru_cache(maxsize=256)
def _find(conditions: tuple[str, ...], *, after_cursor: bool, oldest_first: bool) -> Statement:
    place = tuple_(_c.created_at, _c.id)
    seen = tuple_(bindparam("seen_at", type_=_c.created_at.type), bindparam("seen_id", type_=_c.id.type))
    query = select(jobs).where(_c.workspace == given(jobs, "workspace"), *(_CONDITIONS[name] for name in conditions))
    names = ["workspace", *(part for name in conditions for part in _PARAMETERS.get(name, (name,)))]
    if after_cursor:
        query = query.where(place > seen if oldest_first else place < seen)
        names += ["seen_at", "seen_id"]
    order = (_c.created_at, _c.id) if oldest_first else (_c.created_at.desc(), _c.id.desc())
    query = query.order_by(*order).limit(_LIMIT).offset(_NO_OFFSET)
    return Statement((*names, "limit"), lambda _: query)


# Literal, so that the partial indexes of waiting and of owned jobs serve them.
_WAITING_BY_TARGET = Statement(
    (), lambda _: select(_c.target, func.count()).where(text("status = 'Waiting'")).group_by(_c.target)
)
_OWNED_BY_TARGET = Statement(
    (), lambda _: select(_c.target, func.count()).where(_c.owner.is_not(None)).group_by(_c.target)
)
_OLDEST_WAITING = Statement(
    ("target", "outside", "limit"),
    lambda _: (
        select(_c.created_at)
        .where(
            _c.target == given(jobs, "target"),
            _IS_WAITING,
            text("(session_id IS NULL) = :outside").bindparams(_OUTSIDE),
        )
        .order_by(_c.created_at)
        .limit(_LIMIT)
        .offset(_NO_OFFSET)
    ),
)


@lru_cache(maxsize=4)
def _count(*, workspace: bool, target: bool) -> Statement:
    names = [name for name, wanted in (("workspace", workspace), ("target", target)) if wanted]
    query = select(_c.status, func.count()).where(*(_c[name] == given(jobs, name) for name in names))
    return Statement(names, lambda _: query.group_by(_c.status))


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
        self._log([(after.id, after.version, event.trigger.value, after.status.value, event.at, event.who, event.why)])

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

    def find_jobs(self, query: JobQuery) -> list[Job]:
        """Jobs that match, in the query's order."""
        conditions = tuple(name for name in _CONDITIONS if getattr(query, name) is not None)
        parameters: list[Any] = [query.workspace]
        for name in conditions:
            value = getattr(query, name)
            parameters += (value, value + _AFTER_ANY) if name == "id_prefix" else (value,)
        parameters += query.before or ()
        statement = _find(conditions, after_cursor=query.before is not None, oldest_first=query.oldest_first)
        return [job_of(row) for row in self._runner.rows(statement, (*parameters, query.limit))]

    def count_jobs(self, workspace: str | None = None, *, target: str | None = None) -> dict[JobStatus, int]:
        """How many jobs are in each status; a status without jobs is there with 0."""
        statement = _count(workspace=workspace is not None, target=target is not None)
        found = dict(self._runner.rows(statement, [value for value in (workspace, target) if value is not None]))
        return {status: found.get(status.value, 0) for status in JobStatus}

    def queue_depths(self) -> dict[str, tuple[int, int]]:
        """How many jobs of all workspaces wait and run, by target."""
        waiting = dict(self._runner.rows(_WAITING_BY_TARGET))
        running = dict(self._runner.rows(_OWNED_BY_TARGET))
        return {target: (waiting.get(target, 0), running.get(target, 0)) for target in {*waiting, *running}}

    def oldest_waiting(self, targets: Sequence[str]) -> dict[str, float]:
        """When the oldest waiting job of each target was submitted; a target without one is left out."""
        found: dict[str, float] = {}
        for target in targets:
            rows = [self._runner.row(_OLDEST_WAITING, (target, outside, 1)) for outside in (False, True)]
            times = [row[0] for row in rows if row is not None]
            if times:
                found[target] = min(times)
        return found

    def waiting_jobs(self, targets: Sequence[str], limit: int) -> list[Job]:
        """Waiting jobs of these targets in all workspaces: jobs in a session first, then by age.

        In a write transaction on PostgreSQL, jobs that another transaction holds are passed over.
        """
        statement = _WAITING_LOCKED if self._runner.writable else _WAITING
        queues = [self._runner.rows(statement, (target, limit)) for target in dict.fromkeys(targets)]
        return [job_of(row) for row in islice(merge(*queues, key=_place_in_queue), limit)]

    def jobs_before(self, job: Job, most: int) -> int:
        """How many jobs of its target wait and come before a waiting job; counted up to `most`."""
        # Jobs in sessions come first.
        place = (job.created_at, job.id, most)
        if job.session_id is not None:
            return int(self._runner.row(_BEFORE, (job.spec.target, False, *place))[0])
        found = int(self._runner.row(_ALL_OF_THEM, (job.spec.target, False, most))[0])
        return min(most, found + int(self._runner.row(_BEFORE, (job.spec.target, True, *place))[0]))

    def owned_jobs(self, owner: str) -> list[Job]:
        """Jobs an engine holds a lease on."""
        return [job_of(row) for row in self._runner.rows(_OWNED, (owner,))]

    def pending_jobs(self, session_id: str) -> list[Job]:
        """Jobs of a session that are not final, oldest first."""
        statement = _PENDING_LOCKED if self._runner.writable else _PENDING
        return [job_of(row) for row in self._runner.rows(statement, (session_id,))]


_SESSION_COLUMN = list(_c.keys()).index("session_id")
_CREATED_COLUMN = list(_c.keys()).index("created_at")


def _place_in_queue(row: tuple[Any, ...]) -> tuple[bool, float, str]:
    return row[_SESSION_COLUMN] is None, row[_CREATED_COLUMN], row[0]
