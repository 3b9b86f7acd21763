"""The part of a transaction that is about the audit log: append-only, read newest first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, bindparam, literal_column, select

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.rows import decode, encode
from antiphon.adapters.store.statements import Statement, given, insert_into
from antiphon.adapters.store.tables import audit
from antiphon.domain.identity import AuditEntry
from antiphon.ports.access_store import AuditQuery

_c = audit.c
# Actions are printable ASCII: this sorts after every one that continues the beginning.
_AFTER_ANY = "\U0010ffff"

_ADD = insert_into(audit)
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "who": _c.who == given(audit, "who"),
    "action": _c.action == given(audit, "action"),
    "actions": and_(
        _c.action >= bindparam("action_from", type_=_c.action.type),
        _c.action < bindparam("action_below", type_=_c.action.type),
    ),
    "subject": _c.subject == given(audit, "subject"),
    "after": _c.at > bindparam("after", type_=_c.at.type),
    "before": _c.at < bindparam("before", type_=_c.at.type),
    "before_seq": _c.seq < bindparam("before_seq", type_=_c.seq.type),
}
_PARAMETERS = {"actions": ("action_from", "action_below")}


@lru_cache(maxsize=128)
def _find(conditions: tuple[str, ...]) -> Statement:
    query = (
        select(audit)
        .where(_c.workspace == given(audit, "workspace"), *(_CONDITIONS[name] for name in conditions))
        .order_by(_c.seq.desc())
        .limit(bindparam("limit", type_=Integer()))
        .offset(literal_column("0"))
    )
    names = [part for name in conditions for part in _PARAMETERS.get(name, (name,))]
    return Statement(("workspace", *names, "limit"), lambda _: query)


class AuditTransaction(EventTransaction):
    """The audit log."""

    def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append; `seq` is given by the store."""
        if len(entries) == 1:
            self._runner.change(_ADD, _row(entries[0]))
        elif entries:
            self._runner.change_many(_ADD, [_row(entry) for entry in entries])

    def audit(self, query: AuditQuery) -> list[AuditEntry]:
        """Lines that match, newest first; `after` and `before` are exclusive."""
        conditions: list[str] = []
        parameters: list[Any] = [query.workspace]
        for name in ("who", "action", "subject", "after", "before", "before_seq"):
            value = getattr(query, name)
            if value is None:
                continue
            if name == "action" and value.endswith("."):
                conditions.append("actions")
                parameters += (value, value + _AFTER_ANY)
            else:
                conditions.append(name)
                parameters.append(value)
        return [_entry_of(row) for row in self._runner.rows(_find(tuple(conditions)), (*parameters, query.limit))]


def _row(entry: AuditEntry) -> tuple[Any, ...]:
    return (
        entry.at,
        entry.workspace,
        entry.who,
        entry.via,
        entry.action,
        entry.subject,
        entry.where,
        entry.outcome,
        encode(entry.details),
    )


def _entry_of(row: tuple[Any, ...]) -> AuditEntry:
    return AuditEntry(
        seq=row[0],
        at=row[1],
        workspace=row[2],
        who=row[3],
        via=row[4],
        action=row[5],
        subject=row[6],
        where=row[7],
        outcome=row[8],
        details=decode(row[9]),
    )
