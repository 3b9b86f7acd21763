from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.domain.circuits import AllOf, AnyOf, Bit, Condition, Not, Parity
from antiphon.domain.decisions import Choice, Decision, bits_asked, decided
from antiphon.frontends import decisions as module
from antiphon.frontends.decisions import Decisions, Lost, TooManyCasesError, leaves, same, sequence_of
from antiphon.frontends.written_decisions import affine_steps, condition_of, num_paths

BITS = 4
WORDS = list(itertools.product((0, 1), repeat=BITS))


def holds(condition: Condition, word: tuple[int, ...]) -> bool:
    match condition:
        case bool():
            return condition
        case Bit(index):
            return bool(word[index])
        case Not(operand):
            return not holds(operand, word)
        case AllOf(operands):
            return all(holds(one, word) for one in operands)
        case AnyOf(operands):
            return any(holds(one, word) for one in operands)
        case Parity(operands):
            return sum(holds(one, word) for one in operands) % 2 == 1


def at(decision: Decision, word: tuple[int, ...]) -> Any:
    return decided(decision, lambda bit: word[bit])


def from_table(maker: Decisions, table: list[Any]) -> Decision:
    def build(bit: int, words: list[Any]) -> Decision:
        if bit == BITS:
            return words[0]  # type: ignore[no-any-return]
        half = len(words) // 2
        return maker.choice(bit, build(bit + 1, words[:half]), build(bit + 1, words[half:]))

    return build(0, table)


def tables(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=len(WORDS), max_size=len(WORDS))


@given(tables(st.integers(0, 3)), tables(st.integers(0, 3)))
def test_functions_of_decisions_are_those_of_their_values(left: list[int], right: list[int]) -> None:
    maker = Decisions()
    a, b = from_table(maker, left), from_table(maker, right)
    total = maker.of(lambda x, y: x + 2 * y, a, b)
    assert [at(total, word) for word in WORDS] == [x + 2 * y for x, y in zip(left, right, strict=True)]
    assert same(a, from_table(maker, left))
    assert sorted(leaves(a)) == sorted(set(left))


@given(tables(st.booleans()), tables(st.integers(0, 2)), tables(st.integers(3, 5)))
def test_choosing_and_what_is_given(truths: list[bool], ones: list[int], zeros: list[int]) -> None:
    maker = Decisions()
    condition = from_table(maker, truths)
    chosen = maker.choose(condition, from_table(maker, ones), from_table(maker, zeros))
    assert [at(chosen, word) for word in WORDS] == [
        one if truth else zero for truth, one, zero in zip(truths, ones, zeros, strict=True)
    ]
    if any(truths):
        known = maker.given(chosen, condition)
        assert all(at(known, word) == at(chosen, word) for word, truth in zip(WORDS, truths, strict=True) if truth)
        assert len(bits_asked(known)) <= len(bits_asked(chosen) | bits_asked(condition))


@given(tables(st.booleans()), st.integers(0, BITS - 1))
def test_conditions_mean_their_decision_and_back(truths: list[bool], bit: int) -> None:
    maker = Decisions()
    decision = from_table(maker, truths)
    condition = condition_of(decision)
    assert [holds(condition, word) for word in WORDS] == truths
    assert same(maker.of_condition(condition), decision)
    assert num_paths(decision) <= len(WORDS)
    forgotten = maker.forget(decision, [bit])
    for word in WORDS:
        flipped = tuple(1 - value if place == bit else value for place, value in enumerate(word))
        assert at(forgotten, word) == (at(decision, word) or at(decision, flipped))


@pytest.mark.parametrize("bits", [(0, 1, 2), (2, 0, 1)])
def test_a_sequence_is_read_by_the_number_in_its_bits(bits: tuple[int, ...]) -> None:
    found = sequence_of(["a", "b", "c", "d", "e"], bits, Decisions())
    for word in WORDS:
        number = sum(word[bit] << place for place, bit in enumerate(bits))
        assert at(found, word) == "abcde"[min(number, 4)]


def test_true_is_not_one_and_no_zero_has_a_sign() -> None:
    maker = Decisions()
    for left, right in ((True, 1), (1, 1.0), (0.0, -0.0), ((1,), (True,))):
        assert isinstance(maker.choice(0, left, right), Choice)
        assert not same(left, right)
    assert maker.choice(0, zero=2.5, one=2.5) == 2.5


def test_a_sum_over_bits_is_told_from_other_values() -> None:
    maker = Decisions()
    add: Callable[..., float] = lambda *bits: 0.5 + 0.25 * bits[0] - 2.0 * bits[1]  # noqa: E731
    total = maker.of(add, maker.bit(3), maker.bit(1))
    constant, steps = affine_steps(total) or (0.0, {})
    assert constant == 0.5
    assert steps == pytest.approx({1: -2.0, 3: 0.25})
    product = maker.of(lambda *bits: float(bits[0] * bits[1]), maker.bit(0), maker.bit(1))
    assert affine_steps(product) is None


def test_what_is_lost_loses_what_is_computed_from_it_alone() -> None:
    maker = Decisions()
    partly = maker.choice(0, zero=3, one=Lost("why"))
    assert leaves(maker.of(lambda value: value + 1, partly)) == [4, Lost("why")]
    assert maker.choose(maker.bit(0), 5, partly) == maker.choose(maker.bit(0), 5, 3)


def test_too_many_cases_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHOICES", 100)
    maker = Decisions()
    with pytest.raises(TooManyCasesError, match="more than 100 cases"):
        maker.of(lambda *bits: bits, *(maker.bit(index) for index in range(8)))
