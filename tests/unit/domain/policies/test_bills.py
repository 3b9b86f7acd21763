from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon.domain.gate_counts import Counting, Tasks
from antiphon.domain.policies.bills import bill, bill_of_ended, session_line
from antiphon.domain.policies.metering import WorkFacts
from antiphon.domain.policies.prices import PriceList, TaskUnit, WhenFailed
from antiphon.domain.queues import Priority

BELL = Tasks(1, 1_000, 1_000, 1_000, 2_000)


def facts(*tasks: Tasks, seconds: float = 0.0, priority: Priority = Priority.STANDARD) -> WorkFacts:
    return WorkFacts(tasks=tasks or (BELL,), seconds=seconds, priority=priority, most_gates=100)


def test_each_dimension_is_a_line() -> None:
    prices = PriceList(
        currency="EUR",
        per_task=0.3,
        per_shot=0.01,
        per_one_qubit_gate=0.001,
        per_two_qubit_gate=0.002,
        per_measurement=0.0001,
        per_second=1.6,
    )
    found = bill(prices, facts(seconds=2.0))
    assert {line.dimension: (line.billed, line.amount) for line in found.lines} == {
        "task": (1.0, 0.3),
        "shot": (1_000.0, 10.0),
        "gate-1q": (1_000.0, 1.0),
        "gate-2q": (1_000.0, 2.0),
        "measurement": (2_000.0, 0.2),
        "second": (2.0, 3.2),
    }
    assert found.total == 16.7


def test_the_least_charge_is_a_line_of_its_own() -> None:
    prices = PriceList(currency="USD", per_two_qubit_gate=0.001, minimum=12.4166)
    found = bill(prices, facts())
    assert [(line.dimension, line.amount) for line in found.lines] == [("gate-2q", 1.0), ("minimum", 11.4166)]
    assert found.total == 12.4166
    assert [line.dimension for line in bill(prices, facts(Tasks(1, 10**6, 0, 10**6, 0))).lines] == ["gate-2q"]


def test_a_batch_is_charged_as_one_task_or_as_each_of_its_programs() -> None:
    batch = facts(Tasks(9, 100, 0, 0, 0), Tasks(1, 10_000, 0, 0, 0))
    once = PriceList(currency="USD", per_task=1.0, per_shot=0.01, minimum=50.0)
    assert bill(once, batch).total == 110.0
    each = PriceList(currency="USD", per_task=1.0, per_shot=0.01, minimum=50.0, task_unit=TaskUnit.PROGRAM)
    assert bill(each, batch).total == 9 * 50.0 + 101.0


def test_a_priority_multiplies_all_prices() -> None:
    prices = PriceList(currency="USD", per_task=1.0, minimum=5.0, priorities={Priority.HIGH: 2.0})
    assert bill(prices, facts()).total == 5.0
    assert bill(prices, facts(priority=Priority.HIGH)).total == 10.0


def test_what_cannot_be_counted_is_bounded_before_and_said() -> None:
    unknown = facts(Tasks(1, 10, 0, 20, 0, Counting.UNKNOWN))
    prices = PriceList(currency="USD", per_two_qubit_gate=0.1)
    before, after = bill(prices, unknown, most=True), bill(prices, unknown)
    assert (before.total, after.total) == (100.0, 2.0)
    assert "upper bound" in before.notes[0]
    assert "not billed" in after.notes[0]
    agreed = PriceList(currency="USD", per_two_qubit_gate=0.1, uncounted_gates=7)
    assert bill(agreed, unknown, most=True).total == bill(agreed, unknown).total == 7.0
    by_seconds = PriceList(currency="USD", per_second=1.0)
    assert bill(by_seconds, unknown, most=True).notes == ()


def test_what_failed_costs_what_the_list_says() -> None:
    prices = PriceList(currency="USD", per_task=5.0, per_second=0.5)
    ran = facts(seconds=4.0)
    assert bill_of_ended(prices, ran, succeeded=True).total == 7.0
    assert bill_of_ended(prices, ran, succeeded=False).total == 2.0
    assert bill_of_ended(prices, facts(), succeeded=False).lines == ()
    for rule, total in ((WhenFailed.ALL, 7.0), (WhenFailed.NOTHING, 0.0)):
        other = PriceList(currency="USD", per_task=5.0, per_second=0.5, when_failed=rule)
        assert bill_of_ended(other, ran, succeeded=False).total == total


def test_a_session_pays_for_the_target_it_keeps_idle() -> None:
    assert session_line(PriceList(currency="USD"), 60.0) is None
    line = session_line(PriceList(currency="USD", session_per_second=0.5), 60.0)
    assert line is not None
    assert line.amount == 30.0


def test_cost_lines_say_the_version_of_the_list() -> None:
    lines = bill(PriceList(currency="USD", per_shot=0.01), facts()).cost_lines(7)
    assert lines == (
        {
            "dimension": "shot",
            "name": "Shots",
            "unit": "shot",
            "consumed": 1_000.0,
            "quantity": 1_000.0,
            "price": 0.01,
            "amount": 10.0,
            "currency": "USD",
            "price_list": 7,
        },
    )


price = st.floats(0.0, 1_000.0).map(lambda value: round(value, 4))
parts = st.builds(Tasks, *(st.integers(low, 500) for low in (1, 0, 0, 0, 0)), counting=st.sampled_from(list(Counting)))


@given(
    st.builds(
        PriceList,
        currency=st.just("EUR"),
        per_task=price,
        per_shot=price,
        per_two_qubit_gate=price,
        per_measurement=price,
        per_second=price,
        minimum=price,
        task_unit=st.sampled_from(list(TaskUnit)),
        when_failed=st.sampled_from(list(WhenFailed)),
        uncounted_gates=st.none() | st.integers(0, 100),
    ),
    st.lists(parts, min_size=1, max_size=5).map(tuple),
    st.floats(0.0, 1_000.0),
)
def test_no_bill_is_above_its_bound_nor_below_the_least(
    prices: PriceList, tasks: tuple[Tasks, ...], seconds: float
) -> None:
    work = WorkFacts(tasks=tasks, seconds=seconds, most_gates=100)
    after = bill(prices, work).total
    assert after <= bill(prices, work, most=True).total + 1e-4
    least = prices.minimum * (work.num_tasks if prices.task_unit is TaskUnit.PROGRAM else 1)
    assert after >= least - 1e-3
    assert bill_of_ended(prices, work, succeeded=False).total <= after + 1e-4
