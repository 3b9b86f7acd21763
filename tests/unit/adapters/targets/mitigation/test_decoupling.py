import pytest

from antiphon.adapters.targets.mitigation.decoupling import PULSES, decoupled
from antiphon.domain.circuits import Delay, Gate, Operation


def seconds_of(operation: Operation) -> float:
    return 30e-9 if isinstance(operation, Gate) else 0.0


@pytest.mark.parametrize("sequence", sorted(PULSES))
def test_a_wait_keeps_its_length_and_its_pulses_are_spaced_evenly(sequence: str) -> None:
    made, filled = decoupled((Delay(3, 1e-6),), sequence, seconds_of)
    assert filled == 1
    pulses = [gate.name.upper() for gate in made if isinstance(gate, Gate)]
    assert "".join(pulses) == PULSES[sequence]
    total = sum(each.seconds if isinstance(each, Delay) else seconds_of(each) for each in made)
    assert total == pytest.approx(1e-6)
    waits = {round(each.seconds, 15) for each in made if isinstance(each, Delay)}
    assert len(waits) == 1
    for letter in "XY":
        assert pulses.count(letter) % 2 == 0, "together they do nothing"


def test_a_wait_too_short_for_its_pulses_stays() -> None:
    operations = (Gate("x", (0,)), Delay(0, 50e-9))
    assert decoupled(operations, "XX", seconds_of) == (operations, 0)
