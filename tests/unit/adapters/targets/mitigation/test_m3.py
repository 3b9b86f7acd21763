import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.adapters.targets.mitigation import m3
from antiphon.adapters.targets.mitigation.m3 import Doubt, corrected, nearest_probabilities
from antiphon.errors import LimitError

Floats = NDArray[np.float64]


def confusion(p01: Floats, p10: Floats) -> Floats:
    """Of all bits at once, bit 0 the least significant of the index."""
    matrix = np.ones((1, 1))
    for low, high in zip(p01, p10, strict=True):
        matrix = np.kron(np.array([[1 - low, high], [low, 1 - high]]), matrix)
    return matrix


def table(width: int) -> NDArray[np.uint8]:
    return np.array([[index >> bit & 1 for bit in range(width)] for index in range(2**width)], dtype=np.uint8)


P01, P10 = np.array([0.02, 0.05, 0.01]), np.array([0.08, 0.03, 0.1])


def test_on_all_strings_it_is_the_exact_inverse() -> None:
    rng = np.random.default_rng(1)
    truth = rng.dirichlet(np.ones(8))
    counts = confusion(P01, P10) @ truth * 1e6
    found = corrected(table(3), counts, P01, P10)
    np.testing.assert_allclose(found.quasi, truth, atol=1e-9)
    np.testing.assert_allclose(found.probabilities, truth, atol=1e-9)


def test_as_mthree_corrects() -> None:
    """The file was made with mthree 3.0.0 by its direct method over all distances, in its single precision."""
    made = json.loads((Path(__file__).parent / "mthree_counts.json").read_text())
    texts = list(made["counts"])
    bits = np.array([[int(character) for character in reversed(text)] for text in texts], dtype=np.uint8)
    times = np.array([float(made["counts"][text]) for text in texts])
    found = corrected(bits, times, np.array(made["p01"]), np.array(made["p10"]))
    np.testing.assert_allclose(found.quasi, [made["quasi"][text] for text in texts], atol=2e-6)
    np.testing.assert_allclose(found.probabilities, [made["prob"].get(text, 0.0) for text in texts], atol=2e-6)


def test_its_error_bars_are_as_wide_as_the_values_scatter() -> None:
    rng = np.random.default_rng(2)
    truth = np.array([0.5, 0, 0, 0.1, 0, 0, 0, 0.4])
    read = confusion(P01, P10) @ truth
    runs = [corrected(table(3), np.maximum(rng.multinomial(2000, read), 1e-9), P01, P10) for _ in range(400)]
    scatter = np.std([run.quasi for run in runs], axis=0)
    np.testing.assert_allclose(np.mean([run.stderr for run in runs], axis=0), scatter, rtol=0.15)


def test_its_error_bars_have_what_the_calibration_does_not_know() -> None:
    rng = np.random.default_rng(4)
    truth, spread = np.array([0.5, 0, 0, 0.1, 0, 0, 0, 0.4]), 0.002
    read = confusion(P01, P10) @ truth * 1e9
    doubts = [each for bit in range(3) for each in (Doubt(bit, spread, 0.0), Doubt(bit, 0.0, spread))]
    runs = [
        corrected(table(3), read, P01 + rng.normal(0, spread, 3), P10 + rng.normal(0, spread, 3)).quasi
        for _ in range(1_000)
    ]
    told = corrected(table(3), read, P01, P10, doubts).stderr
    np.testing.assert_allclose(told, np.std(runs, axis=0), rtol=0.1, atol=2e-5)


def test_on_few_strings_of_many_bits_it_is_near_the_truth() -> None:
    width = 40
    rng = np.random.default_rng(3)
    truth = np.zeros((4000, width), dtype=np.uint8)
    truth[2000:] = 1  # a GHZ state
    p01, p10 = rng.uniform(0.002, 0.01, width), rng.uniform(0.005, 0.02, width)
    read = truth ^ (rng.random(truth.shape) < np.where(truth, p10, p01))
    bits, times = np.unique(read, axis=0, return_counts=True)
    found = corrected(bits.astype(np.uint8), times.astype(np.float64), p01, p10)
    ends = np.array([not row.any() or row.all() for row in bits])
    assert times[ends].sum() / 4000 < 0.75
    assert found.quasi[ends].sum() == pytest.approx(1.0, abs=0.06)
    assert found.quasi.sum() == pytest.approx(1.0)


def test_iterating_gives_what_inverting_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    times = np.asarray(rng.multinomial(5000, rng.dirichlet(np.ones(8) * 0.3)) + 1.0, dtype=np.float64)
    direct = corrected(table(3), times, P01, P10)
    monkeypatch.setattr(m3, "MOST_DIRECT", 0)
    monkeypatch.setattr(m3, "_BLOCK", 3)
    iterated = corrected(table(3), times, P01, P10)
    np.testing.assert_allclose(iterated.quasi, direct.quasi, atol=1e-5)
    assert (iterated.stderr >= direct.stderr).all()


def test_too_many_strings_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(m3, "MOST_STRINGS", 4)
    with pytest.raises(LimitError, match="distinct outcomes"):
        corrected(table(3), np.ones(8), P01, P10)


def test_the_nearest_probabilities() -> None:
    np.testing.assert_allclose(nearest_probabilities(np.array([0.7, 0.3])), [0.7, 0.3])
    np.testing.assert_allclose(nearest_probabilities(np.array([1.2, -0.2])), [1.0, 0.0])
    quasi = np.array([0.6, 0.5, -0.05, -0.05])
    found = nearest_probabilities(quasi)
    assert found.sum() == pytest.approx(1.0)
    assert (found >= 0).all()
    grid = np.linspace(0, 1, 41)
    best = min(
        sum((np.array([a, b, c, 1 - a - b - c]) - quasi) ** 2)
        for a, b, c in product(grid, repeat=3)
        if a + b + c <= 1 + 1e-12
    )
    assert ((found - quasi) ** 2).sum() <= best + 1e-9
