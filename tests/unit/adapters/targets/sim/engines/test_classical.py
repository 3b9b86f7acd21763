from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.adapters.targets.sim.engines.classical import test_of as function_of
from antiphon.adapters.targets.sim.engines.classical import update_of, with_bit
from antiphon.domain.circuits import AllOf, AnyOf, Bit, Condition, Not, Parity

BITS = 6


def conditions() -> st.SearchStrategy[Condition]:
    def larger(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        several = st.lists(inner, max_size=4).map(tuple)
        return st.one_of(inner.map(Not), several.map(AllOf), several.map(AnyOf), several.map(Parity))

    return st.recursive(st.one_of(st.booleans(), st.integers(0, BITS - 1).map(Bit)), larger, max_leaves=12)


def holds(condition: Condition, word: int) -> bool:
    match condition:
        case bool():
            return condition
        case Bit(index):
            return bool(word >> index & 1)
        case Not(operand):
            return not holds(operand, word)
        case AllOf(operands):
            return all(holds(operand, word) for operand in operands)
        case AnyOf(operands):
            return any(holds(operand, word) for operand in operands)
        case Parity(operands):
            return sum(holds(operand, word) for operand in operands) % 2 == 1


@settings(max_examples=200, deadline=None)
@given(conditions(), st.integers(0, 2**BITS - 1))
def test_a_condition_is_what_it_says(condition: Condition, word: int) -> None:
    assert function_of(condition)(word) is holds(condition, word)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, BITS - 1), conditions()), min_size=1, max_size=14), st.integers(0, 2**BITS - 1)
)
def test_assignments_follow_one_another(assignments: list[tuple[int, Condition]], word: int) -> None:
    expected = word
    for clbit, value in assignments:
        expected = with_bit(expected, clbit, holds(value, expected))
    assert update_of(assignments)(word) == expected


def test_many_assignments_and_deep_ones() -> None:
    chain: list[tuple[int, Condition]] = [(place + 1, Bit(place)) for place in range(1000)]
    assert update_of(chain)(1) == 2**1001 - 1
    deep: Condition = Bit(0)
    for _ in range(101):
        deep = Not(deep)
    assert update_of([(place, deep) for place in range(1, 11)])(0) == 2**11 - 2
