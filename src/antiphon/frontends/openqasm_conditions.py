"""Bits and the conditions made of them; a register's value takes bit 0 as the least significant (OpenQASM 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.domain.circuits import Bit, Condition
from antiphon.frontends.comparisons import equal, less, negate


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


def compare(op: str, left: Bits, right: Bits) -> Condition:
    """`left op right` for the six comparisons, unsigned."""
    a, b = left.values, right.values
    match op:
        case "==":
            return equal(a, b)
        case "!=":
            return negate(equal(a, b))
        case "<":
            return less(a, b)
        case ">":
            return less(b, a)
        case "<=":
            return negate(less(b, a))
        case _:
            return negate(less(a, b))


def shifted(bits: Bits, places: int) -> Bits:
    """The register moved to the right by so many places, or to the left by a negative number, filled with zeros."""
    width = len(bits.values)
    moved: tuple[Condition, ...] = tuple(
        bits.values[i + places] if 0 <= i + places < width else False for i in range(width)
    )
    return Bits(moved)
