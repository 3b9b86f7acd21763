"""Conditions on whole registers, expanded to single bits: each front end passes the bits in its own SDK's order.

Numbers are unsigned and written as a list of conditions, least significant bit first. Results are simplified where an
operand is a constant, so a comparison with a number holds no more than one leaf a bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from antiphon.domain.circuits import AllOf, AnyOf, Condition, Not, Parity

Bits = Sequence[Condition]


def constant(value: int) -> list[Condition]:
    """The bits of a number that is not negative; none for 0."""
    return [bool(value >> position & 1) for position in range(value.bit_length())]


def negate(operand: Condition) -> Condition:
    """Not `operand`."""
    if isinstance(operand, bool):
        return not operand
    return operand.operand if isinstance(operand, Not) else Not(operand)


def all_of(operands: Iterable[Condition]) -> Condition:
    """True when every operand is."""
    kept: list[Condition] = []
    for operand in operands:
        if operand is False:
            return False
        if isinstance(operand, AllOf):
            kept.extend(operand.operands)
        elif operand is not True:
            kept.append(operand)
    if not kept:
        return True
    return kept[0] if len(kept) == 1 else AllOf(tuple(kept))


def any_of(operands: Iterable[Condition]) -> Condition:
    """True when at least one operand is."""
    kept: list[Condition] = []
    for operand in operands:
        if operand is True:
            return True
        if isinstance(operand, AnyOf):
            kept.extend(operand.operands)
        elif operand is not False:
            kept.append(operand)
    if not kept:
        return False
    return kept[0] if len(kept) == 1 else AnyOf(tuple(kept))


def differ(left: Condition, right: Condition) -> Condition:
    """True when exactly one of the two is."""
    if isinstance(left, bool):
        return negate(right) if left else right
    if isinstance(right, bool):
        return negate(left) if right else left
    return Parity((left, right))


def equal(left: Bits, right: Bits) -> Condition:
    """Whether two numbers are the same, the shorter one filled up with zeros."""
    return all_of(negate(differ(a, b)) for a, b in zip_longest(left, right, fillvalue=False))


def less(left: Bits, right: Bits) -> Condition:
    """Whether `left` is below `right`, the shorter one filled up with zeros."""
    result: Condition = False
    # From the least significant bit up: a higher bit that differs overrules everything below it.
    for a, b in zip_longest(left, right, fillvalue=False):
        if isinstance(b, bool):
            result = any_of([negate(a), result]) if b else all_of([negate(a), result])
        elif isinstance(a, bool):
            result = all_of([b, result]) if a else any_of([b, result])
        else:
            result = any_of([all_of([negate(a), b]), all_of([negate(differ(a, b)), result])])
    return result
