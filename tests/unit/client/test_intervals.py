import numpy as np
import pytest
from scipy.stats import binomtest

from antiphon.client.intervals import around, of_counts, wilson
from antiphon.errors import AntiphonError


def test_values_lie_between_as_many_standard_errors_as_a_normal_distribution_holds() -> None:
    low, high = around(2.0, 0.1, 0.95)
    assert (low, high) == pytest.approx((2.0 - 0.195996, 2.0 + 0.195996), abs=1e-6)
    lows, highs = around(np.array([0.0, 1.0]), np.array([1.0, 0.0]), 0.6827)
    np.testing.assert_allclose(lows, [-1.0, 1.0], atol=1e-4)
    np.testing.assert_allclose(highs, [1.0, 1.0], atol=1e-4)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_of_counts_as_scipy_has_it(level: float) -> None:
    found = wilson({"0": 3, "1": 97}, level)
    for key, count in (("0", 3), ("1", 97)):
        reference = binomtest(count, 100).proportion_ci(level, method="wilson")
        assert found[key] == pytest.approx((reference.low, reference.high), abs=1e-12)


def test_it_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for ones in rng.binomial(200, 0.3, 4000):
        low, high = wilson({"0": 200 - int(ones), "1": int(ones)}, 0.9)["1"]
        held += low <= 0.3 <= high
    assert abs(held / 4000 - 0.9) < 0.02


def test_shapes_are_those_of_counts() -> None:
    found = of_counts([{"0": 10}, None, [{"1": 4}, {"0": 2, "1": 2}]], 0.95)
    assert found[0]["0"][1] == pytest.approx(1.0)
    assert found[1] is None
    assert set(found[2][1]) == {"0", "1"}


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_a_level_is_a_probability(level: float) -> None:
    with pytest.raises(AntiphonError, match="confidence level"):
        around(1.0, 0.1, level)
