"""Decisions as a circuit writes them: as conditions, and real numbers as sums over bits."""

from __future__ import annotations

from antiphon.domain.circuits import Bit, Condition
from antiphon.domain.decisions import Choice, Decision, choices
from antiphon.frontends.comparisons import all_of, any_of, differ, negate


def num_paths(decision: Decision) -> int:
    """How many ways lead from the root to a leaf: the size of the decision written out as nested branches."""
    known: dict[Choice, int] = {}
    for choice in sorted(choices(decision), key=lambda one: -one.bit):
        known[choice] = sum(known[p] if isinstance(p, Choice) else 1 for p in (choice.zero, choice.one))
    return known[decision] if isinstance(decision, Choice) else 1


def condition_of(decision: Decision) -> Condition:
    """A truth value as a condition of a circuit; grows with `num_paths`."""
    if not isinstance(decision, Choice):
        return bool(decision)
    zero, one = condition_of(decision.zero), condition_of(decision.one)
    bit = Bit(decision.bit)
    if isinstance(decision.zero, bool) or isinstance(decision.one, bool):
        if zero is False:
            return all_of([bit, one])
        if one is False:
            return all_of([negate(bit), zero])
        if zero is True:
            return any_of([negate(bit), one])
        return any_of([bit, zero])
    if one == negate(zero):
        return differ(bit, zero)
    return any_of([all_of([bit, one]), all_of([negate(bit), zero])])


def affine_steps(decision: Decision) -> tuple[float, dict[int, float]] | None:
    """A real number as a constant and what each bit adds to it when it holds 1; None where it is no such sum."""
    part, constant_part = decision, decision
    while isinstance(constant_part, Choice):
        constant_part = constant_part.zero
    steps: dict[int, float] = {}
    for bit in sorted({choice.bit for choice in choices(part)}):
        steps[bit] = _first_step(part, bit)
    constant = float(constant_part)  # type: ignore[arg-type]
    return (constant, steps) if _fits(decision, constant, steps) else None


def _first_step(decision: Decision, bit: int) -> float:
    def lowest(part: Decision) -> float:
        while isinstance(part, Choice):
            part = part.zero
        return float(part)  # type: ignore[arg-type]

    found = next(choice for choice in choices(decision) if choice.bit == bit)
    return lowest(found.one) - lowest(found.zero)


def _fits(decision: Decision, constant: float, steps: dict[int, float]) -> bool:
    stack: list[tuple[Decision, float, tuple[int, ...]]] = [(decision, constant, tuple(sorted(steps)))]
    while stack:
        part, total, left = stack.pop()
        if not isinstance(part, Choice):
            if left or abs(float(part) - total) > 1e-12:  # type: ignore[arg-type]
                return False
            continue
        if not left or left[0] != part.bit:
            return False
        stack += [(part.zero, total, left[1:]), (part.one, total + steps[part.bit], left[1:])]
    return True
