import pytest

from antiphon.domain.circuits import (
    AssignBit,
    Barrier,
    Bit,
    Break,
    Circuit,
    Delay,
    For,
    Gate,
    If,
    Measure,
    Operation,
    Register,
    Reset,
    While,
)
from antiphon.domain.programs import Profile
from antiphon.frontends.profile import smallest_profile

X = Gate("x", (0,))


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ((X,), Profile.BASE),
        ((X, Measure(0, 0)), Profile.BASE),
        ((Reset(0), X, Measure(0, 0), Barrier((0, 1)), Delay(0, 1e-6)), Profile.BASE),
        ((X, Measure(0, 0), Gate("x", (1,)), Measure(1, 1)), Profile.BASE),
        ((X, Measure(0, 0), X), Profile.ADAPTIVE_RI),
        ((X, Measure(0, 0), Measure(0, 1)), Profile.ADAPTIVE_RI),
        ((Measure(0, 0), Measure(1, 0)), Profile.ADAPTIVE_RI),
        ((X, Reset(0)), Profile.ADAPTIVE_RI),
        ((Measure(0, 0), Reset(0)), Profile.ADAPTIVE_RI),
        ((If(Bit(0), (X,)),), Profile.ADAPTIVE_RI),
        ((For(((X,), (X,))),), Profile.ADAPTIVE_RI),
        ((Measure(0, 0), AssignBit(0, True)), Profile.ADAPTIVE_RI),
        ((While(Bit(0), (X,)),), Profile.ADAPTIVE),
        ((For(((If(Bit(0), (Break(),)),),)),), Profile.ADAPTIVE),
        ((If(Bit(0), (), (While(Bit(1), ()),)),), Profile.ADAPTIVE),
    ],
)
def test_the_smallest_profile_that_suffices(operations: tuple[Operation, ...], expected: Profile) -> None:
    circuit = Circuit(2, (Register("c", 2, 0),), (), operations)

    assert smallest_profile(circuit) is expected
