"""Arithmetic on angles that may hold free parameters: affine where it can stay so, calls otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable

from antiphon.domain.circuits import Affine, Angle, Call

_ADD: dict[str, float] = {"+": 1.0, "-": -1.0}
_CALLS = {"*": "mul", "/": "div", "**": "pow", "+": "add", "-": "sub"}

FUNCTIONS: dict[str, tuple[str, Callable[[float], float]]] = {
    # OpenQASM's name: the name in `Call`, and the function itself.
    "sin": ("sin", math.sin),
    "cos": ("cos", math.cos),
    "tan": ("tan", math.tan),
    "arcsin": ("asin", math.asin),
    "arccos": ("acos", math.acos),
    "arctan": ("atan", math.atan),
    "exp": ("exp", math.exp),
    "log": ("log", math.log),
    "ln": ("log", math.log),
    "sqrt": ("sqrt", math.sqrt),
    "abs": ("abs", abs),
}


def is_symbolic(value: object) -> bool:
    """True for an angle that holds a free parameter."""
    return isinstance(value, Affine | Call)


def parameter(index: int) -> Affine:
    """The free parameter of that index."""
    return Affine(0.0, ((index, 1.0),))


def _affine(constant: float, terms: dict[int, float]) -> Angle:
    kept = tuple((index, value) for index, value in sorted(terms.items()) if value != 0.0)
    return Affine(constant, kept) if kept else constant


def scale(angle: Angle, factor: float) -> Angle:
    """The product factor · angle."""
    match angle:
        case Affine(constant, terms):
            return _affine(constant * factor, {index: value * factor for index, value in terms})
        case Call():
            return angle if factor == 1.0 else Call("mul", (factor, angle))
        case _:
            return angle * factor


def combine(op: str, left: Angle, right: Angle) -> Angle:
    """`left op right` for + - * / **; at least one of them holds a parameter, or both are numbers.

    Raises:
        ArithmeticError: For numbers, as Python does.
    """
    if op in _ADD and not isinstance(left, Call) and not isinstance(right, Call):
        return add(left, scale(right, _ADD[op]))
    if op == "*" and not is_symbolic(left):
        return scale(right, _number(left))
    if op in {"*", "/"} and not is_symbolic(right):
        number = _number(right)
        if op == "*":
            return scale(left, number)
        if isinstance(left, Affine):
            terms = {index: value / number for index, value in left.terms}
            return _affine(left.constant / number, terms)
        if not isinstance(left, Call):
            return left / number
    if op == "**" and not is_symbolic(left) and not is_symbolic(right):
        return float(_number(left) ** _number(right))
    return Call(_CALLS[op], (left, right))


def add(left: Angle, right: Angle) -> Angle:
    """The sum left + right."""
    if isinstance(left, Call) or isinstance(right, Call):
        return Call("add", (left, right))
    terms: dict[int, float] = {}
    constant = 0.0
    for part in (left, right):
        if isinstance(part, Affine):
            constant += part.constant
            for index, value in part.terms:
                terms[index] = terms.get(index, 0.0) + value
        else:
            constant += part
    return _affine(constant, terms)


def negate(angle: Angle) -> Angle:
    """The angle with its sign changed."""
    if isinstance(angle, Call):
        return angle.arguments[0] if angle.function == "neg" else Call("neg", (angle,))
    return scale(angle, -1.0)


def _number(angle: Angle) -> float:
    assert not isinstance(angle, Affine | Call)
    return angle
