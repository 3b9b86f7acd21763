import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.adapters.targets.mitigation.tallies import Cell, Tally, shared
from antiphon.domain.circuits import Measure
from antiphon.domain.parameters import NO_PARAMETERS
from sim_work import circuit_of, program_of


@given(st.integers(0, 10_000), st.lists(st.floats(0, 10), min_size=1, max_size=12), st.integers(0, 5))
def test_shots_are_shared_to_the_last_one(total: int, weights: list[float], least: int) -> None:
    if total < least * len(weights):
        with pytest.raises(ValueError, match="cannot be shared"):
            shared(total, weights, least)
        return
    given_ = shared(total, weights, least)
    assert sum(given_) == total
    assert min(given_) >= least
    spare, whole = total - least * len(weights), sum(weights)
    if whole > 1e-9:
        assert all(abs(n - least - spare * w / whole) < 1 + 1e-6 for n, w in zip(given_, weights, strict=True))


def test_counts_of_rounds_add_up_and_the_last_register_is_read() -> None:
    program = program_of(circuit_of(2, 2, Measure(0, 0)))
    tally = Tally(Cell("program", program, NO_PARAMETERS, (False, True, False), 1))
    tally.add([{"110 00": 3}], 3)
    tally.add([{"110 01": 2, "001 00": 1}], 3)
    bits, times = tally.arrays()
    assert tally.shots == 6
    assert sorted(zip(map(tuple, bits.tolist()), times[0].tolist(), strict=True)) == [
        ((0, 1, 1), 5.0),
        ((1, 0, 0), 1.0),
    ]
    told = tally.to_json()
    assert told["flips"] == "010"
    assert sum(told["counts"][0].values()) == 6
    assert np.issubdtype(bits.dtype, np.integer)
