"""Intervals against SciPy's, and how often they hold the truth."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, binomtest, t

from antiphon.adapters.targets.sim.pauli_sampling import Energies, GroupedSum, group_energies, sampled_value
from antiphon.adapters.targets.sim.paulis import Group
from antiphon.adapters.targets.sim.task import Value
from antiphon.client.intervals import of_corrected, of_counts, of_values
from antiphon.domain.results import Estimated, Sampled, ShotNoise
from antiphon.errors import AntiphonError, MissingExtraError

Floats = Any


def outcome_of(values: Sequence[Value]) -> Estimated:
    noise = ShotNoise(
        tuple(each.edge for each in values),
        tuple(each.pull for each in values),
        tuple(each.constant - each.reach for each in values),
        tuple(each.constant + each.reach for each in values),
        tuple(each.two_valued for each in values),
    )
    found = tuple(each.value for each in values)
    return Estimated((len(values),), found, tuple(each.stderr for each in values), 100, noise=noise.packed())


def drawn(
    groups: tuple[Group, ...], chances: Sequence[Floats], shots: int, times: int, constant: float = 0.0
) -> Estimated:
    """So many estimates of a sum whose groups' outcomes come with these chances."""
    rng = np.random.default_rng(11)
    of = {id(group): np.array(each) for group, each in zip(groups, chances, strict=True)}

    def measure(group: Group, shots: int) -> Energies:
        came = rng.multinomial(shots, of[id(group)])
        outcomes = np.flatnonzero(came)
        return group_energies(group, outcomes), came[outcomes]

    return outcome_of([sampled_value(GroupedSum(constant, groups), shots, measure) for _ in range(times)])


def truth_of(groups: tuple[Group, ...], chances: Sequence[Floats]) -> float:
    return float(
        sum(
            np.array(each) @ group_energies(group, np.arange(len(each)))
            for group, each in zip(groups, chances, strict=True)
        )
    )


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
@pytest.mark.parametrize(("method", "theirs"), [("score", "wilson"), ("exact", "exact")])
def test_of_counts_as_scipy_has_it(level: float, method: str, theirs: Any) -> None:
    found = of_counts({"0": 3, "1": 97}, level, method)
    for key, count in (("0", 3), ("1", 97)):
        reference = binomtest(count, 100).proportion_ci(level, method=theirs)
        assert found[key] == pytest.approx((reference.low, reference.high), abs=1e-12)


def coverage(shots: int, chance: float, interval: Callable[[int], tuple[float, float]]) -> float:
    """How often the interval of a binomial count holds its chance, summed over all counts."""
    holds = [low <= chance <= high for low, high in (interval(count) for count in range(shots + 1))]
    return float(binom.pmf(np.arange(shots + 1), shots, chance) @ holds)


CHANCES = (0.001, 0.01, 0.03, 0.1, 0.3, 0.5)


@pytest.mark.parametrize("shots", [1, 2, 5, 20, 40, 200, 1_000])
def test_probabilities_are_held_as_often_as_said(shots: int) -> None:
    def chosen(count: int) -> tuple[float, float]:
        return of_counts({"0": shots - count, "1": count}, 0.95)["1"]

    def normal(count: int) -> tuple[float, float]:
        return of_counts({"0": shots - count, "1": count}, 0.95, "normal")["1"]

    assert min(coverage(shots, chance, chosen) for chance in CHANCES) >= 0.938
    assert min(coverage(shots, chance, normal) for chance in CHANCES) < 0.7
    if shots <= 40:
        assert min(coverage(shots, chance, chosen) for chance in CHANCES) >= 0.95


@pytest.mark.parametrize("shots", [20, 40, 100, 4_000])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_outcomes_that_came_are_held_as_often_as_said_however_rare_they_are(shots: int, level: float) -> None:
    counts = np.arange(1, min(shots, 120) + 1)
    ends = np.array([of_counts({"a": int(each), "b": shots - int(each)}, level)["a"] for each in counts])
    for expected in np.geomspace(1e-3, min(shots - 1, 50), 60):
        chances = binom.pmf(counts, shots, expected / shots)
        holds = (ends[:, 0] <= expected / shots) & (expected / shots <= ends[:, 1])
        assert chances @ holds / chances.sum() >= level - 0.02
    own = of_counts({"a": 1, "b": shots - 1}, level, "exact")["a"]
    assert (ends[0][0], ends[0][1]) == (0.0, own[1])


