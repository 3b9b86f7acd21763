"""The part of a transaction that is about listing jobs: each listing comes in the order of an index."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, literal_column, select, tuple_
from sqlalchemy.types import Integer

from antiphon.adapters.store.counts import CountTransaction
from antiphon.adapters.store.rows import job_of
from antiphon.adapters.store.statements import Statement, given
from antiphon.adapters.store.tables import jobs
from antiphon.domain.jobs import Job, JobStatus
from antiphon.ports.job_store import JobQuery

_c = jobs.c
_LIMIT: Any = bindparam("limit", type_=Integer())
# Left to itself SQLAlchemy adds this for SQLite as a parameter.
_NO_OFFSET: Any = literal_column("0")
# Ids are printable ASCII: this sorts after every one that continues the prefix.
_AFTER_ANY = "\U0010ffff"
# A prefix of so many characters names a second or less, and few jobs.
_TELLING_PREFIX = len("job_") + 8

# What an engine sees through is told as Waiting until its provider has started it (`domain.jobs.as_told`).
_HAS_STARTED, _WAITS_THERE = "has_started", "waits_there"
_WITHOUT_VALUE = (_HAS_STARTED, _WAITS_THERE)
_EQUAL = ("session_id", "name", "target", "status")
_CONDITIONS = ("status", "target", "session_id", "name", "id_prefix", "created_after", "created_before")
_PARAMETERS = {"id_prefix": ("id_from", "id_below")}


def _condition(name: str, *, plain: bool) -> ColumnElement[bool]:
    if name in ("workspace", *_EQUAL):
        # Without statistics SQLite takes any of two indexes that fit as well; what has a sign is looked up in none.
        column: Any = _c[name] if plain else literal_column(f"+jobs.{name}")
        return column == given(jobs, name)  # type: ignore[no-any-return]
    if name in _WITHOUT_VALUE:
        return _c.started_at.is_not(None) if name == _HAS_STARTED else _c.started_at.is_(None)
    at = bindparam(name, type_=_c.created_at.type)
    if name == "created_after":
        return _c.created_at > at
    if name == "created_before":
        return _c.created_at < at
    low, high = (bindparam(bound, type_=_c.id.type) for bound in _PARAMETERS["id_prefix"])
    return (_c.id >= low) & (_c.id < high)


@lru_cache(maxsize=256)
def _find(conditions: tuple[str, ...], *, plain: frozenset[str], after_cursor: bool, oldest_first: bool) -> Statement:
    names = ["workspace", *conditions]
    query = select(jobs).where(*(_condition(name, plain=name in plain) for name in names))
    names = [part for name in names if name not in _WITHOUT_VALUE for part in _PARAMETERS.get(name, (name,))]
    if after_cursor:
        place = tuple_(_c.created_at, _c.id)
        seen = tuple_(bindparam("seen_at", type_=_c.created_at.type), bindparam("seen_id", type_=_c.id.type))
        query = query.where(place > seen if oldest_first else place < seen)
        names += ["seen_at", "seen_id"]
    order = (_c.created_at, _c.id) if oldest_first else (_c.created_at.desc(), _c.id.desc())
    query = query.order_by(*order).limit(_LIMIT).offset(_NO_OFFSET)
    return Statement((*names, "limit"), lambda _: query)


class ListingTransaction(CountTransaction):
    """Listings: see `antiphon.ports.job_store.Transaction` for what each method promises."""

    def find_jobs(self, query: JobQuery) -> list[Job]:
        """Jobs that match, in the query's order; a status is the one that users are told."""
        if query.status is JobStatus.EXECUTING:
            return self._find(query, _HAS_STARTED)
        found = self._find(query)
        if query.status is not JobStatus.WAITING:
            return found
        # As many as there are calls to providers: a short look beside that into the index.
        there = self._find(query, _WAITS_THERE, stored=JobStatus.EXECUTING)
        if not there:
            return found
        both = sorted((*found, *there), key=lambda job: (job.created_at, job.id), reverse=not query.oldest_first)
        return both[: query.limit]

    def _find(self, query: JobQuery, *more: str, stored: JobStatus | None = None) -> list[Job]:
        conditions = tuple(name for name in _CONDITIONS if getattr(query, name) is not None)
        parameters: list[Any] = [query.workspace]
        for name in conditions:
            value = stored if stored is not None and name == "status" else getattr(query, name)
            parameters += (value, value + _AFTER_ANY) if name == "id_prefix" else (value,)
        parameters += query.before or ()
        statement = _find(
            (*conditions, *more),
            plain=self._looked_up(query),
            after_cursor=query.before is not None,
            oldest_first=query.oldest_first,
        )
        return [job_of(row) for row in self._runner.rows(statement, (*parameters, query.limit))]

    def _looked_up(self, query: JobQuery) -> frozenset[str]:
        """The conditions that an index is to serve; PostgreSQL has statistics, and decides by itself."""
        if self._runner.dialect_name != "sqlite":
            return frozenset(("workspace", *_EQUAL))
        if query.id_prefix is not None and len(query.id_prefix) >= _TELLING_PREFIX:
            return frozenset()
        asked = [name for name in _EQUAL if getattr(query, name) is not None]
        if asked == ["target", "status"]:
            asked = [self._rarer(query)]
        return frozenset(("workspace", *asked[:1]))

    def _rarer(self, query: JobQuery) -> str:
        assert query.status is not None
        of_status = self.count_jobs(query.workspace)[query.status]
        of_target = sum(self.count_jobs(query.workspace, target=query.target).values())
        return "target" if of_target < of_status else "status"
