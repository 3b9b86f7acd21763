from __future__ import annotations

import math
import operator
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.adapters.targets.sim.engines.classical import update_of
from antiphon.domain.circuits import AssignBit
from antiphon.domain.decisions import Decision, Word, decided
from antiphon.frontends.decisions import Lost, TooManyCasesError, range_of
from antiphon.frontends.unfolding import Unfolding
from antiphon.frontends.words import LARGEST, Words

WIDTH = 5


def quotient(a: int, b: int) -> int:
    return math.trunc(a / b)


OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
BY_A_NUMBER: dict[str, Callable[[int, int], int]] = {
    "<<": operator.lshift,
    ">>": operator.rshift,
    "/": quotient,
    "%": lambda a, b: a - b * quotient(a, b),
}


class Machine:
    """Integers in classical bits, and what is computed from them."""

    def __init__(self) -> None:
        self.unfolding = Unfolding(0, lambda _: None)
        self.words = Words(self.unfolding)
        self.start = 0

    def word(self, value: int, *, signed: bool) -> Word:
        digits = []
        for place in range(WIDTH):
            bit = self.unfolding.new_bit()
            self.start |= (value >> place & 1) << bit
            digits.append(self.unfolding.decisions.bit(bit))
        return Word(tuple(digits), signed)

    def value(self, decision: Decision) -> Decision:
        assignments = [(each.clbit, each.value) for each in self.unfolding.operations if isinstance(each, AssignBit)]
        assert len(assignments) == len(self.unfolding.operations)
        bits = update_of(assignments)(self.start)
        return decided(decision, lambda bit: bits >> bit & 1)


def range_from(signed: bool) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (WIDTH - 1)), 2 ** (WIDTH - 1) - 1) if signed else st.integers(0, 2**WIDTH - 1)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(OPERATORS)), st.booleans(), st.booleans(), st.booleans(), st.data())
def test_two_words_are_computed_as_integers_are(
    op: str, left: bool, right: bool, known: bool, data: st.DataObject
) -> None:
    a, b = data.draw(range_from(left)), data.draw(range_from(right))
    machine = Machine()
    first = machine.word(a, signed=left)
    second = b if known else machine.word(b, signed=right)
    operands = (second, first) if known and a % 2 else (first, second)
    expected = OPERATORS[op](b, a) if known and a % 2 else OPERATORS[op](a, b)
    assert machine.value(machine.words.computed(op, *operands)) == expected


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(BY_A_NUMBER)), st.booleans(), st.data())
def test_words_are_shifted_and_divided_by_numbers_that_are_known(op: str, signed: bool, data: st.DataObject) -> None:
    a = data.draw(range_from(signed))
    b = data.draw(st.integers(0, 6) if op in {"<<", ">>"} else st.integers(-9, 9).filter(bool))
    machine = Machine()
    found = machine.words.computed(op, machine.word(a, signed=signed), b)
    assert machine.value(found) == BY_A_NUMBER[op](a, b)


@settings(max_examples=100, deadline=None)
@given(st.booleans(), st.data())
def test_one_word_is_negated_inverted_and_compared_with_zero(signed: bool, data: st.DataObject) -> None:
    a = data.draw(range_from(signed))
    machine = Machine()
    word = machine.word(a, signed=signed)
    assert machine.value(machine.words.negated(word)) == -a
    assert machine.value(machine.words.inverted(word)) == ~a
    assert machine.value(machine.words.is_not_zero(word)) == (a != 0)


@settings(max_examples=100, deadline=None)
@given(st.booleans(), st.integers(1, 9), st.booleans(), st.data())
def test_a_language_takes_its_own_width_and_wraps_round(
    signed: bool, size: int, kept: bool, data: st.DataObject
) -> None:
    a = data.draw(range_from(signed))
    machine = Machine()
    low = a & (2**size - 1)
    expected = low - 2**size if kept and low >> (size - 1) else low
    assert (
        machine.value(machine.unfolding.decisions.word(machine.word(a, signed=signed), size, signed=kept)) == expected
    )


def test_a_choice_between_words_has_the_range_of_both() -> None:
    machine = Machine()
    word = machine.word(-3, signed=True)
    bit = machine.unfolding.decisions.bit(machine.unfolding.new_bit())
    chosen = machine.unfolding.decisions.choose(bit, 200, word)
    assert range_of(chosen) == (9, True)
    assert machine.value(chosen) == -3
    machine.start |= 1 << machine.unfolding.num_bits - 1
    assert machine.value(chosen) == 200


def test_what_is_not_computed_bit_by_bit_is_named() -> None:
    machine = Machine()
    word = machine.word(3, signed=False)
    for op, right, why in (("/", word, "division"), ("/", 0, "division"), ("<<", word, "shift"), ("**", 2, r"\*\*")):
        with pytest.raises(TooManyCasesError, match=why):
            machine.words.computed(op, word, right)
    assert machine.words.computed("+", word, Lost("gone")) == Lost("gone")
    machine.unfolding.is_pure = True
    with pytest.raises(TooManyCasesError, match="condition of a loop"):
        machine.words.computed("+", word, machine.word(1, signed=False))


def test_results_keep_to_the_largest_size() -> None:
    machine = Machine()
    wide = machine.unfolding.decisions.word(machine.word(21, signed=False), LARGEST, signed=False)
    for op in ("+", "-", "*"):
        found = machine.words.computed(op, wide, 3)
        assert range_of(found) is not None
        assert len(found.digits) == LARGEST  # type: ignore[attr-defined]
