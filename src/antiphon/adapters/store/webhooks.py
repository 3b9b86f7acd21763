"""The part of a transaction that is about webhooks: endpoints, and the outbox of deliveries to them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, delete, literal_column, select, tuple_, update

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.rows import decode, encode
from antiphon.adapters.store.statements import Statement, given, insert_into, upsert_into
from antiphon.adapters.store.tables import webhook_deliveries, webhook_endpoints
from antiphon.domain.webhooks import Delivery, DeliveryStatus, Endpoint
from antiphon.errors import ConflictError
from antiphon.ports.webhook_store import MOST_PASSED_OVER, DeliveryQuery

_endpoint, _delivery = webhook_endpoints.c, webhook_deliveries.c
_LIMIT: Any = bindparam("limit", type_=Integer())
# Left to itself SQLAlchemy adds this for SQLite as a parameter.
_NO_OFFSET: Any = literal_column("0")

_SAVE_ENDPOINT = upsert_into(webhook_endpoints, where=lambda new: _endpoint.workspace == new.workspace)
_REMOVE_ENDPOINT = Statement(
    ("workspace", "id"),
    lambda _: delete(webhook_endpoints).where(
        _endpoint.workspace == given(webhook_endpoints, "workspace"), _endpoint.id == given(webhook_endpoints, "id")
    ),
)
_REMOVE_DELIVERIES = Statement(
    ("endpoint",),
    lambda _: delete(webhook_deliveries).where(_delivery.endpoint == given(webhook_deliveries, "endpoint")),
)
_BY_ID = select(webhook_endpoints).where(_endpoint.id == given(webhook_endpoints, "id"))
_ENDPOINT = Statement(("id",), lambda _: _BY_ID)
_ENDPOINT_LOCKED = Statement(("id",), lambda _: _BY_ID.with_for_update())
_ENDPOINTS = Statement(
    ("workspace",),
    lambda _: (
        select(webhook_endpoints)
        .where(_endpoint.workspace == given(webhook_endpoints, "workspace"))
        .order_by(_endpoint.created_at, _endpoint.id)
    ),
)

_CHANGING_COLUMNS = ("status", "attempts", "next_at", "delivered_at", "last_status", "last_error")
_ADD_DELIVERY = insert_into(webhook_deliveries)
_DUE_BY_TIME = (
    select(webhook_deliveries)
    # What is over has no time, so this needs no look at the status.
    .where(_delivery.next_at <= given(webhook_deliveries, "next_at"))
    .order_by(_delivery.next_at, _delivery.id)
    .limit(_LIMIT)
    .offset(_NO_OFFSET)
)
_DUE = Statement(("next_at", "limit"), lambda _: _DUE_BY_TIME)
_DUE_LOCKED = Statement(("next_at", "limit"), lambda _: _DUE_BY_TIME.with_for_update(skip_locked=True))
_PASSED_OVER = tuple(f"passed_over_{number}" for number in range(MOST_PASSED_OVER))
_DUE_OF_OTHERS = Statement(
    ("next_at", *_PASSED_OVER, "limit"),
    lambda _: _DUE_BY_TIME.where(
        _delivery.endpoint.not_in([bindparam(name, type_=_delivery.endpoint.type) for name in _PASSED_OVER])
    ).with_for_update(skip_locked=True),
)
_SAVE_DELIVERY = Statement(
    (*_CHANGING_COLUMNS, "saved_id"),
    lambda _: (
        update(webhook_deliveries)
        .where(_delivery.id == bindparam("saved_id", type_=_delivery.id.type))
        .ordered_values(*((name, given(webhook_deliveries, name)) for name in _CHANGING_COLUMNS))
    ),
)
_DELIVERY_BY_ID = select(webhook_deliveries).where(
    _delivery.id == given(webhook_deliveries, "id"), _delivery.workspace == given(webhook_deliveries, "workspace")
)
_DELIVERY = Statement(("id", "workspace"), lambda _: _DELIVERY_BY_ID)
_DELIVERY_LOCKED = Statement(("id", "workspace"), lambda _: _DELIVERY_BY_ID.with_for_update())

_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "endpoint": _delivery.endpoint == given(webhook_deliveries, "endpoint"),
    "status": _delivery.status == given(webhook_deliveries, "status"),
    "before": tuple_(_delivery.created_at, _delivery.id)
    < tuple_(bindparam("seen_at", type_=_delivery.created_at.type), bindparam("seen_id", type_=_delivery.id.type)),
}
_PARAMETERS = {"before": ("seen_at", "seen_id")}


@lru_cache(maxsize=8)
def _find(conditions: tuple[str, ...]) -> Statement:
    query = (
        select(webhook_deliveries)
        .where(
            _delivery.workspace == given(webhook_deliveries, "workspace"), *(_CONDITIONS[name] for name in conditions)
        )
        .order_by(_delivery.created_at.desc(), _delivery.id.desc())
        .limit(_LIMIT)
        .offset(_NO_OFFSET)
    )
    names = [part for name in conditions for part in _PARAMETERS.get(name, (name,))]
    return Statement(("workspace", *names, "limit"), lambda _: query)


class WebhookTransaction(EventTransaction):
    """Webhooks: see `antiphon.ports.webhook_store` for what each method promises."""

    def save_endpoint(self, endpoint: Endpoint) -> None:
        """Insert or replace.

        Raises:
            ConflictError: The id belongs to an endpoint of another workspace.
        """
        if not self._runner.change(_SAVE_ENDPOINT, _endpoint_row(endpoint)):
            raise ConflictError(f"The id {endpoint.id!r} is taken.", next_step="Use another id.")

    def remove_endpoint(self, workspace: str, endpoint_id: str) -> bool:
        """Forget it with its deliveries; False when there was none."""
        if not self._runner.change(_REMOVE_ENDPOINT, (workspace, endpoint_id)):
            return False
        self._runner.change(_REMOVE_DELIVERIES, (endpoint_id,))
        return True

    def endpoint(self, endpoint_id: str, *, workspace: str | None = None) -> Endpoint | None:
        """The endpoint, or None; with a workspace, None also when it belongs to another.

        In a write transaction the row is locked.
        """
        row = self._runner.row(_ENDPOINT_LOCKED if self._runner.writable else _ENDPOINT, (endpoint_id,))
        if row is None or (workspace is not None and row[1] != workspace):
            return None
        return _endpoint_of(row)

    def endpoints(self, workspace: str) -> list[Endpoint]:
        """All of a workspace, oldest first. One look at an index when there are none."""
        return [_endpoint_of(row) for row in self._runner.rows(_ENDPOINTS, (workspace,))]

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Append to the outbox."""
        if deliveries:
            self._runner.change_many(_ADD_DELIVERY, [_delivery_row(delivery) for delivery in deliveries])

    def due_deliveries(self, now: float, limit: int, *, passing_over: Collection[str] = ()) -> list[Delivery]:
        """Pending ones of all workspaces with `next_at` ≤ now, the longest due first.

        In a write transaction they are locked, and those that another transaction holds are passed over (PostgreSQL).
        """
        if not passing_over:
            statement = _DUE_LOCKED if self._runner.writable else _DUE
            return [_delivery_of(row) for row in self._runner.rows(statement, (now, limit))]
        names = [*passing_over][:MOST_PASSED_OVER]
        names += [""] * (MOST_PASSED_OVER - len(names))
        return [_delivery_of(row) for row in self._runner.rows(_DUE_OF_OTHERS, (now, *names, limit))]

    def save_delivery(self, delivery: Delivery) -> None:
        """Store how it went; nothing happens when it was forgotten with its endpoint."""
        self._runner.change(_SAVE_DELIVERY, (*_changes(delivery), delivery.id))

    def delivery(self, delivery_id: str, *, workspace: str) -> Delivery | None:
        """The delivery, or None. In a write transaction the row is locked."""
        row = self._runner.row(_DELIVERY_LOCKED if self._runner.writable else _DELIVERY, (delivery_id, workspace))
        return None if row is None else _delivery_of(row)

    def find_deliveries(self, query: DeliveryQuery) -> list[Delivery]:
        """Those that match, newest first."""
        conditions = tuple(name for name in _CONDITIONS if getattr(query, name) is not None)
        parameters: list[Any] = [query.workspace]
        for name in conditions:
            value = getattr(query, name)
            parameters += value if name == "before" else (value,)
        return [_delivery_of(row) for row in self._runner.rows(_find(conditions), (*parameters, query.limit))]


