import math

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from antiphon.domain.circuits import Affine, Angle, Call
from antiphon.errors import ProgramError, UnsupportedProgramError
from antiphon.frontends.parameters_angles import add, finite, from_sympy, multiply, scale
from reference_simulator import evaluate_angle

INDEX = {"a": 0, "b": 1}
a, b = sympy.symbols("a b")


def lookup(name: str) -> Angle:
    return Affine(0.0, ((INDEX[name], 1.0),))


@pytest.mark.parametrize(
    "expression",
    [
        2 * a + 0.1 * b - 3,
        a * b,
        a / b,
        a**2 + b**0.5,
        sympy.sin(a) * sympy.cos(b) + sympy.tan(a / 3),
        sympy.exp(-a) + sympy.log(b) + sympy.E**b,
        sympy.asin(a / 2) + sympy.acos(b / 2) + sympy.atan(a),
        sympy.Abs(a - b) + sympy.sqrt(a + b),
        sympy.pi * a / 7 + sympy.Rational(1, 3),
        2**a,
        sympy.conjugate(a) + b,
    ],
    ids=str,
)
def test_an_expression_keeps_its_value(expression: sympy.Expr) -> None:
    values = (0.7, 0.9)
    expected = complex(expression.subs({a: values[0], b: values[1]})).real

    assert evaluate_angle(from_sympy(expression, lookup), values) == pytest.approx(expected, abs=1e-14)


def test_what_is_affine_stays_affine() -> None:
    angle = from_sympy(2 * (a + 3 * b) - a / 4 + 0.1, lookup)

    assert isinstance(angle, Affine)
    assert angle.constant == 0.1
    assert dict(angle.terms) == {0: 1.75, 1: 6.0}


def test_terms_that_cancel_leave_a_number() -> None:
    assert add(Affine(0.5, ((0, 2.0),)), Affine(0.25, ((0, -2.0),))) == 0.75


def test_products_of_parameters_are_calls() -> None:
    assert isinstance(multiply(Affine(0.0, ((0, 1.0),)), Affine(0.0, ((1, 1.0),))), Call)


@given(st.floats(-1e6, 1e6), st.floats(-1e3, 1e3), st.floats(-10, 10))
def test_scaling_is_multiplication(constant: float, factor: float, value: float) -> None:
    scaled = scale(Affine(constant, ((0, 1.0),)), factor)

    assert evaluate_angle(scaled, (value,)) == pytest.approx(factor * (constant + value), abs=1e-6, rel=1e-12)


def test_functions_without_a_counterpart_are_named() -> None:
    with pytest.raises(UnsupportedProgramError, match="sign"):
        from_sympy(sympy.sign(a), lookup)


@pytest.mark.parametrize("expression", [sympy.I, sympy.oo, sympy.nan])
def test_constants_must_be_finite_and_real(expression: sympy.Expr) -> None:
    with pytest.raises(ProgramError):
        from_sympy(a + expression * 1, lookup) if expression is sympy.I else from_sympy(expression, lookup)


def test_an_infinite_angle_names_its_gate() -> None:
    with pytest.raises(ProgramError, match="Gate rx"):
        finite(math.inf, "Gate rx")
