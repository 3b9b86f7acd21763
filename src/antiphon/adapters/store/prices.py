"""The part of a transaction that is about prices, and about how estimates did."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, bindparam, delete, literal_column, select

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.queue_tables import outcomes, price_lists
from antiphon.adapters.store.rows import decode, encode, encode_optional
from antiphon.adapters.store.statements import Statement, given, insert_into
from antiphon.ports.job_store import VersionConflictError
from antiphon.ports.queue_store import QueueOutcome, StoredPriceList

_price, _outcome = price_lists.c, outcomes.c
_LIMIT: Any = bindparam("limit", type_=Integer())
# Left to itself SQLAlchemy adds this for SQLite as a parameter.
_NO_OFFSET: Any = literal_column("0")

_ADD_PRICES = insert_into(price_lists, skip_conflict_on=(_price.target, _price.version))
_OF_TARGET = select(price_lists).where(_price.target == given(price_lists, "target"))
_VERSION = Statement(("target", "version"), lambda _: _OF_TARGET.where(_price.version == given(price_lists, "version")))
_NEWEST_VERSION = Statement(
    ("target", "limit"), lambda _: _OF_TARGET.order_by(_price.version.desc()).limit(_LIMIT).offset(_NO_OFFSET)
)

_ADD_OUTCOME = insert_into(outcomes)
_NEWEST = select(outcomes).where(_outcome.target == given(outcomes, "target"))
_OUTCOMES = Statement(
    ("target", "limit"), lambda _: _NEWEST.order_by(_outcome.seq.desc()).limit(_LIMIT).offset(_NO_OFFSET)
)
_OUTCOMES_OF_PRIORITY = Statement(
    ("target", "priority", "limit"),
    lambda _: (
        _NEWEST.where(_outcome.priority == given(outcomes, "priority"))
        .order_by(_outcome.seq.desc())
        .limit(_LIMIT)
        .offset(_NO_OFFSET)
    ),
)
_OLDEST_KEPT = (
    select(_outcome.seq)
    .where(_outcome.target == bindparam("kept_target", type_=_outcome.target.type))
    .order_by(_outcome.seq.desc())
    .limit(literal_column("1"))
    .offset(bindparam("keep", type_=Integer()))
    .scalar_subquery()
)
_PRUNE = Statement(
    ("target", "kept_target", "keep"),
    lambda _: delete(outcomes).where(_outcome.target == given(outcomes, "target"), _outcome.seq <= _OLDEST_KEPT),
)


class PriceTransaction(EventTransaction):
    """Prices and outcomes: see `antiphon.ports.queue_store` for what each method promises."""

    def price_list(self, target: str, version: int | None = None) -> StoredPriceList | None:
        """A version of a target's price list, or the newest."""
        if version is None:
            row = self._runner.row(_NEWEST_VERSION, (target, 1))
        else:
            row = self._runner.row(_VERSION, (target, version))
        if row is None:
            return None
        return StoredPriceList(target=row[0], version=row[1], body=decode(row[2]), created_at=row[3], created_by=row[4])

    def add_price_list(self, prices: StoredPriceList) -> None:
        """Insert a version.

        Raises:
            VersionConflictError: The version is there already.
        """
        row = (prices.target, prices.version, encode(prices.body), prices.created_at, prices.created_by)
        if not self._runner.change(_ADD_PRICES, row):
            raise VersionConflictError(
                f"Somebody else gave {prices.target} a price list meanwhile.",
                next_step="Read it and decide again.",
                details={"target": prices.target, "version": prices.version},
            )

    def add_outcome(self, outcome: QueueOutcome) -> None:
        """Append what came of a job that went through a queue."""
        self._runner.change(
            _ADD_OUTCOME,
            (
                outcome.target,
                outcome.priority,
                outcome.job_id,
                outcome.ended_at,
                outcome.planned_s,
                outcome.ahead_s,
                outcome.wait_s,
                outcome.run_s,
                outcome.cost,
                encode_optional(outcome.estimate),
            ),
        )

    def queue_outcomes(self, target: str, limit: int, priority: str | None = None) -> list[QueueOutcome]:
        """The newest outcomes of a target, newest first."""
        if priority is None:
            rows = self._runner.rows(_OUTCOMES, (target, limit))
        else:
            rows = self._runner.rows(_OUTCOMES_OF_PRIORITY, (target, priority, limit))
        return [_outcome_of(row) for row in rows]

    def prune_outcomes(self, target: str, keep: int) -> int:
        """Forget all but the newest `keep`; returns how many went."""
        return self._runner.change(_PRUNE, (target, target, keep))


def _outcome_of(row: tuple[Any, ...]) -> QueueOutcome:
    return QueueOutcome(
        target=row[1],
        priority=row[2],
        job_id=row[3],
        ended_at=row[4],
        planned_s=row[5],
        ahead_s=row[6],
        wait_s=row[7],
        run_s=row[8],
        cost=row[9],
        estimate=None if row[10] is None else decode(row[10]),
    )
