"""Angles of a circuit: arithmetic on their symbolic form, and the values of all of them for many parameter sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from antiphon.domain.circuits import Affine, Angle, Call
from antiphon.errors import ParameterError

Floats: TypeAlias = "NDArray[np.float64]"

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "neg": np.negative,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
}


def scale(angle: Angle, factor: float) -> Angle:
    """`factor` times `angle`, folded where it is affine."""
    if isinstance(angle, Affine):
        return Affine(factor * angle.constant, tuple((index, factor * value) for index, value in angle.terms))
    if isinstance(angle, Call):
        return Call("mul", (factor, angle))
    return factor * angle


def add(left: Angle, right: Angle) -> Angle:
    """The sum of two angles, folded where both are affine."""
    if isinstance(left, Call) or isinstance(right, Call):
        return Call("add", (left, right))
    if not isinstance(left, Affine) and not isinstance(right, Affine):
        return left + right
    first = left if isinstance(left, Affine) else Affine(left, ())
    second = right if isinstance(right, Affine) else Affine(right, ())
    terms = dict(first.terms)
    for index, value in second.terms:
        terms[index] = terms.get(index, 0.0) + value
    return Affine(first.constant + second.constant, tuple(terms.items()))


class AngleTable:
    """Evaluates a list of angles. Affine ones, which are nearly all, cost one gather and one multiply-add for all."""

    def __init__(self, angles: Sequence[Angle]) -> None:
        self.angles = tuple(angles)
        self._calls = [(place, angle) for place, angle in enumerate(angles) if isinstance(angle, Call)]
        terms = [angle.terms if isinstance(angle, Affine) else () for angle in angles]
        width = max((len(row) for row in terms), default=0)
        self._constants = np.array([_constant(angle) for angle in angles], dtype=np.float64)
        self._indices = np.zeros((width, len(terms)), dtype=np.intp)
        self._factors = np.zeros((width, len(terms)))
        for place, row in enumerate(terms):
            for depth, (index, factor) in enumerate(row):
                self._indices[depth, place] = index
                self._factors[depth, place] = factor

    def evaluate(self, parameters: Floats) -> Floats:
        """Values of shape (…, number of angles) for parameters of shape (…, number of parameters), in radians.

        Raises:
            ParameterError: An expression is not a finite real number at these parameters.
        """
        values: Floats = np.broadcast_to(self._constants, (*parameters.shape[:-1], len(self.angles)))
        for indices, factors in zip(self._indices, self._factors, strict=True):
            values = values + factors * parameters[..., indices]
        if self._calls:
            values = values.copy()
            with np.errstate(all="ignore"):
                for place, call in self._calls:
                    values[..., place] = _evaluate(call, parameters)
            if not np.isfinite(values).all():
                raise ParameterError(
                    "An angle of the program is not a finite number at these parameter values.",
                    cause="an expression divides by zero or leaves the domain of its function",
                    next_step="Change the parameter values, or the expression of the angle.",
                )
        return values


def _constant(angle: Angle) -> float:
    if isinstance(angle, Affine):
        return angle.constant
    return 0.0 if isinstance(angle, Call) else float(angle)


def _evaluate(angle: Angle, parameters: Floats) -> Any:
    if isinstance(angle, Call):
        return _FUNCTIONS[angle.function](*(_evaluate(argument, parameters) for argument in angle.arguments))
    if isinstance(angle, Affine):
        value: Any = angle.constant
        for index, factor in angle.terms:
            value = value + factor * parameters[..., index]
        return value
    return angle
