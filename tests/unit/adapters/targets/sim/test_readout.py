import numpy as np

from antiphon.adapters.targets.sim.readout import Flips, Readout, draw
from antiphon.domain.circuits import Register
from antiphon.domain.noise import NoiseModel

TWO = (Register("a", 2, 0), Register("b", 1, 2))


def test_registers_and_bits_of_words() -> None:
    assert Readout(TWO, ()).counts_of_words({0b001: 3, 0b110: 4}) == {"0 01": 3, "1 10": 4}


def test_outcomes_go_through_the_measurement_map_and_merge() -> None:
    readout = Readout(TWO, ((1, 0), (-1, 1), (0, 2)))
    outcomes, shots = np.array([0b01, 0b11, 0b101]), np.array([1, 2, 4])
    assert readout.counts_of_outcomes(outcomes, shots) == {"1 00": 5, "1 01": 2}


def test_more_classical_bits_than_a_word() -> None:
    readout = Readout((Register("a", 80, 0), Register("b", 1, 80)), ((0, 79), (1, 80)))
    counts = readout.counts_of_outcomes(np.array([1, 2]), np.array([5, 6]))
    assert counts == {"0 1" + "0" * 79: 5, "1 " + "0" * 80: 6}


def test_bits_and_words_agree() -> None:
    bits = np.array([[1, 0, 0], [0, 1, 1], [1, 0, 0]], dtype=np.uint8)
    assert Readout(TWO, ()).counts_of_bits(bits) == {"0 01": 2, "1 10": 1}


def test_readout_errors_strike_measured_bits_by_their_value() -> None:
    readout = Readout((Register("a", 3, 0),), ((0, 0), (1, 1)))
    bits = np.zeros((20_000, 3), dtype=np.uint8)
    bits[:, 1] = 1
    flips = Flips.reading(NoiseModel(readout_p01=0.1, readout_p10=0.4), range(2))
    flipped = readout.flipped(bits, flips, np.random.default_rng(0))
    means = flipped.mean(axis=0)
    assert abs(means[0] - 0.1) < 0.01
    assert abs(means[1] - 0.6) < 0.015
    assert means[2] == 0


def test_draw_never_gives_an_impossible_outcome() -> None:
    probabilities = np.array([0.0, 0.25, 0.0, 0.75, 0.0], dtype=np.float32)
    for shots in (3, 1000, 200_000):  # below and above the switch to a multinomial draw
        outcomes, times = draw(probabilities, shots, np.random.default_rng(shots))
        assert set(outcomes.tolist()) <= {1, 3}
        assert times.sum() == shots
