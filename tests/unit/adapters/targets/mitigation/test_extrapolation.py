import warnings

import numpy as np
import pytest

from antiphon.adapters.targets.mitigation.extrapolation import exponential, polynomial_weights


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_a_polynomial_is_found_again(degree: int) -> None:
    factors = np.array([1.0, 2.0, 3.0, 5.0])
    coefficients = np.array([0.7, -0.2, 0.03, -0.004])[: degree + 1]
    weights = polynomial_weights(factors, np.full(4, 0.01), degree)
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ np.polynomial.polynomial.polyval(factors, coefficients) == pytest.approx(0.7)


def test_two_factors_have_the_weights_of_a_line() -> None:
    np.testing.assert_allclose(polynomial_weights(np.array([1.0, 3.0]), np.array([0.3, 0.1]), 1), [1.5, -0.5])
    np.testing.assert_allclose(polynomial_weights(np.array([1.0, 3.0]), np.zeros(2), 1), [1.5, -0.5])


def test_an_exponential_is_found_again_with_its_error() -> None:
    factors = np.array([1.0, 3.0, 5.0])
    found = exponential(factors, -0.8 * np.exp(-0.1 * factors), np.full(3, 1e-4))
    assert found is not None
    assert found[0] == pytest.approx(-0.8, abs=1e-6)
    assert 0.0 < found[1] < 0.01


@pytest.mark.parametrize("values", [[0.1, -0.2, 0.3], [0.2, 0.3, 0.4], [0.0, 0.1, 0.2]])
def test_no_exponential_where_there_is_none(values: list[float]) -> None:
    assert exponential(np.array([1.0, 3.0, 5.0]), np.array(values), np.full(3, 1e-4)) is None


@pytest.mark.parametrize("name", ["linear", "polynomial_degree_2", "exponential"])
def test_as_qiskit_mitigation_extrapolates(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from qiskit_mitigation.zne.extrapolation import _process_extrapolated_expectation_values
    factors, values, errors = np.array([1.0, 3.0, 5.0]), np.array([0.62, 0.45, 0.36]), np.array([0.01, 0.02, 0.015])
    theirs = _process_extrapolated_expectation_values(values, errors, "Z", factors, name)
    if name == "exponential":
        found = exponential(factors, values, errors**2)
        assert found is not None
        value = found[0]
    else:
        value = float(polynomial_weights(factors, errors**2, 1 if name == "linear" else 2) @ values)
    # Its standard errors are those of the residuals, which are infinite where as many factors as parameters are fitted.
    assert value == pytest.approx(theirs[0], rel=1e-4)


def test_the_error_of_the_extrapolated_value_is_that_of_the_values() -> None:
    factors, errors = np.array([1.0, 3.0, 5.0]), np.array([0.01, 0.02, 0.015])
    rng = np.random.default_rng(4)
    draws = [0.7 * np.exp(-0.1 * factors) + errors * rng.normal(size=3) for _ in range(2000)]
    weights = polynomial_weights(factors, errors**2, 2)
    assert np.std([weights @ draw for draw in draws]) == pytest.approx((weights**2 @ errors**2) ** 0.5, rel=0.06)
    fits = [found for draw in draws[:400] if (found := exponential(factors, draw, errors**2)) is not None]
    assert np.std([value for value, _ in fits]) == pytest.approx(np.mean([v**0.5 for _, v in fits]), rel=0.12)
