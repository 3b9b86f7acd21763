from __future__ import annotations

import numpy as np

from antiphon.domain.results import Estimated, Sampled
from antiphon.engine.agreement import compare


def sampled(*counts: dict[str, int]) -> Sampled:
    return Sampled((len(counts),), counts, sum(counts[0].values()))


def draw(p: float, shots: int, rng: np.random.Generator) -> dict[str, int]:
    ones = int(rng.binomial(shots, p))
    return {"0": shots - ones, "1": ones}


def test_identical_results_agree() -> None:
    one = (sampled({"0": 10}),)
    assert compare(one, one, bitwise=True).test == "identical"


def test_a_seeded_simulator_must_agree_to_the_bit() -> None:
    verdict = compare((sampled({"0": 10}),), (sampled({"0": 9, "1": 1}),), bitwise=True)
    assert not verdict.agrees


def test_samples_of_one_distribution_agree_and_of_two_do_not() -> None:
    rng = np.random.default_rng(1)
    same = [
        compare((sampled(draw(0.5, 1000, rng)),), (sampled(draw(0.5, 1000, rng)),), bitwise=False).agrees
        for _ in range(100)
    ]
    other = compare((sampled(draw(0.5, 1000, rng)),), (sampled(draw(0.6, 1000, rng)),), bitwise=False)
    assert sum(same) >= 98
    assert not other.agrees
    assert other.figures["p"] < 0.001


def test_a_long_sweep_does_not_disagree_by_chance() -> None:
    rng = np.random.default_rng(2)
    first = sampled(*(draw(0.3, 200, rng) for _ in range(300)))
    second = sampled(*(draw(0.3, 200, rng) for _ in range(300)))
    assert compare((first,), (second,), bitwise=False).agrees
    shifted = sampled(*(draw(0.36, 200, rng) for _ in range(300)))
    assert not compare((first,), (shifted,), bitwise=False).agrees


def test_values_agree_within_their_error_bars() -> None:
    a = (Estimated((), (0.50,), (0.01,), 100),)
    assert compare(a, (Estimated((), (0.53,), (0.01,), 100),), bitwise=False).agrees
    assert not compare(a, (Estimated((), (0.58,), (0.01,), 100),), bitwise=False).agrees
