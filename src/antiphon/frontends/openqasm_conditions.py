"""Bits and the conditions made of them; a register's value takes bit 0 as the least significant (OpenQASM 3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from antiphon.domain.circuits import AllOf, AnyOf, Bit, Condition, Not, Parity


@dataclass(frozen=True, slots=True)
class Bits:
    """Bits known only when the program runs, bit 0 first.

    `places` are their classical bits when they can be assigned to; `is_scalar` tells `bit c` from `bit[1] c`.
    """

    values: tuple[Condition, ...]
    is_scalar: bool = False
    places: tuple[int, ...] | None = None

    @classmethod
    def at(cls, places: Sequence[int], *, is_scalar: bool) -> Bits:
        """The classical bits of those indices."""
        return cls(tuple(Bit(place) for place in places), is_scalar, tuple(places))


def single(condition: Condition) -> Bits:
    """One truth value."""
    return Bits((condition,), is_scalar=True)


def constant_bits(value: int, width: int) -> Bits:
    """An integer as `width` bits."""
    return Bits(tuple(bool(value >> i & 1) for i in range(width)))


def negated(condition: Condition) -> Condition:
    """Logical negation, folded."""
    match condition:
        case bool():
            return not condition
        case Not(operand):
            return operand
        case _:
            return Not(condition)


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Conjunction, folded."""
    kept = tuple(c for c in conditions if c is not True)
    if any(c is False for c in kept):
        return False
    return AllOf(kept) if len(kept) > 1 else kept[0] if kept else True


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Disjunction, folded."""
    kept = tuple(c for c in conditions if c is not False)
    if any(c is True for c in kept):
        return True
    return AnyOf(kept) if len(kept) > 1 else kept[0] if kept else False


def differs(left: Condition, right: Condition) -> Condition:
    """Exclusive or, folded."""
    if isinstance(left, bool):
        return negated(right) if left else right
    if isinstance(right, bool):
        return negated(left) if right else left
    return Parity((left, right))


def equals(left: Bits, right: Bits) -> Condition:
    """Whether the values are equal; the shorter is extended by zeros."""
    pairs = _aligned(left, right)
    return all_of(negated(differs(a, b)) for a, b in pairs)


def less(left: Bits, right: Bits) -> Condition:
    """Whether left < right, both unsigned."""
    pairs = _aligned(left, right)
    ways = []
    for i, (a, b) in enumerate(pairs):
        higher = [negated(differs(x, y)) for x, y in pairs[i + 1 :]]
        ways.append(all_of([negated(a), b, *higher]))
    return any_of(ways)


def _aligned(left: Bits, right: Bits) -> list[tuple[Condition, Condition]]:
    width = max(len(left.values), len(right.values))
    pad = [v.values + (False,) * (width - len(v.values)) for v in (left, right)]
    return list(zip(pad[0], pad[1], strict=True))


def compare(op: str, left: Bits, right: Bits) -> Condition:
    """`left op right` for the six comparisons, unsigned."""
    match op:
        case "==":
            return equals(left, right)
        case "!=":
            return negated(equals(left, right))
        case "<":
            return less(left, right)
        case ">":
            return less(right, left)
        case "<=":
            return negated(less(right, left))
        case _:
            return negated(less(left, right))


def bits_read(condition: Condition) -> set[int]:
    """Indices of the classical bits that `condition` looks at."""
    match condition:
        case bool():
            return set()
        case Bit(index):
            return {index}
        case Not(operand):
            return bits_read(operand)
        case AllOf(operands) | AnyOf(operands) | Parity(operands):
            return set().union(*(bits_read(operand) for operand in operands))
