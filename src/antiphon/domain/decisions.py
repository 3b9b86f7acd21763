"""Values that depend on classical bits: decision diagrams whose leaves are the values.

A program that counts its corrections, or computes an angle from what it measured, has for each number finitely many
values, and which one it is, is decided by measured bits. A `Decision` holds them all: a plain value, or a `Choice` by
one bit between two decisions. Bits stand in rising order on every way from the root, so that few of them are asked.
An integer with too many values for that is a `Word`: each of its own bits is a decision.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Decision: TypeAlias = Hashable
"""A leaf, which is any value, or a `Choice`; or a `Word`."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """`one` when the classical bit `bit` holds 1, else `zero`; compared by identity, since equal ones are shared."""

    bit: int
    zero: Decision
    one: Decision


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """An integer by its bits, the least significant first; when `signed`, the last one is the sign (two's complement).

    `digits` are decisions between truth values, at least one.
    """

    digits: tuple[Decision, ...]
    signed: bool


def decided(decision: Decision, bit_of: Callable[[int], int]) -> Decision:
    """The value, once the bits are known."""
    if isinstance(decision, Word):
        total = sum(bool(decided(digit, bit_of)) << place for place, digit in enumerate(decision.digits))
        size = len(decision.digits)
        return total - (1 << size) if decision.signed and total >> (size - 1) else total
    while isinstance(decision, Choice):
        decision = decision.one if bit_of(decision.bit) else decision.zero
    return decision


def choices(*decisions: Decision) -> Iterator[Choice]:
    """Every choice in the decisions, each once."""
    seen: set[Choice] = set()
    stack: list[Decision] = list(decisions)
    while stack:
        found = stack.pop()
        if isinstance(found, Word):
            stack += found.digits
        elif isinstance(found, Choice) and found not in seen:
            seen.add(found)
            yield found
            stack += [found.one, found.zero]


def bits_asked(*decisions: Decision) -> set[int]:
    """The bits that decide."""
    return {choice.bit for choice in choices(*decisions)}
