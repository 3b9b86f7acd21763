"""The part of a transaction that is about quotas and how much of them is used and held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ClauseElement, Table, bindparam, case, delete, literal_column, select

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.statements import Statement, given, upsert_into
from antiphon.adapters.store.tables import quota_use, quotas
from antiphon.domain.quotas import Dimension, Period, Quota, QuotaUse
from antiphon.errors import ConflictError

_quota, _use = quotas.c, quota_use.c

_SAVE = upsert_into(quotas, where=lambda new: _quota.workspace == new.workspace)
_OF_WORKSPACE = Statement(
    ("workspace",),
    lambda _: select(quotas).where(_quota.workspace == given(quotas, "workspace")).order_by(_quota.id),
)
_LOCK = Statement(
    ("id", "workspace"),
    lambda _: (
        select(_quota.id)
        .where(_quota.id == given(quotas, "id"), _quota.workspace == given(quotas, "workspace"))
        .with_for_update()
    ),
)
_REMOVE_USE = Statement(("quota",), lambda _: delete(quota_use).where(_use.quota == given(quota_use, "quota")))
_REMOVE = Statement(("id",), lambda _: delete(quotas).where(_quota.id == given(quotas, "id")))

_OF_PERIOD = select(_use.used, _use.held).where(
    _use.quota == given(quota_use, "quota"), _use.period_start == given(quota_use, "period_start")
)
_USE = Statement(("quota", "period_start"), lambda _: _OF_PERIOD)
_USE_LOCKED = Statement(("quota", "period_start"), lambda _: _OF_PERIOD.with_for_update())


def _insert_use(insert: Callable[[Table], Any], *values: Any) -> Any:
    # From the quota's own row, so that a forgotten one gets none; locked, so that it is not forgotten meanwhile.
    columns = [_quota.id, given(quota_use, "period_start"), *values]
    source = select(*columns).where(_quota.id == given(quota_use, "quota")).with_for_update(read=True, key_share=True)
    return insert(quota_use).from_select([column.name for column in quota_use.columns], source)


def _begin(insert: Callable[[Table], Any]) -> ClauseElement:
    zero: Any = literal_column("0.0")
    element: ClauseElement = _insert_use(insert, zero, zero).on_conflict_do_nothing()
    return element


def _never_negative(value: Any) -> Any:
    return case((value < literal_column("0.0"), literal_column("0.0")), else_=value)


def _add(insert: Callable[[Table], Any]) -> ClauseElement:
    used, held = (bindparam(name, type_=_use[name].type) for name in ("used", "held"))
    element: ClauseElement = _insert_use(insert, used, _never_negative(held)).on_conflict_do_update(
        index_elements=[_use.quota, _use.period_start],
        set_={"used": _use.used + used, "held": _never_negative(_use.held + held)},
    )
    return element


_BEGIN = Statement(("period_start", "quota"), _begin)
_ADD = Statement(("period_start", "used", "held", "held", "quota", "used", "held", "held"), _add)


class QuotaTransaction(EventTransaction):
    """Quotas: see `antiphon.ports.access_store` for what each method promises."""

    def save_quota(self, quota: Quota) -> None:
        """Insert or replace by id; what is used and held stays.

        Raises:
            ConflictError: The id belongs to a quota of another workspace.
        """
        row = (quota.id, quota.workspace, quota.dimension.value, quota.limit, quota.period.value, quota.target)
        if not self._runner.change(_SAVE, row):
            raise ConflictError(f"The id {quota.id!r} is taken.", next_step="Use another id.")

    def remove_quota(self, workspace: str, quota_id: str) -> bool:
        """Forget it and its use; False when there was none."""
        if self._runner.row(_LOCK, (quota_id, workspace)) is None:
            return False
        self._runner.change(_REMOVE_USE, (quota_id,))
        return bool(self._runner.change(_REMOVE, (quota_id,)))

    def quotas(self, workspace: str) -> list[Quota]:
        """All of a workspace, by id: who locks their uses in this order cannot cross another who does."""
        return [_quota_of(row) for row in self._runner.rows(_OF_WORKSPACE, (workspace,))]

    def quota_use(self, quota_id: str, period_start: float) -> QuotaUse:
        """Where it stands; zeros when nothing was held yet. In a write transaction the row is locked."""
        place = (quota_id, period_start)
        row = self._runner.row(_USE_LOCKED if self._runner.writable else _USE, place)
        if row is None and self._runner.writable:
            # What is not there cannot be locked, and two first holds must not both see zero.
            self._runner.change(_BEGIN, (period_start, quota_id))
            row = self._runner.row(_USE_LOCKED, place)
        return QuotaUse() if row is None else QuotaUse(*row)

    def change_quota_use(self, quota_id: str, period_start: float, *, used: float, held: float) -> None:
        """Add to both (either may be negative); `held` never goes below zero. A forgotten quota is ignored."""
        self._runner.change(_ADD, (period_start, used, held, held, quota_id, used, held, held))


def _quota_of(row: tuple[Any, ...]) -> Quota:
    return Quota(
        id=row[0],
        workspace=row[1],
        dimension=Dimension(row[2]),
        limit=row[3],
        period=Period(row[4]),
        target=row[5],
    )
