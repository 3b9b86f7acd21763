from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from antiphon.domain.gate_counts import Tasks
from antiphon.domain.policies.bills import bill
from antiphon.domain.policies.metering import WorkFacts
from antiphon.domain.policies.prices import PriceList, TaskUnit, WhenFailed
from antiphon.domain.queues import Priority
from antiphon.errors import LimitError


def test_a_list_is_read_back_as_it_was_written() -> None:
    prices = PriceList(
        currency="EUR",
        per_shot=0.01,
        minimum=3.0,
        task_unit=TaskUnit.PROGRAM,
        priorities={Priority.HIGH: 2.0},
        when_failed=WhenFailed.ALL,
        uncounted_gates=500,
    )
    assert PriceList.from_json(json.loads(json.dumps(prices.to_json()))) == prices


def test_what_is_not_given_is_free() -> None:
    assert PriceList.from_json({"currency": "USD"}) == PriceList(currency="USD")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("currency", "eur"),
        ("currency", None),
        ("currency", 3),
        ("per_shot", -1),
        ("per_shot", "1"),
        ("per_shot", True),
        ("minimum", float("nan")),
        ("per_second", 1e10),
        ("per_shots", 1),
        ("task_unit", "batch"),
        ("when_failed", "never"),
        ("priorities", {"Urgent": 2}),
        ("priorities", [2]),
        ("priorities", {"High": -2}),
        ("uncounted_gates", 1.5),
        ("name", 7),
        ("name", "\0"),
        ("name", "\ud800"),
        ("per_shot", 10**400),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    with pytest.raises(LimitError) as refused:
        PriceList.from_json({"currency": "EUR"} | {field: value})
    assert refused.value.code == "price-list-invalid"
    assert refused.value.details == {"field": field}


EXAMPLES = Path(__file__).parents[4] / "docs/howto/prices"
BATCH = WorkFacts(tasks=(Tasks(2, 1_000, 40_000, 20_000, 0),), seconds=3.0, priority=Priority.HIGH)


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("trapped-ion", 2 * (40_000 * 0.00022 + 20_000 * 0.000975)),
        ("superconducting", 3.0 * 1.6 * 1.5),
        ("per-task", 2 * (0.3 + 1_000 * 0.00145)),
    ],
)
def test_the_examples_are_price_lists(name: str, total: float) -> None:
    prices = PriceList.from_json(json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8")))
    assert prices.name.startswith("Example")
    assert bill(prices, BATCH).total == pytest.approx(total)
    assert len(list(EXAMPLES.iterdir())) == 3
