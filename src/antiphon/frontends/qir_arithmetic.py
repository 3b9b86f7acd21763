"""What LLVM's instructions make of values that are known: integers are signed numbers, one bit is a truth value."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from antiphon.frontends.decisions import Lost
from antiphon.frontends.qir_reader import Instruction


def wrapped(value: int, width: int) -> int | bool:
    """An integer of `width` bits from any integer, in two's complement."""
    if width == 1:
        return bool(value & 1)
    value &= (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) & 1 else value


def _unsigned(value: int, width: int) -> int:
    return value & ((1 << width) - 1)


def _quotient(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


_SIGNED: dict[str, Callable[[int, int], int]] = {
    "ADD": operator.add,
    "SUB": operator.sub,
    "MUL": operator.mul,
    "AND": operator.and_,
    "OR": operator.or_,
    "XOR": operator.xor,
    "SDIV": _quotient,
    "SREM": lambda a, b: a - b * _quotient(a, b),
}
_UNSIGNED: dict[str, Callable[[int, int], int]] = {"UDIV": operator.floordiv, "UREM": operator.mod}
_SHIFTS: dict[str, Callable[[int, int], int]] = {"SHL": operator.lshift, "ASHR": operator.rshift}
_REAL: dict[str, Callable[[float, float], float]] = {
    "FADD": operator.add,
    "FSUB": operator.sub,
    "FMUL": operator.mul,
    "FREM": math.fmod,
}
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": operator.eq,
    "NE": operator.ne,
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}
REAL_OPCODES = frozenset({*_REAL, "FDIV", "FNEG", "FCMP", "SI_TO_FP", "UI_TO_FP", "FP_TO_SI", "FP_TO_UI", "FP_EXT"})
"""Instructions of floating point."""


def function_of(one: Instruction, widths: tuple[int, ...]) -> Callable[..., Any] | None:
    """The function of values that an instruction computes; None when it is not of that kind.

    Args:
        one: The instruction.
        widths: Bits of each operand that is an integer, else 0.
    """
    opcode, width = one.opcode, one.width
    if opcode in _SIGNED:
        return _guarded(lambda a, b: wrapped(_SIGNED[opcode](int(a), int(b)), width))
    if opcode in _UNSIGNED:
        return _guarded(lambda a, b: wrapped(_UNSIGNED[opcode](_unsigned(a, width), _unsigned(b, width)), width))
    if opcode in _SHIFTS or opcode == "LSHR":
        return _guarded(lambda a, b: _shifted(opcode, int(a), int(b), width))
    if opcode in _REAL:
        return _guarded(lambda a, b: _REAL[opcode](a, b))
    if opcode == "ICMP":
        return lambda a, b: _compared(one.predicate, a, b, widths[0])
    if opcode == "FCMP":
        return lambda a, b: _real_compared(one.predicate, a, b)
    if opcode == "FDIV":
        return _divided
    return _CONVERSIONS[opcode](width, widths[0]) if opcode in _CONVERSIONS else None


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(*values: Any) -> Any:
        try:
            return function(*values)
        except (ArithmeticError, ValueError) as error:
            return Lost(f"its arithmetic has no value ({error})")

    return guarded


def _shifted(opcode: str, value: int, places: int, width: int) -> int | bool:
    if not 0 <= places < width:
        raise ArithmeticError(f"a shift by {places}")
    if opcode == "LSHR":
        return wrapped(_unsigned(value, width) >> places, width)
    return wrapped(_SHIFTS[opcode](value, places), width)


def _compared(predicate: str, a: Any, b: Any, width: int) -> bool:
    sign, order = (predicate[0], predicate[1:]) if len(predicate) == 3 else ("S", predicate)
    if order in {"EQ", "NE"}:
        return bool(_ORDERS[order](a, b))
    if sign == "U":
        a, b = _unsigned(a, width), _unsigned(b, width)
    elif width == 1:
        a, b = -int(a), -int(b)  # the only bit is the sign
    return bool(_ORDERS[order](a, b))


def _real_compared(predicate: str, a: float, b: float) -> bool:
    if predicate in {"TRUE", "FALSE"}:
        return predicate == "TRUE"
    unordered = math.isnan(a) or math.isnan(b)
    if predicate in {"ORD", "UNO"}:
        return unordered == (predicate == "UNO")
    if unordered:
        return predicate[0] == "U"
    return _ORDERS[predicate[1:]](a, b)


def _divided(a: float, b: float) -> float:
    if b != 0:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)


def _truncated(width: int, _: int) -> Callable[[float], Any]:
    return _guarded(lambda a: wrapped(int(a), width))


_CONVERSIONS: dict[str, Callable[[int, int], Callable[[Any], Any]]] = {
    "ZEXT": lambda width, source: lambda a: wrapped(_unsigned(int(a), source), width),
    "SEXT": lambda width, source: lambda a: wrapped(-int(a) if source == 1 else a, width),
    "TRUNC": lambda width, _: lambda a: wrapped(a, width),
    "SI_TO_FP": lambda _, source: lambda a: float(-int(a) if source == 1 else a),
    "UI_TO_FP": lambda _, source: lambda a: float(_unsigned(int(a), source)),
    "FP_TO_SI": _truncated,
    "FP_TO_UI": _truncated,
    "FP_EXT": lambda _, __: lambda a: a,
    "FREEZE": lambda _, __: lambda a: a,
    "FNEG": lambda _, __: lambda a: -a,
}
