"""Price lists of targets: set by operators, kept in versions, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.domain.identity import Principal
from antiphon.domain.policies.prices import PriceList
from antiphon.engine.access.audit import note
from antiphon.engine.access.principals import LOCAL, local_principal
from antiphon.engine.access.tenants import DEFAULT
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.validate import find_driver
from antiphon.ports.queue_store import StoredPriceList


@dataclass(frozen=True, slots=True)
class Tariff:
    """A version of a price list, read."""

    version: int
    prices: PriceList


@decided_again
def set_prices(
    ctx: EngineContext, *, target: str, prices: Mapping[str, Any], by: Principal | str, where: str = LOCAL
) -> StoredPriceList:
    """Give a target a price list, as JSON values (see `PriceList`); it counts for jobs submitted from now on.

    `{"currency": "EUR"}` makes it free of charge. Other engines of the workspace follow within a second.

    Returns:
        The list with its version; every field it can have is in the body.

    Raises:
        NotFoundError: No such target.
        LimitError: The list is wrong (code "price-list-invalid").
    """
    find_driver(ctx.drivers, target)
    body = PriceList.from_json(prices).to_json()
    actor = by if isinstance(by, Principal) else local_principal(DEFAULT, by)
    with ctx.store.write() as tx:
        before = tx.price_list(target)
        stored = StoredPriceList(
            target=target,
            version=1 if before is None else before.version + 1,
            body=body,
            created_at=ctx.clock.now(),
            created_by=actor.name,
        )
        tx.add_price_list(stored)
        facts = {"version": str(stored.version), "currency": body["currency"], "name": body["name"]}
        note(ctx, tx, actor, "prices.set", target, where=where, details=facts)
    ctx.recent.forget(("prices", target))
    return stored


def prices_of(ctx: EngineContext, target: str, version: int | None = None) -> StoredPriceList | None:
    """A version of a target's price list, or the newest; None when it has none.

    Raises:
        NotFoundError: No such target.
    """
    find_driver(ctx.drivers, target)
    with ctx.store.read() as tx:
        return tx.price_list(target, version)


def tariff_of(ctx: EngineContext, target: str) -> Tariff | None:
    """What a target charges, as it was at most a second ago; None when it has no prices."""

    def read() -> Tariff | None:
        with ctx.store.read() as tx:
            stored = tx.price_list(target)
        return None if stored is None else Tariff(stored.version, PriceList.from_json(stored.body))

    return ctx.recent.get(("prices", target), ctx.clock, read)
