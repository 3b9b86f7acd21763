"""Cirq's classical controls as conditions on single bits.

Cirq reads a measurement of several qubits as an integer whose most significant bit is the first qubit measured, the
opposite of Qiskit and OpenQASM. `digits` gives the classical bits of a key in the order of its qubits, so they are
turned round here and nowhere else.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import cirq
import sympy

from antiphon.domain.circuits import Bit, Condition
from antiphon.errors import ProgramError, UnsupportedProgramError
from antiphon.frontends import comparisons

MAX_TABLE_BITS = 10
"""Conditions with arithmetic are expanded to a truth table over at most this many measured bits."""

Digits = Callable[[cirq.MeasurementKey, int], tuple[int, ...]]
"""Classical bits of a measurement (its key, and which one when the key repeats), first qubit first."""


def read_condition(condition: cirq.Condition, digits: Digits) -> Condition:
    """The condition on bits; true exactly when `condition.resolve` would be.

    Raises:
        ProgramError: It looks at a key that was not measured before.
        UnsupportedProgramError: Another class of condition, or arithmetic over too many bits.
    """
    match condition:
        case cirq.KeyCondition():
            return comparisons.any_of(_number(digits(condition.key, condition.index)))
        case cirq.BitMaskKeyCondition():
            return _bit_mask(condition, _number(digits(condition.key, condition.index)))
        case cirq.SympyCondition():
            return _boolean(condition.expr, digits)
    raise UnsupportedProgramError(
        f"The classical control {condition} is of the class {type(condition).__name__}, which is not known.",
        next_step="Use a measurement key, cirq.SympyCondition or cirq.BitMaskKeyCondition.",
    )


def _number(bits: tuple[int, ...]) -> list[Condition]:
    return [Bit(index) for index in reversed(bits)]


def _bit_mask(condition: cirq.BitMaskKeyCondition, number: list[Condition]) -> Condition:
    if condition.bitmask is not None:
        number = [bit if condition.bitmask >> position & 1 else False for position, bit in enumerate(number)]
    if condition.target_value < 0:
        matches: Condition = False
    else:
        matches = comparisons.equal(number, comparisons.constant(condition.target_value))
    return matches if condition.equal_target else comparisons.negate(matches)


def _boolean(expression: Any, digits: Digits) -> Condition:
    match expression:
        case sympy.Symbol() | sympy.Indexed():
            return comparisons.any_of(_integer(expression, digits) or [])
        case sympy.And():
            return comparisons.all_of(_boolean(part, digits) for part in expression.args)
        case sympy.Or():
            return comparisons.any_of(_boolean(part, digits) for part in expression.args)
        case sympy.Not():
            return comparisons.negate(_boolean(expression.args[0], digits))
        case sympy.Xor():
            parts = [_boolean(part, digits) for part in expression.args]
            return _parity(parts)
        case sympy.core.relational.Relational():
            return _relation(expression, digits)
    if expression in (sympy.true, sympy.false):
        return bool(expression)
    return _truth_table(expression, digits)


def _parity(parts: list[Condition]) -> Condition:
    total: Condition = False
    for part in parts:
        total = comparisons.differ(total, part)
    return total


def _relation(expression: Any, digits: Digits) -> Condition:
    left, right = _integer(expression.lhs, digits), _integer(expression.rhs, digits)
    if left is None or right is None:
        return _truth_table(expression, digits)
    match expression:
        case sympy.Equality():
            return comparisons.equal(left, right)
        case sympy.Unequality():
            return comparisons.negate(comparisons.equal(left, right))
        case sympy.StrictLessThan():
            return comparisons.less(left, right)
        case sympy.LessThan():
            return comparisons.negate(comparisons.less(right, left))
        case sympy.StrictGreaterThan():
            return comparisons.less(right, left)
        case sympy.GreaterThan():
            return comparisons.negate(comparisons.less(left, right))
    return _truth_table(expression, digits)


def _integer(expression: Any, digits: Digits) -> list[Condition] | None:
    """The bits of a key, of one digit of a key, or of a constant; None for everything else."""
    if isinstance(expression, sympy.Integer) and expression >= 0:
        return comparisons.constant(int(expression))
    if isinstance(expression, sympy.Symbol):
        return _number(digits(_key(expression.name), -1))
    if isinstance(expression, sympy.Indexed) and len(expression.indices) == 1:
        bits = digits(_key(expression.base.name), -1)
        position = expression.indices[0]
        if isinstance(position, sympy.Integer):
            if not -len(bits) <= position < len(bits):
                raise ProgramError(
                    f"The classical control looks at digit {position} of {expression.base.name!r}, "
                    f"which has {len(bits)}.",
                    next_step="Count digits from 0, in the order of the measured qubits.",
                )
            return [Bit(bits[int(position)])]
    return None


def _key(name: str) -> cirq.MeasurementKey:
    return cirq.MeasurementKey.parse_serialized(name)


def _truth_table(expression: Any, digits: Digits) -> Condition:
    """The expression evaluated for every value of its keys, by the same substitution that Cirq's simulators make."""
    symbols = sorted((s for s in expression.free_symbols if isinstance(s, sympy.Symbol)), key=str)
    bases = {s.base.name for s in expression.free_symbols if isinstance(s, sympy.Indexed)}
    names = [symbol.name for symbol in symbols if symbol.name not in bases] + sorted(bases)
    bits = [digits(_key(name), -1) for name in names]
    flat = [bit for measured in bits for bit in measured]
    if len(flat) > MAX_TABLE_BITS:
        raise UnsupportedProgramError(
            f"The classical control {expression} does arithmetic on {len(flat)} measured bits.",
            cause=f"Such conditions are expanded to a truth table, over at most {MAX_TABLE_BITS} bits.",
            next_step="Compare single keys with constants, and join the comparisons with sympy.And and sympy.Or.",
            details={"bits": len(flat), "max_bits": MAX_TABLE_BITS},
        )
    rows: list[Condition] = []
    for values in itertools.product((0, 1), repeat=len(flat)):
        left = iter(values)
        replacements: dict[str, Any] = {}
        for name, measured in zip(names, bits, strict=True):
            own = tuple(itertools.islice(left, len(measured)))
            replacements[name] = own if name in bases else cirq.big_endian_bits_to_int(own)
        try:
            holds = bool(expression.subs(replacements))
        except TypeError as error:
            raise UnsupportedProgramError(
                f"The classical control {expression} is neither true nor false for some measured values.",
                cause=str(error),
                next_step="Write it as a comparison, e.g. sympy.Eq(key, 1).",
            ) from error
        if holds:
            rows.append(
                comparisons.all_of(
                    Bit(bit) if value else comparisons.negate(Bit(bit)) for bit, value in zip(flat, values, strict=True)
                )
            )
    if len(rows) == 2 ** len(flat):
        return True
    return comparisons.any_of(rows)
