from __future__ import annotations

import json
import math
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from antiphon.domain.policies.estimates import (
    LEAST,
    LEVELS,
    MODEL_SPREAD,
    NEWEST,
    Estimate,
    Held,
    Quantiles,
    Source,
    ahead_of,
    corrected_level,
    run_spread,
    score,
    wait_spread,
)


@dataclass(frozen=True)
class Outcome:
    planned_s: float = 1.0
    ahead_s: float = 0.0
    wait_s: float = 0.0
    run_s: float = 1.0
    cost: float | None = None
    estimate: Mapping[str, Any] | None = None


def steady(_: int) -> float:
    return 0.0


def drifting(number: int) -> float:
    return 1.2 * math.sin(number / 400)


def jumping(number: int) -> float:
    return 1.5 if number % 1_500 > 750 else 0.0


def slowing(number: int) -> float:
    return number / 1_500


@pytest.mark.parametrize("drift", [steady, drifting, jumping, slowing])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bounds_on_drifting_run_times_hold_as_often_as_they_say(drift: Callable[[int], float], seed: int) -> None:
    random_numbers = random.Random(seed)
    known: deque[Outcome] = deque(maxlen=NEWEST)
    given: list[Outcome] = []
    for number in range(5_000):
        planned = random_numbers.lognormvariate(0, 1.5)
        if number % 10 == 0:  # learned now and then, as an engine does
            spread = run_spread(known)
        ran = planned * random_numbers.lognormvariate(drift(number), 0.6)
        came = Outcome(planned_s=planned, run_s=ran, estimate={"run": spread.of(planned).to_json()})
        known.appendleft(came)
        given.append(came)
    held = score("t", None, given[LEAST + 100 :]).run
    rates = [getattr(held, name) / held.jobs for name in ("p50", "p80", "p95")]
    for level, rate in zip(LEVELS, rates, strict=True):
        assert abs(rate - level) < (0.05 if level < 0.9 else 0.025), rates


def test_bounds_on_waits_hold_when_the_plan_of_the_queue_is_wrong_by_a_factor() -> None:
    random_numbers = random.Random(5)
    known: deque[Outcome] = deque(maxlen=NEWEST)
    given = []
    for number in range(4_000):
        ahead = 0.0 if random_numbers.random() < 0.4 else random_numbers.expovariate(1 / 300)
        if number % 10 == 0:
            by_ahead = {free: wait_spread(known, 0.0 if free else 1.0) for free in (True, False)}
        waited = random_numbers.expovariate(20) if not ahead else 2.5 * ahead * random_numbers.lognormvariate(0, 0.8)
        bounds = by_ahead[ahead <= 0].of(ahead).to_json()
        came = Outcome(ahead_s=ahead, wait_s=waited, estimate={"wait": bounds})
        known.appendleft(came)
        given.append(came)
    for free in (True, False):
        held = score("t", None, [came for came in given[300:] if (came.ahead_s <= 0) == free]).wait
        assert 0.75 < held.p80 / held.jobs < 0.85


def test_before_there_is_a_history_the_cost_models_spread_counts_and_is_said_to_be_a_bound() -> None:
    few = [Outcome(run_s=50.0)] * (LEAST - 1)
    found = run_spread(few).of(2.0)
    assert (found.source, found.jobs, found.upper_bound) == (Source.MODEL, LEAST - 1, True)
    assert found.p50 == pytest.approx(2.0 * MODEL_SPREAD[0], rel=0.01)
    assert found.p95 == pytest.approx(2.0 * MODEL_SPREAD[2], rel=0.1)
    enough = run_spread([*few, few[0]]).of(2.0)
    assert (enough.source, enough.upper_bound) == (Source.HISTORY, False)
    assert enough.p50 == pytest.approx(100.0, rel=0.02)


def test_quantiles_grow_with_the_level_and_are_never_negative() -> None:
    history = [Outcome(planned_s=10.0, run_s=0.001 * (number % 7)) for number in range(60)]
    found = run_spread(history).of(0.0)
    assert 0.0 <= found.p50 <= found.p80 <= found.p95


def test_bounds_that_did_not_hold_raise_the_level_and_those_that_did_lower_it() -> None:
    assert corrected_level(0.8, []) == 0.8
    assert corrected_level(0.8, [False] * 5) > 0.85
    assert corrected_level(0.8, [True] * 50) < 0.7
    assert corrected_level(0.95, [False] * 1_000) == 0.999
    balanced = [number % 5 != 0 for number in range(500)]
    assert corrected_level(0.8, balanced) == pytest.approx(0.8, abs=0.02)


def test_coverage_counts_what_was_given_and_says_it_in_words() -> None:
    def came(run: float, cost: float | None) -> Outcome:
        bounds = {"p50": 1.0, "p80": 2.0, "p95": 3.0}
        return Outcome(run_s=run, cost=cost, estimate={"run": bounds, "wait": bounds, "cost": bounds})

    found = score("t", "High", [came(0.5, 3.0), came(2.5, None), came(2.0, 0.0), Outcome()])
    assert found.run == Held(3, 1, 2, 3)
    assert found.wait == Held(3, 3, 3, 3)
    assert found.cost == Held(2, 1, 1, 2)
    assert Held(412, 0, 325, 0).in_words() == "the 80 % bound held for 79 % of 412 jobs"
    assert found.to_json()["cost"]["in_words"] == "the 80 % bound held for 50 % of 2 jobs"
    assert score("t", None, []).run.in_words() == "no estimate has been scored yet"


def test_an_estimate_is_read_back_as_it_was_written() -> None:
    quantiles = Quantiles(1.0, 2.0, 3.0, Source.HISTORY, 412)
    estimate = Estimate(
        at=9.0,
        target="t",
        priority="High",
        ahead_s=5.0,
        planned_s=1.0,
        wait=quantiles,
        run=quantiles,
        cost=quantiles,
        currency="EUR",
        notes=("a note",),
    )
    assert Estimate.from_json(json.loads(json.dumps(estimate.to_json()))) == estimate


@pytest.mark.parametrize(
    ("work", "slots", "blocked", "own", "expected"),
    [
        (0.0, 1, [], 5.0, 0.0),
        (100.0, 4, [], 5.0, 25.0),
        (10.0, 1, [(1_020.0, 1_060.0)], 5.0, 10.0),
        (10.0, 1, [(1_012.0, 1_060.0)], 5.0, 60.0),  # it would reach into the window
        (30.0, 1, [(1_020.0, 1_060.0)], 5.0, 70.0),
        (30.0, 1, [(990.0, 1_010.0), (1_020.0, 1_060.0), (1_062.0, 1_064.0)], 1.0, 82.0),
        (0.0, 1, [(900.0, 950.0), (990.0, 1_010.0)], 1.0, 10.0),
        (0.0, 1, [(1_000.0, 1_010.0)], 0.0, 10.0),  # a window that opens now lets nobody through, however short
    ],
)
def test_work_ahead_goes_round_windows_that_belong_to_others(
    work: float, slots: int, blocked: list[tuple[float, float]], own: float, expected: float
) -> None:
    assert ahead_of(work, slots, 1_000.0, blocked, own) == pytest.approx(expected)
