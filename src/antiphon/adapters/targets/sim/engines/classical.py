"""Conditions and assignments of classical bits as Python functions of all bits packed into one integer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from antiphon.domain.circuits import AllOf, AnyOf, Bit, Condition, Not

Test: TypeAlias = "Callable[[int], bool]"
"""A condition on the classical bits packed into an integer, bit i being classical bit i."""
Update: TypeAlias = "Callable[[int], int]"
"""The bits after some assignments, from those before."""

_COMPILED_FROM = 6
"""Fewer assignments are not worth compiling."""
_AT_ONCE = 200
_DEPTH = 60
"""Conditions nested deeper are not compiled: Python's own compiler has a limit."""


def with_bit(word: int, clbit: int, value: int) -> int:
    """Classical bits packed into an integer, with one of them set."""
    return word | 1 << clbit if value else word & ~(1 << clbit)


def test_of(condition: Condition) -> Test:
    """The condition as a function of the bits."""
    match condition:
        case bool():
            return lambda _: condition
        case Bit(index):
            return lambda word: bool(word >> index & 1)
        case Not(operand):
            inner = test_of(operand)
            return lambda word: not inner(word)
        case _:
            tests = [test_of(operand) for operand in condition.operands]
            if isinstance(condition, AllOf):
                return lambda word: all(test(word) for test in tests)
            if isinstance(condition, AnyOf):
                return lambda word: any(test(word) for test in tests)
            return lambda word: sum(test(word) for test in tests) % 2 == 1


def update_of(assignments: Sequence[tuple[int, Condition]]) -> Update:
    """Assignments of bits, one after the other, as one function; arithmetic on an integer is some hundred of them."""
    if len(assignments) < _COMPILED_FROM or any(_depth(value) > _DEPTH for _, value in assignments):
        return _in_turn([_one(clbit, test_of(value)) for clbit, value in assignments])
    parts = [assignments[start : start + _AT_ONCE] for start in range(0, len(assignments), _AT_ONCE)]
    return _in_turn([_compiled(part) for part in parts])


def _one(clbit: int, value: Test) -> Update:
    return lambda word: with_bit(word, clbit, value(word))


def _in_turn(updates: list[Update]) -> Update:
    if len(updates) == 1:
        return updates[0]

    def whole(word: int) -> int:
        for update in updates:
            word = update(word)
        return word

    return whole


def _compiled(assignments: Sequence[tuple[int, Condition]]) -> Update:
    written: set[int] = set()
    lines = ["def update(w):"]
    for clbit, value in assignments:
        lines.append(f" b{clbit} = {_text(value, written)}")
        written.add(clbit)
    mask = sum(1 << clbit for clbit in written)
    lines.append(f" return w & ~{mask} | {' | '.join(f'b{clbit} << {clbit}' for clbit in sorted(written))}")
    found: dict[str, Update] = {}
    exec("\n".join(lines), {}, found)  # noqa: S102 - the text is made here, of operators and numbers of bits alone
    return found["update"]


def _text(condition: Condition, written: set[int]) -> str:
    """The condition as an expression that is 0 or 1, over `w` and the bits written before."""
    match condition:
        case bool():
            return str(int(condition))
        case Bit(index):
            return f"b{index}" if index in written else f"(w >> {index} & 1)"
        case Not(operand):
            return f"(1 ^ {_text(operand, written)})"
        case _:
            if not condition.operands:
                return str(int(isinstance(condition, AllOf)))
            sign = "&" if isinstance(condition, AllOf) else "|" if isinstance(condition, AnyOf) else "^"
            return f"({f' {sign} '.join(_text(operand, written) for operand in condition.operands)})"


def _depth(condition: Condition) -> int:
    match condition:
        case bool() | Bit():
            return 1
        case Not(operand):
            return 1 + _depth(operand)
        case _:
            return 1 + max(map(_depth, condition.operands), default=0)
