from __future__ import annotations

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.policies.prices import PriceList
from antiphon.engine.access.audit import read_audit
from antiphon.engine.context import EngineContext
from antiphon.engine.prices import prices_of, set_prices, tariff_of
from antiphon.errors import LimitError, NotFoundError
from antiphon.ports.access_store import AuditQuery


def test_a_list_has_versions_and_each_stays_as_it_was(ctx: EngineContext) -> None:
    assert prices_of(ctx, "sim.auto") is None
    first = set_prices(ctx, target="sim.auto", prices={"currency": "EUR", "per_shot": 0.01}, by="root")
    second = set_prices(ctx, target="sim.auto", prices={"currency": "EUR", "per_shot": 0.02}, by="root")
    assert (first.version, second.version) == (1, 2)
    assert prices_of(ctx, "sim.auto") == second
    assert prices_of(ctx, "sim.auto", 1) == first
    assert prices_of(ctx, "sim.statevector") is None


def test_setting_it_is_in_the_audit_log(ctx: EngineContext) -> None:
    set_prices(ctx, target="sim.auto", prices={"currency": "EUR", "name": "ours"}, by="root")
    line = read_audit(ctx, AuditQuery("default", limit=1))[0]
    assert (line.action, line.subject, line.who) == ("prices.set", "sim.auto", "root")
    assert line.details == {"version": "1", "currency": "EUR", "name": "ours"}


def test_a_wrong_list_and_a_target_that_is_not_there_are_refused(ctx: EngineContext) -> None:
    with pytest.raises(LimitError, match="per_shot"):
        set_prices(ctx, target="sim.auto", prices={"currency": "EUR", "per_shot": "much"}, by="root")
    with pytest.raises(NotFoundError):
        set_prices(ctx, target="qpu", prices={"currency": "EUR"}, by="root")
    with pytest.raises(NotFoundError):
        prices_of(ctx, "qpu")
    assert prices_of(ctx, "sim.auto") is None


def test_this_engine_follows_at_once_and_others_within_a_second(ctx: EngineContext, clock: ManualClock) -> None:
    assert tariff_of(ctx, "sim.auto") is None
    set_prices(ctx, target="sim.auto", prices={"currency": "EUR"}, by="root")
    known = tariff_of(ctx, "sim.auto")
    assert known is not None
    assert (known.version, known.prices) == (1, PriceList(currency="EUR"))
    with ctx.store.write() as tx:  # as another engine does
        stored = tx.price_list("sim.auto")
        assert stored is not None
        tx.add_price_list(type(stored)(target="sim.auto", version=2, body=stored.body, created_at=0.0, created_by="x"))
    assert tariff_of(ctx, "sim.auto") == known
    clock.advance(1.0)
    later = tariff_of(ctx, "sim.auto")
    assert later is not None
    assert later.version == 2
