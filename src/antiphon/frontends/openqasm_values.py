"""What an OpenQASM expression can be worth while the program is read, and the arithmetic of the numbers among them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from antiphon.domain.circuits import Affine, Call
from antiphon.domain.decisions import Choice, Word
from antiphon.frontends.decisions import Lost
from antiphon.frontends.openqasm_conditions import Bits


@dataclass(frozen=True, slots=True)
class Qubits:
    """A run of qubits; `is_scalar` tells `qubit q` from `qubit[1] q`."""

    indices: tuple[int, ...]
    is_scalar: bool = False


@dataclass(frozen=True, slots=True)
class Seconds:
    """A duration."""

    value: float


Followed: TypeAlias = "Choice | Word | Lost"
"""A number that depends on what was measured: by its cases, or by its digits; or one that is not known any more."""
FOLLOWED = (Choice, Word, Lost)
Value: TypeAlias = "int | float | bool | Affine | Call | Bits | Qubits | Seconds | Followed"

CONSTANTS: dict[str, float] = {
    "pi": math.pi,
    "π": math.pi,
    "tau": math.tau,
    "τ": math.tau,
    "euler": math.e,
    "ℇ": math.e,
}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_OF_INTEGERS: dict[str, Callable[[int, int], int]] = {"&": operator.and_, "|": operator.or_, "^": operator.xor}
_OF_NUMBERS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "**": operator.pow,
}
_LARGEST = 2**63


def arithmetic(op: str, left: float, right: float, *, real_division: bool) -> int | float | bool:
    """`left op right`; integers stay integers and fit 64 bits.

    `real_division` makes 1/2 a half; otherwise the quotient of two integers is truncated towards zero.

    Raises:
        ArithmeticError, ValueError: It has no value, or none that fits.
    """
    if op in COMPARISONS:
        return COMPARISONS[op](left, right)
    if not (isinstance(left, int) and isinstance(right, int)):
        return _of_reals(op, left, right)
    # An integer power can fill the memory before its size is looked at.
    if op == "**" and abs(left) > 1 and abs(right) > 64:
        raise OverflowError("the power does not fit into 64 bits")
    if op in {"<<", ">>"} and not 0 <= right < 64:
        raise ValueError("a shift takes 0 to 63 places")
    result: int | float
    if op == "/":
        is_exact = right != 0 and left % right == 0
        result = truncated_quotient(left, right) if is_exact or not real_division else left / right
    elif op == "%":
        result = left - right * truncated_quotient(left, right)
    elif op in {"<<", ">>"}:
        result = left << right if op == "<<" else left >> right
    elif op in _OF_INTEGERS:
        result = _OF_INTEGERS[op](left, right)
    else:
        result = _OF_NUMBERS[op](int(left), int(right))
    if isinstance(result, int) and not -_LARGEST <= result < 2 * _LARGEST:
        raise OverflowError("the integer does not fit into 64 bits")
    return result


def _of_reals(op: str, left: float, right: float) -> float:
    if op == "/":
        return left / right
    if op == "%":
        return math.fmod(left, right)
    if op not in _OF_NUMBERS:
        raise ArithmeticError(f"the operator {op} takes integers")
    result = _OF_NUMBERS[op](left, right)
    if not isinstance(result, complex):
        return result
    raise ArithmeticError("it is not a real number")


def truncated_quotient(left: int, right: int) -> int:
    """The quotient of integers, truncated towards zero."""
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def wrapped(value: int, size: int, *, is_signed: bool) -> int:
    """`value` as an integer of `size` bits, wrapping round."""
    value &= (1 << size) - 1
    return value - (1 << size) if is_signed and value >> (size - 1) & 1 else value
