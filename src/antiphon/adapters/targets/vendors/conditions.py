"""Conditions as every vendor reads them: one bit at a time, in branches inside branches.

Tools of vendors differ in which expressions they take (Qiskit's importer knows no `&&`, Microsoft's compiler no `^` of
results), and all take a branch on one bit.
"""

from __future__ import annotations

from collections.abc import Iterable

from antiphon.domain.circuits import AllOf, AnyOf, Bit, Condition, If, Not, Operation, Parity, bits_read

MOST_BITS = 8
"""A condition on n bits may become 2^n branches."""


def branches(
    condition: Condition, then: tuple[Operation, ...], otherwise: tuple[Operation, ...]
) -> tuple[Operation, ...]:
    """What runs `then` when the condition holds, else `otherwise`, with branches on single bits alone.

    All bits are looked at before anything runs, so that a body may change them.
    """
    match condition:
        case bool():
            return then if condition else otherwise
        case Bit():
            return (If(condition, then, otherwise),) if then or otherwise else ()
    bit = min(bits_read(condition), default=None)
    if bit is None:
        return branches(_value(condition), then, otherwise)
    holds, not_ = (branches(_given(condition, bit, value), then, otherwise) for value in (True, False))
    return holds if holds == not_ else (If(Bit(bit), holds, not_) if holds else If(Not(Bit(bit)), not_),)


def _given(condition: Condition, bit: int, value: bool) -> Condition:
    """The condition once one bit is known."""
    match condition:
        case bool():
            return condition
        case Bit(index):
            return value if index == bit else condition
        case Not(operand):
            known = _given(operand, bit, value)
            return (not known) if isinstance(known, bool) else Not(known)
        case AllOf(operands):
            return _all(_given(operand, bit, value) for operand in operands)
        case AnyOf(operands):
            known = _all(_negated(_given(operand, bit, value)) for operand in operands)
            return _negated(known)
        case Parity(operands):
            left = [_given(operand, bit, value) for operand in operands]
            odd = sum(each is True for each in left) % 2 == 1
            rest = tuple(each for each in left if not isinstance(each, bool))
            found: Condition = Parity(rest) if rest else False
            return _negated(found) if odd else found


def _all(operands: Iterable[Condition]) -> Condition:
    left = tuple(each for each in operands if each is not True)
    return False if any(each is False for each in left) else AllOf(left) if left else True


def _negated(condition: Condition) -> Condition:
    if isinstance(condition, bool):
        return not condition
    return condition.operand if isinstance(condition, Not) else Not(condition)


def _value(condition: Condition) -> bool:
    """A condition without bits."""
    found = _given(condition, -1, False)
    assert isinstance(found, bool)
    return found
