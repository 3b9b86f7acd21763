"""The part of a transaction that is about jobs and sessions as the Azure protocol sees them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, delete, func, literal_column, select, update

from antiphon.adapters.store.azure_tables import azure_items
from antiphon.adapters.store.counts import TOLD_STATUS
from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.rows import decode, encode
from antiphon.adapters.store.statements import Statement, given, insert_into
from antiphon.adapters.store.tables import jobs, sessions
from antiphon.ports.azure_store import AzureItem, AzureQuery

_c = azure_items.c
_CHANGING_COLUMNS = ("name", "subject", "details")
_PLACE = ("workspace", "kind", "id")
_AT_PLACE = [_c[name] == given(azure_items, name) for name in _PLACE]
_STATUS = func.coalesce(TOLD_STATUS, sessions.c.status)

_ADD = insert_into(azure_items, skip_conflict_on=[_c[name] for name in _PLACE])
_SAVE = Statement(
    (*_CHANGING_COLUMNS, *(f"saved_{name}" for name in _PLACE)),
    lambda _: (
        update(azure_items)
        .where(*(_c[name] == bindparam(f"saved_{name}", type_=_c[name].type) for name in _PLACE))
        .ordered_values(*((name, given(azure_items, name)) for name in _CHANGING_COLUMNS))
    ),
)
_GET = Statement(_PLACE, lambda _: select(azure_items).where(*_AT_PLACE))
_GET_LOCKED = Statement(_PLACE, lambda _: select(azure_items).where(*_AT_PLACE).with_for_update())
_OF_SUBJECT = Statement(
    ("subject",), lambda _: select(azure_items).where(_c.subject == given(azure_items, "subject")).order_by(_c.id)
)
_REMOVE = Statement(_PLACE, lambda _: delete(azure_items).where(*_AT_PLACE))

# Fields of the query with alternatives → what they are compared with.
_ALTERNATIVES: dict[str, Any] = {
    # Bare, it would lure SQLite away from the index that hands the rows out in order, to the primary key's.
    "kinds": _c.kind.concat(literal_column("''")),
    "providers": _c.provider,
    "targets": _c.target,
    "statuses": _STATUS,
}
_ORDERS: dict[str, Any] = {
    "name": _c.name,
    "kind": _c.kind,
    "provider": _c.provider,
    "target": _c.target,
    "status": _STATUS,
    "created_at": _c.created_at,
}


def _condition(name: str, count: int) -> tuple[ColumnElement[bool], list[str]]:
    """One condition, and the parameters it needs in their order; `count` is how many alternatives it has."""
    if name in _ALTERNATIVES:
        column = _ALTERNATIVES[name]
        names = [f"{name}_{number}" for number in range(count)]
        return column.in_([bindparam(each, type_=column.type) for each in names]), names
    if name == "session":
        return _c.session == given(azure_items, "session"), ["session"]
    if name == "outside_sessions":
        return _c.session.is_(None), []
    if name == "name_prefix":
        # Not LIKE: SQLite's knows no capitals, and its wildcards would have to be escaped.
        begin = func.substr(_c.name, literal_column("1"), bindparam("length", type_=Integer()))
        return begin == bindparam("prefix", type_=_c.name.type), ["length", "prefix"]
    bound = bindparam(name, type_=_c.created_at.type)
    return (_c.created_at >= bound if name == "created_from" else _c.created_at < bound), [name]


@lru_cache(maxsize=256)
def _find(conditions: tuple[tuple[str, int], ...], order_by: str, *, descending: bool) -> Statement:
    query = select(azure_items)
    if order_by == "status" or any(name == "statuses" for name, _ in conditions):
        query = query.outerjoin(jobs, jobs.c.id == _c.subject).outerjoin(sessions, sessions.c.id == _c.subject)
    names = ["workspace"]
    query = query.where(_c.workspace == given(azure_items, "workspace"))
    for name, count in conditions:
        condition, parameters = _condition(name, count)
        query = query.where(condition)
        names += parameters
    # The kind last: a job and a session may have the same id, and pages need one order.
    order = list(dict.fromkeys((_ORDERS[order_by], _c.created_at, _c.id, _c.kind)))
    query = (
        query.order_by(*(column.desc() if descending else column.asc() for column in order))
        .limit(bindparam("limit", type_=Integer()))
        .offset(bindparam("skip", type_=Integer()))
    )
    return Statement((*names, "limit", "skip"), lambda _: query)


class AzureItemTransaction(EventTransaction):
    """Items: see `antiphon.ports.azure_store` for what each method promises."""

    def add_azure_item(self, item: AzureItem) -> bool:
        """Insert; False when (workspace, kind, id) is there already."""
        return bool(self._runner.change(_ADD, _row(item)))

    def save_azure_item(self, item: AzureItem) -> None:
        """Store its new `name`, `subject` and `details`."""
        place = (item.workspace, item.kind, item.id)
        self._runner.change(_SAVE, (item.name, item.subject, encode(item.details), *place))

    def azure_item(self, workspace: str, kind: str, item_id: str) -> AzureItem | None:
        """By the client's id; None when there is none. In a write transaction the row is locked."""
        row = self._runner.row(_GET_LOCKED if self._runner.writable else _GET, (workspace, kind, item_id))
        return None if row is None else _item_of(row)

    def azure_item_of(self, subject: str) -> AzureItem | None:
        """By the id of our own job or session."""
        row = self._runner.row(_OF_SUBJECT, (subject,))
        return None if row is None else _item_of(row)

    def remove_azure_item(self, workspace: str, kind: str, item_id: str) -> bool:
        """Forget it (our own job stays in the record); False when there was none."""
        return bool(self._runner.change(_REMOVE, (workspace, kind, item_id)))

    def find_azure_items(self, query: AzureQuery) -> list[AzureItem]:
        """Those that match, in the query's order; `descending` turns the whole order round."""
        conditions: list[tuple[str, int]] = []
        parameters: list[Any] = [query.workspace]
        for name in (*_ALTERNATIVES, "session", "outside_sessions", "name_prefix", "created_from", "created_before"):
            value = getattr(query, name)
            if value in (None, (), False):
                continue
            if name in _ALTERNATIVES:
                values = tuple(dict.fromkeys(value))
                conditions.append((name, len(values)))
                parameters += values
                continue
            conditions.append((name, 1))
            if name == "name_prefix":
                parameters += (len(value), value)
            elif name != "outside_sessions":
                parameters.append(value)
        statement = _find(tuple(conditions), query.order_by, descending=query.descending)
        return [_item_of(row) for row in self._runner.rows(statement, (*parameters, query.limit, query.skip))]


def _row(item: AzureItem) -> tuple[Any, ...]:
    return (
        item.workspace,
        item.kind,
        item.id,
        item.subject,
        item.name,
        item.provider,
        item.target,
        item.session,
        item.container,
        item.created_at,
        encode(item.details),
    )


def _item_of(row: tuple[Any, ...]) -> AzureItem:
    return AzureItem(
        workspace=row[0],
        kind=row[1],
        id=row[2],
        subject=row[3],
        name=row[4],
        provider=row[5],
        target=row[6],
        session=row[7],
        container=row[8],
        created_at=row[9],
        details=decode(row[10]),
    )