def test_all_shots_alike_do_not_make_a_width_of_nothing() -> None:
    assert of_counts({"0": 10}, 0.95)["0"] == pytest.approx((10**-0 * 0.025 ** (1 / 10), 1.0))
    assert of_counts({"0": 10}, 0.95, "normal")["0"] == (1.0, 1.0)
    low, high = of_values(drawn((Group(0, 1, {1: 1.0}),), [[1.0, 0.0]], 10, 1), 0.95)
    assert (low[0], high[0]) == pytest.approx((2 * 0.025 ** (1 / 10) - 1, 1.0))


@pytest.mark.parametrize("shots", [6, 30, 300])
@pytest.mark.parametrize("ones", [0.0, 0.02, 0.5])
def test_a_string_is_a_probability(shots: int, ones: float) -> None:
    group = (Group(0, 1, {1: -3.0}),)
    found = drawn(group, [[1 - ones, ones]], shots, 1_000, constant=0.5)
    low, high = of_values(found, 0.95)
    truth = 0.5 + truth_of(group, [[1 - ones, ones]])
    assert ((low <= truth + 1e-9) & (truth - 1e-9 <= high)).mean() >= 0.935
    assert low.min() >= -2.5 - 1e-9
    assert high.max() <= 3.5 + 1e-9


SUMS = {
    "one basis": ((Group(0, 3, {1: 1.0, 2: 0.5, 3: 0.25}),), ([0.7, 0.1, 0.1, 0.1],)),
    "two bases": (
        (Group(0, 1, {1: 1.0}), Group(1, 0, {1: 0.5})),
        ([0.97, 0.03], [0.5, 0.5]),
    ),
    "nearly sure": (
        (Group(0, 1, {1: 1.0}), Group(1, 0, {1: 1.0}), Group(1, 1, {1: 1.0})),
        ([0.99, 0.01], [0.01, 0.99], [0.98, 0.02]),
    ),
    "many": (
        tuple(Group(0, 1, {1: 1.0 / (place + 1)}) for place in range(8)),
        [[0.995 - 0.004 * place, 0.005 + 0.004 * place] for place in range(8)],
    ),
    "few of one": ((Group(0, 1, {1: 0.1}), Group(1, 1, {1: 1.0})), ([0.5, 0.5], [0.995, 0.005])),
    "to both sides": (
        (Group(0, 3, {3: -1.7321348424395848}), Group(1, 1, {1: -1.29}), Group(2, 1, {1: -2.0})),
        ([0.0449, 0.2553, 0.6969, 0.0029], [0.0867, 0.9133], [0.9798, 0.0202]),
    ),
    "equally sure": ((Group(0, 1, {1: 1.0}), Group(1, 0, {1: 0.5})), ([1.0, 0.0], [1.0, 0.0])),
    "sure": ((Group(0, 3, {1: 1.0, 2: 1.0}), Group(1, 0, {1: 0.2})), ([1.0, 0.0, 0.0, 0.0], [0.0, 1.0])),
}


@pytest.mark.parametrize("name", list(SUMS))
@pytest.mark.parametrize("shots", [20, 100, 2_000])
def test_a_sum_is_held_as_often_as_said(name: str, shots: int) -> None:
    groups, chances = SUMS[name]
    low, high = of_values(found := drawn(groups, chances, shots, 1_000), 0.95)
    truth = truth_of(groups, chances)
    assert ((low <= truth + 1e-9) & (truth - 1e-9 <= high)).mean() >= 0.935
    values = np.array(found.values)
    assert ((low <= values + 1e-9) & (values - 1e-9 <= high)).all()
    if name == "nearly sure" and shots == 20:
        own = of_values(found, 0.95, "normal")
        assert ((own[0] <= truth) & (truth <= own[1])).mean() < 0.8
    if name == "one basis" and shots == 2_000:
        own = of_values(found, 0.95, "normal")
        assert ((high - low) / (own[1] - own[0])).max() < 1.05


