"""Arithmetic on angles that keeps them affine as long as they are, and the reading of SymPy expressions.

Qiskit and Cirq both write what is not affine as a SymPy expression; this is where such a tree becomes `Call`s.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from antiphon.domain.circuits import Affine, Angle, Call
from antiphon.errors import ProgramError, UnsupportedProgramError

_CALLS = {
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "asin": "asin",
    "acos": "acos",
    "atan": "atan",
    "exp": "exp",
    "log": "log",
    "Abs": "abs",
}
"""SymPy's function names and ours."""


def affine(constant: float, terms: dict[int, float]) -> Angle:
    """The angle constant + Σ coefficient·θ[index]; a plain float when no term is left."""
    kept = tuple((index, value) for index, value in sorted(terms.items()) if value != 0.0)
    return Affine(constant, kept) if kept else constant


def add(left: Angle, right: Angle) -> Angle:
    """The sum of two angles."""
    if isinstance(left, Call) or isinstance(right, Call):
        if left == 0.0:
            return right
        return left if right == 0.0 else Call("add", (left, right))
    if not isinstance(left, Affine) and not isinstance(right, Affine):
        return left + right
    terms: dict[int, float] = {}
    constant = 0.0
    for part in (left, right):
        if isinstance(part, Affine):
            constant += part.constant
            for index, value in part.terms:
                terms[index] = terms.get(index, 0.0) + value
        else:
            constant += part
    return affine(constant, terms)


def scale(angle: Angle, factor: float) -> Angle:
    """The angle times a number."""
    if isinstance(angle, Affine):
        return affine(angle.constant * factor, {index: value * factor for index, value in angle.terms})
    if isinstance(angle, Call):
        return angle if factor == 1.0 else Call("mul", (factor, angle))
    return angle * factor


def multiply(left: Angle, right: Angle) -> Angle:
    """The product of two angles."""
    if isinstance(left, float | int):
        return scale(right, left)
    if isinstance(right, float | int):
        return scale(left, right)
    return Call("mul", (left, right))


def finite(value: float, where: str) -> float:
    """`value` as a float.

    Raises:
        ProgramError: It is infinite or not a number; `where` names its place.
    """
    value = float(value)
    if not math.isfinite(value):
        raise ProgramError(
            f"{where} has the angle {value}, which is not a finite number.",
            next_step="Look for a division by zero or an overflow where the circuit is built.",
        )
    return value


def from_sympy(expression: Any, lookup: Callable[[str], Angle]) -> Angle:
    """The angle that a SymPy expression of real symbols stands for; `lookup` gives the angle of a symbol's name.

    Raises:
        ProgramError: A constant in it is not a finite real number.
        UnsupportedProgramError: A function in it has no counterpart in `domain.circuits.FUNCTIONS`.
    """
    if not expression.free_symbols:
        value = complex(expression)
        if value.imag != 0.0:
            raise ProgramError(
                f"The angle {expression} is not real.",
                next_step="Rewrite the gate so that each of its angles is a real number.",
            )
        return finite(value.real, f"The expression {expression}")
    if expression.is_Symbol:
        return lookup(expression.name)
    if expression.is_Pow:
        return _power(expression, lookup)
    name = type(expression).__name__
    arguments = [from_sympy(argument, lookup) for argument in expression.args]
    if expression.is_Add or expression.is_Mul:
        total = arguments[0]
        for argument in arguments[1:]:
            total = add(total, argument) if expression.is_Add else multiply(total, argument)
        return total
    if name in _CALLS and len(arguments) == 1:
        return Call(_CALLS[name], (arguments[0],))
    if name in {"conjugate", "re"} and len(arguments) == 1:
        # Parameters are real numbers here, whatever the symbol's own assumptions say.
        return arguments[0]
    raise UnsupportedProgramError(
        f"The angle {expression} uses {name}, which no target can evaluate.",
        next_step=f"Compute {name} in your own code and pass the value as a parameter of its own.",
    )


def _power(expression: Any, lookup: Callable[[str], Angle]) -> Angle:
    base, exponent = expression.args
    if not base.free_symbols and base.is_real and float(base) == math.e:
        return Call("exp", (from_sympy(exponent, lookup),))
    if not exponent.free_symbols:
        if exponent == -1:
            return Call("div", (1.0, from_sympy(base, lookup)))
        if float(exponent) == 0.5:
            return Call("sqrt", (from_sympy(base, lookup),))
    return Call("pow", (from_sympy(base, lookup), from_sympy(exponent, lookup)))
