"""Samples of a matrix product state against the state that it says, written out."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2

from antiphon.adapters.targets.sim.engines.mps_sampling import draw_bits

Tensors = list[list[NDArray[np.complex128]]]
SHOTS = 20_000


def random_tensors(qubits: int, bond: int, seed: int) -> tuple[Tensors, list[NDArray[np.float64]]]:
    """Tensors in no particular form and not normalised: truncation leaves Aer's so, only less."""
    rng = np.random.default_rng(seed)
    sizes = [1, *[bond] * (qubits - 1), 1]
    gammas = [[rng.normal(size=shape) + 1j * rng.normal(size=shape) for _ in range(2)] for shape in pairwise(sizes)]
    return gammas, [rng.uniform(0.2, 1.0, bond) for _ in range(qubits - 1)]


def chances(gammas: Tensors, lambdas: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The probability of every outcome, qubit q being bit q of the index."""
    qubits = len(gammas)
    found = np.empty(2**qubits)
    for outcome in range(2**qubits):
        product = gammas[0][outcome & 1]
        for place in range(1, qubits):
            product = (product * lambdas[place - 1]) @ gammas[place][outcome >> place & 1]
        found[outcome] = abs(product[0, 0]) ** 2
    return np.asarray(found / found.sum())


@pytest.mark.parametrize(("qubits", "bond"), [(1, 1), (2, 2), (5, 3), (6, 8)])
def test_bits_come_as_often_as_the_state_says(qubits: int, bond: int) -> None:
    gammas, lambdas = random_tensors(qubits, bond, seed=qubits)
    bits = draw_bits(gammas, lambdas, SHOTS, np.random.default_rng(3))
    assert bits.shape == (SHOTS, qubits)
    seen = np.bincount(bits @ (1 << np.arange(qubits)), minlength=2**qubits)
    expected = SHOTS * chances(gammas, lambdas)
    likely = expected > 5
    statistic = ((seen - expected) ** 2 / expected)[likely].sum()
    assert statistic < chi2.ppf(1 - 1e-6, max(likely.sum() - 1, 1))


def test_what_cannot_happen_does_not() -> None:
    one = [np.array([[0.0]]), np.array([[1.0]])]
    bits = draw_bits([one, [one[1], one[0]], one], [np.ones(1)] * 2, 1000, np.random.default_rng(1))
    assert bits.tolist() == [[1, 0, 1]] * 1000


def test_a_seed_gives_the_same_bits_and_no_shots_give_none() -> None:
    gammas, lambdas = random_tensors(4, 2, seed=9)
    first, again = (draw_bits(gammas, lambdas, 50, np.random.default_rng(5)) for _ in range(2))
    assert (first == again).all()
    assert draw_bits(gammas, lambdas, 0, np.random.default_rng(5)).shape == (0, 4)


def test_shots_in_several_parts_are_shots_of_the_same_state(monkeypatch: pytest.MonkeyPatch) -> None:
    gammas, lambdas = random_tensors(4, 3, seed=2)
    monkeypatch.setattr("antiphon.adapters.targets.sim.engines.mps_sampling._CHUNK_BYTES", 1024)
    bits = draw_bits(gammas, lambdas, SHOTS, np.random.default_rng(3))
    seen = np.bincount(bits @ (1 << np.arange(4)), minlength=16) / SHOTS
    assert np.abs(seen - chances(gammas, lambdas)).max() < 0.02