def test_few_groups_have_students_quantile() -> None:
    rng = np.random.default_rng(3)
    groups = rng.normal(1.0, 0.2, (2_000, 4))
    means, errors = groups.mean(axis=1), groups.std(axis=1, ddof=1) / 2
    noise = ShotNoise((0.0,), (0.0,), freedom=(3.0,))
    found = Estimated((2_000,), tuple(means.tolist()), tuple(errors.tolist()), 100, noise=noise)
    low, high = of_values(found, 0.9)
    assert (high - low)[0] == pytest.approx(2 * t.ppf(0.95, 3) * errors[0])
    assert ((low <= 1.0) & (high >= 1.0)).mean() == pytest.approx(0.9, abs=0.02)
    own = of_values(found, 0.9, "normal")
    assert ((own[0] <= 1.0) & (own[1] >= 1.0)).mean() < 0.84


def test_corrected_probabilities_are_as_wide_as_fewer_shots() -> None:
    told = {"quasi_probabilities": [{"0": 0.9, "1": 0.1, "2": 0.0}], "stderr": [{"0": 0.02, "1": 0.02, "2": 0.0}]}
    found = of_corrected(Sampled((), ({"0": 900, "1": 100},), 1_000, details={"mitigation": told}), 0, 0.95)
    effective = 0.9 * 0.1 / 0.02**2
    reference = binomtest(round(0.9 * effective), round(effective)).proportion_ci(0.95, method="wilson")
    assert found["0"] == pytest.approx((reference.low, reference.high), abs=0.003)
    assert found["2"][0] == 0.0
    assert found["2"][1] == pytest.approx(binomtest(0, round(effective)).proportion_ci(0.95, method="wilson").high)


def test_corrected_probabilities_have_the_error_of_the_calibration_and_hold_zero() -> None:
    told = {
        "quasi_probabilities": [{"0": 0.99, "1": 0.01, "2": -0.004}],
        "stderr": [{"0": 0.02, "1": 0.01, "2": 0.01}],
        "edge": [{"0": 0.001, "1": 0.001, "2": 0.001}],
        "pull": [{"0": 0.0, "1": 0.0, "2": 0.0}],
    }
    found = of_corrected(Sampled((), ({"0": 940, "1": 30, "2": 30},), 1_000, details={"mitigation": told}), 0, 0.95)
    assert found["0"] == pytest.approx((0.99 - 0.0394, 1.0), abs=1e-3)
    assert found["1"] == pytest.approx((0.0, 0.01 + 0.020), abs=1e-3)
    assert found["2"] == pytest.approx((0.0, 0.020), abs=1e-3)


def test_exact_values_and_old_results_have_normal_intervals() -> None:
    low, high = of_values(Estimated((), (2.0,), (0.1,), 100), 0.95)
    assert (low[0], high[0]) == pytest.approx((2.0 - 0.195996, 2.0 + 0.195996), abs=1e-6)
    low, high = of_values(Estimated((), (2.0,), (0.0,)), 0.95)
    assert low[0] == high[0] == 2.0


@pytest.mark.parametrize(("level", "method"), [(0.0, None), (1.0, None), (95, None), (0.9, "wald")])
def test_a_level_is_a_probability_and_a_method_is_known(level: float, method: str | None) -> None:
    with pytest.raises(AntiphonError, match=r"confidence level|kind of interval"):
        of_counts({"0": 1}, level, method)


def test_without_scipy_few_shots_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name.startswith("scipy"):
            raise ImportError(name)
        return genuine(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert of_counts({"0": 50, "1": 50}, 0.95)["0"][0] < 0.5
    with pytest.raises(MissingExtraError, match="scipy"):
        of_counts({"0": 5, "1": 5}, 0.95)
    assert of_counts({"0": 5, "1": 5}, 0.95, "score")["0"][0] < 0.5
