from __future__ import annotations

import pytest

from antiphon.domain.circuits import (
    AllOf,
    AnyOf,
    Bit,
    Break,
    Condition,
    Continue,
    For,
    Gate,
    If,
    Not,
    Operation,
    Parity,
    While,
    bits_read,
    leaves_loop,
)

X = Gate("x", (0,))


@pytest.mark.parametrize(
    ("condition", "bits"),
    [
        (True, set()),
        (Bit(4), {4}),
        (AnyOf(()), set()),
        (AnyOf((Bit(1), Not(AllOf((Bit(3), True))))), {1, 3}),
        (Parity((Bit(0), Bit(0), Bit(2))), {0, 2}),
    ],
)
def test_the_bits_of_a_condition(condition: Condition, bits: set[int]) -> None:
    assert bits_read(condition) == bits


@pytest.mark.parametrize(
    ("operation", "leaves"),
    [
        (Break(), True),
        (Continue(), True),
        (X, False),
        (If(Bit(0), (X,), (Continue(),)), True),
        (If(Bit(0), (If(Bit(1), (X, Break())),)), True),
        (While(Bit(0), (X, Break())), False),
        (For(((X, Break()), (X,))), False),
    ],
)
def test_only_a_break_of_the_loop_around_leaves_it(operation: Operation, leaves: bool) -> None:
    assert leaves_loop((X, operation)) is leaves
