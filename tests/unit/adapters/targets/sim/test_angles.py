import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.adapters.targets.sim.angles import AngleTable, add, scale
from antiphon.domain.circuits import Affine, Angle, Call
from antiphon.errors import ParameterError
from reference_simulator import evaluate_angle
from sim_work import NUM_PARAMETERS, angles, parameter_values


@given(st.lists(angles(), max_size=6), st.lists(parameter_values(), min_size=1, max_size=3))
def test_all_angles_of_all_sets_at_once(table: list[Angle], sets: list[list[float]]) -> None:
    found = AngleTable(table).evaluate(np.array(sets))
    assert found.shape == (len(sets), len(table))
    for row, values in zip(found, sets, strict=True):
        np.testing.assert_allclose(row, [evaluate_angle(angle, values) for angle in table], rtol=1e-13, atol=1e-13)


@given(angles(), angles(), parameter_values())
def test_arithmetic_on_symbolic_angles(left: Angle, right: Angle, values: list[float]) -> None:
    combined = add(scale(left, -0.5), right)
    expected = -0.5 * evaluate_angle(left, values) + evaluate_angle(right, values)
    assert AngleTable([combined]).evaluate(np.array(values))[0] == pytest.approx(expected, abs=1e-12)


def test_an_angle_with_several_parameters() -> None:
    table = AngleTable([Affine(1.0, ((0, 2.0), (2, -1.0))), 0.25])
    np.testing.assert_array_equal(table.evaluate(np.array([1.0, 9.0, 4.0])), [-1.0, 0.25])


@pytest.mark.parametrize("function", ["div", "pow"])
def test_an_expression_that_is_not_finite_is_refused(function: str) -> None:
    arguments = (-1.0, Affine(0.0, ((0, 1.0),))) if function == "pow" else (1.0, Affine(-0.5, ((0, 1.0),)))
    with pytest.raises(ParameterError):
        AngleTable([Call(function, arguments)]).evaluate(np.full(NUM_PARAMETERS, 0.5))
