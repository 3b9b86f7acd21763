from __future__ import annotations

from typing import Any

from antiphon.domain.gate_counts import Tasks
from antiphon.domain.policies.advice import Advice, Loop, Way, advise
from antiphon.domain.policies.metering import WorkFacts
from antiphon.domain.policies.prices import PriceList
from antiphon.domain.queues import Access

FACTS = WorkFacts(tasks=(Tasks(1, 1_000, 0, 2_000, 0),), seconds=2.0)


def loop(**changes: Any) -> Loop:
    given: dict[str, Any] = {"facts": FACTS, "jobs": 10, "classical_s": 30.0, "wait_s": 100.0, "session_wait_s": 5.0}
    return Loop(**{**given, **changes})


def totals(advice: Advice) -> dict[str, float | None]:
    return {option.way.value: None if option.bill is None else option.bill.total for option in advice.options}


def walls(advice: Advice) -> dict[str, float]:
    return {option.way.value: option.wall_s for option in advice.options}


def test_a_fee_for_each_task_makes_a_batch_cheapest() -> None:
    found = advise(PriceList(currency="USD", per_task=0.3, per_shot=0.01), loop())
    assert totals(found) == {"batch": 100.3, "session": 103.0, "jobs": 103.0}
    assert found.cheapest is Way.BATCH
    assert "One batch costs 100.30 USD; a session 103.00 USD, single jobs 103.00 USD." in found.why
    assert "charged once" in found.why
    assert "all programs must be known before the first result is; else take a session 103.00 USD" in found.why


def test_a_least_charge_is_met_once_by_a_batch_and_each_time_by_jobs() -> None:
    found = advise(PriceList(currency="USD", per_two_qubit_gate=0.001, minimum=12.0), loop())
    assert totals(found) == {"batch": 20.0, "session": 120.0, "jobs": 120.0}
    assert "least charge once" in found.why


def test_a_session_pays_for_holding_the_target_while_the_caller_works() -> None:
    prices = PriceList(currency="EUR", per_second=1.0, session_per_second=0.5)
    held = advise(prices, loop(access=Access.EXCLUSIVE))
    assert totals(held) == {"batch": 20.0, "jobs": 20.0, "session": 20.0 + 9 * 30.0 * 0.5}
    assert "pays 135.00 for holding" in held.why
    shared = advise(prices, loop())
    assert totals(shared)["session"] == 20.0


def test_walls_count_the_queue_once_for_a_session_that_holds_and_each_time_for_jobs() -> None:
    held = walls(advise(None, loop(access=Access.EXCLUSIVE)))
    assert held == {"jobs": 10 * 102.0 + 270.0, "batch": 100.0 + 20.0 + 270.0, "session": 100.0 + 20.0 + 270.0}
    assert walls(advise(None, loop()))["session"] == 100.0 + 9 * 5.0 + 20.0 + 270.0


def test_a_session_that_is_too_slow_loses_its_hold_and_pays_none() -> None:
    prices = PriceList(currency="EUR", per_second=1.0, session_per_second=0.5)
    found = advise(prices, loop(access=Access.EXCLUSIVE, classical_s=90.0))
    assert totals(found)["session"] == 20.0
    assert "more than the gap" in found.why
    dedicated = advise(prices, loop(access=Access.DEDICATED, classical_s=90.0))
    assert totals(dedicated)["session"] == 20.0 + 9 * 90.0 * 0.5


def test_without_prices_or_differences_the_fastest_is_advised_and_it_is_said() -> None:
    free = advise(None, loop())
    assert free.cheapest is Way.BATCH
    assert "no prices" in free.why
    assert totals(free) == {"batch": None, "session": None, "jobs": None}
    same = advise(PriceList(currency="EUR", per_shot=0.01), loop())
    assert "They cost the same, so the fastest counts: 390 s" not in same.why
    assert "They cost the same, so the fastest counts: 6 min." in same.why
    assert same.to_json()["cheapest"] == "batch"


def test_one_job_is_the_same_in_every_way() -> None:
    found = advise(PriceList(currency="EUR", per_shot=0.01), loop(jobs=1))
    assert set(totals(found).values()) == {10.0}
    assert set(walls(found).values()) == {102.0}
    assert "But" not in found.why
