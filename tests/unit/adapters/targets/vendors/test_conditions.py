from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from antiphon.adapters.targets.vendors.conditions import branches
from antiphon.domain.circuits import AllOf, AnyOf, Bit, Condition, Gate, If, Not, Operation, Parity

THEN, OTHERWISE = (Gate("x", (0,)),), (Gate("z", (0,)),)
BITS = 4

conditions: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(st.booleans(), st.builds(Bit, st.integers(0, BITS - 1))),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        *(st.builds(kind, st.lists(inner, max_size=3).map(tuple)) for kind in (AllOf, AnyOf, Parity)),
    ),
    max_leaves=8,
)


def holds(condition: Condition, bits: tuple[bool, ...]) -> bool:
    match condition:
        case bool():
            return condition
        case Bit(index):
            return bits[index]
        case Not(operand):
            return not holds(operand, bits)
        case AllOf(operands):
            return all(holds(each, bits) for each in operands)
        case AnyOf(operands):
            return any(holds(each, bits) for each in operands)
        case Parity(operands):
            return sum(holds(each, bits) for each in operands) % 2 == 1


def run(operations: tuple[Operation, ...], bits: tuple[bool, ...]) -> tuple[Operation, ...]:
    done: list[Operation] = []
    for operation in operations:
        if isinstance(operation, If):
            assert isinstance(operation.condition, Bit) or (
                isinstance(operation.condition, Not) and isinstance(operation.condition.operand, Bit)
            )
            done += run(operation.then if holds(operation.condition, bits) else operation.otherwise, bits)
        else:
            done.append(operation)
    return tuple(done)


@given(condition=conditions, otherwise=st.sampled_from([OTHERWISE, ()]))
def test_branches_on_single_bits_do_what_the_condition_says(
    condition: Condition, otherwise: tuple[Operation, ...]
) -> None:
    found = branches(condition, THEN, otherwise)
    for bits in product((False, True), repeat=BITS):
        assert run(found, bits) == (THEN if holds(condition, bits) else otherwise)
