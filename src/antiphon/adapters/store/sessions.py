"""The part of a transaction that is about sessions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, func, literal_column, select, text, tuple_, update
from sqlalchemy.types import Integer

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.rows import CHANGING_SESSION_COLUMNS, session_changes, session_of, session_row
from antiphon.adapters.store.statements import Statement, given, insert_into
from antiphon.adapters.store.tables import jobs, sessions
from antiphon.domain.sessions import Session, SessionEvent
from antiphon.ports.job_store import KeyTakenError, SessionQuery, VersionConflictError

_c = sessions.c
_job = jobs.c
_FOREVER: Any = literal_column("1e308")
_LIMIT: Any = bindparam("limit", type_=Integer())
# Left to itself SQLAlchemy adds this for SQLite as a parameter.
_NO_OFFSET: Any = literal_column("0")
_AFTER_ANY = "\U0010ffff"

_ADD = insert_into(sessions)
_ADD_UNLESS_KEY = insert_into(
    sessions, skip_conflict_on=(_c.workspace, _c.key), where=text("key IS NOT NULL AND ended_at IS NULL")
)
_SAVE = Statement(
    (*CHANGING_SESSION_COLUMNS, "saved_id", "saved_version"),
    lambda _: (
        update(sessions)
        .where(
            _c.id == bindparam("saved_id", type_=_c.id.type),
            _c.version == bindparam("saved_version", type_=_c.version.type),
        )
        .values({name: given(sessions, name) for name in CHANGING_SESSION_COLUMNS})
    ),
)
_BY_ID = Statement(("id",), lambda _: select(sessions).where(_c.id == given(sessions, "id")))
_BY_ID_LOCKED = Statement(
    ("id",), lambda _: select(sessions).where(_c.id == given(sessions, "id")).with_for_update(key_share=True)
)
_BY_KEY = Statement(
    ("workspace", "key", "limit"),
    lambda _: (
        select(sessions)
        .where(_c.workspace == given(sessions, "workspace"), _c.key == given(sessions, "key"))
        .order_by(_c.created_at.desc(), _c.id.desc())
        .limit(_LIMIT)
        .offset(_NO_OFFSET)
    ),
)
_DUE = Statement(
    ("due_at",), lambda _: select(sessions).where(_c.due_at <= given(sessions, "due_at")).order_by(_c.due_at, _c.id)
)
_BUSY_UNTIL = Statement(
    ("session_id", "started_at", "id"),
    lambda _: select(func.max(case((_job.ended_at.is_(None), _FOREVER), else_=_job.ended_at))).where(
        _job.session_id == given(jobs, "session_id"),
        tuple_(_job.started_at, _job.id)
        < tuple_(
            bindparam("started_at", type_=_job.started_at.type),
            bindparam("id", type_=_job.id.type),
        ),
        ~((_job.executor == literal_column("'inline'")) & (_job.fence <= literal_column("1"))),
    ),
)
# Every session that has not ended has a time at which it must be looked at, and an index over it.
_LIVE_BY_TARGET = Statement(
    (), lambda _: select(_c.target, func.count()).where(text("due_at IS NOT NULL")).group_by(_c.target)
)
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "status": _c.status == given(sessions, "status"),
    "target": _c.target == given(sessions, "target"),
    "id_prefix": and_(_c.id >= bindparam("id_from", type_=_c.id.type), _c.id < bindparam("id_below", type_=_c.id.type)),
}
_PARAMETERS = {"id_prefix": ("id_from", "id_below")}


@lru_cache(maxsize=32)
def _find(conditions: tuple[str, ...], *, after_cursor: bool) -> Statement:
    query = select(sessions).where(
        _c.workspace == given(sessions, "workspace"), *(_CONDITIONS[name] for name in conditions)
    )
    names = [part for name in conditions for part in _PARAMETERS.get(name, (name,))]
    if after_cursor:
        seen = tuple_(bindparam("seen_at", type_=_c.created_at.type), bindparam("seen_id", type_=_c.id.type))
        query = query.where(tuple_(_c.created_at, _c.id) < seen)
        names += ["seen_at", "seen_id"]
    query = query.order_by(_c.created_at.desc(), _c.id.desc()).limit(_LIMIT).offset(_NO_OFFSET)
    return Statement(("workspace", *names, "limit"), lambda _: query)


class SessionTransaction(EventTransaction):
    """Sessions: see `antiphon.ports.job_store.Transaction` for what each method promises."""

    def add_session(self, session: Session, event: SessionEvent) -> None:
        """Insert `session` with the first line of its log, which reads "opened" whatever the event's action.

        Raises:
            KeyTakenError: Its key is taken by a session of its workspace that is not final.
        """
        if session.key is None:
            self._runner.change(_ADD, session_row(session))
        elif not self._runner.change(_ADD_UNLESS_KEY, session_row(session)):
            first = self.session_by_key(session.workspace, session.key)
            raise KeyTakenError(
                f"The key {session.key!r} is taken by session {first.id if first else 'unknown'}.",
                next_step="Go on in that session, or use a new key.",
                details={"id": first.id if first else None},
            )
        self._log([(session.id, session.version, "opened", session.status.value, event.at, event.who, event.why)])

    def save_session(self, before: Session, after: Session, event: SessionEvent) -> None:
        """Store `after` if the stored version is `before.version`, and append `event` to its log.

        Raises:
            VersionConflictError: The stored version is another one.
        """
        if not self._runner.change(_SAVE, (*session_changes(after), before.id, before.version)):
            raise VersionConflictError(
                f"Session {before.id} was changed by somebody else meanwhile.",
                cause=f"it is no longer at version {before.version}",
                next_step="Read it again and decide again.",
                details={"id": before.id, "version": before.version},
            )
        self._log([(after.id, after.version, event.action.value, after.status.value, event.at, event.who, event.why)])

    def session(self, session_id: str, *, workspace: str | None = None) -> Session | None:
        """The session, or None; with a workspace, None also when it belongs to another."""
        row = self._runner.row(_BY_ID_LOCKED if self._runner.writable else _BY_ID, (session_id,))
        if row is None or (workspace is not None and row[1] != workspace):
            return None
        return session_of(row)

    def session_by_key(self, workspace: str, key: str) -> Session | None:
        """The newest session opened under a key."""
        row = self._runner.row(_BY_KEY, (workspace, key, 1))
        return None if row is None else session_of(row)

    def find_sessions(self, query: SessionQuery) -> list[Session]:
        """Sessions that match, newest first."""
        conditions = tuple(name for name in _CONDITIONS if getattr(query, name) is not None)
        parameters: list[Any] = [query.workspace]
        for name in conditions:
            value = getattr(query, name)
            parameters += (value, value + _AFTER_ANY) if name == "id_prefix" else (value,)
        parameters += query.before or ()
        statement = _find(conditions, after_cursor=query.before is not None)
        return [session_of(row) for row in self._runner.rows(statement, (*parameters, query.limit))]

    def live_sessions(self) -> dict[str, int]:
        """How many sessions of all workspaces have not ended, by target."""
        return {target: int(count) for target, count in self._runner.rows(_LIVE_BY_TARGET)}

    def due_sessions(self, now: float) -> list[Session]:
        """Sessions of all workspaces whose `due_at` has passed, the longest overdue first."""
        return [session_of(row) for row in self._runner.rows(_DUE, (now,))]

    def busy_until(self, session_id: str, started_at: float, job_id: str) -> float | None:
        """Until when jobs of a session ran that were started before one of its jobs was; None if none was."""
        row = self._runner.row(_BUSY_UNTIL, (session_id, started_at, job_id))
        return None if row is None or row[0] is None else float(row[0])