def _endpoint_row(endpoint: Endpoint) -> tuple[Any, ...]:
    return (
        endpoint.id,
        endpoint.workspace,
        endpoint.url,
        encode(endpoint.events),
        endpoint.created_at,
        endpoint.created_by,
        endpoint.secret_version,
        endpoint.disabled_at,
        endpoint.disabled_because,
        endpoint.rotated_at,
    )


def _endpoint_of(row: tuple[Any, ...]) -> Endpoint:
    return Endpoint(
        id=row[0],
        workspace=row[1],
        url=row[2],
        events=tuple(decode(row[3])),
        created_at=row[4],
        created_by=row[5],
        secret_version=row[6],
        disabled_at=row[7],
        disabled_because=row[8],
        rotated_at=row[9],
    )


def _delivery_row(delivery: Delivery) -> tuple[Any, ...]:
    status, attempts, next_at, *rest = _changes(delivery)
    return (
        delivery.id,
        delivery.workspace,
        delivery.endpoint,
        delivery.type,
        delivery.subject,
        encode(delivery.body),
        delivery.created_at,
        status,
        attempts,
        next_at,
        *rest,
    )


def _changes(delivery: Delivery) -> tuple[Any, ...]:
    """The values of `_CHANGING_COLUMNS`: what an attempt may touch; the rest was said when it was written."""
    return (
        delivery.status.value,
        delivery.attempts,
        delivery.next_at,
        delivery.delivered_at,
        delivery.last_status,
        delivery.last_error,
    )


def _delivery_of(row: tuple[Any, ...]) -> Delivery:
    return Delivery(
        id=row[0],
        workspace=row[1],
        endpoint=row[2],
        type=row[3],
        subject=row[4],
        body=decode(row[5]),
        created_at=row[6],
        status=DeliveryStatus(row[7]),
        attempts=row[8],
        next_at=row[9],
        delivered_at=row[10],
        last_status=row[11],
        last_error=row[12],
    )
