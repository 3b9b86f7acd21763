from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.paulis import (
    commuting_groups,
    diagonal,
    sparse_matrix,
    strings_on,
    through_readout,
)
from antiphon.domain.noise import NoiseModel
from antiphon.domain.observables import Observable
from reference_simulator import PAULIS
from sim_work import observables


def dense(observable: Observable) -> NDArray[np.complex128]:
    size = 2**observable.num_qubits
    total = np.zeros((size, size), dtype=complex)
    for pauli, coefficient in observable.terms:
        matrix: NDArray[np.complexfloating[Any, Any]] = np.eye(1, dtype=complex)
        for letter in pauli:
            matrix = np.kron(matrix, PAULIS[letter])
        total += coefficient * matrix
    return total


@given(observables(3))
def test_the_sparse_matrix_is_the_sum_of_kronecker_products(observable: Observable) -> None:
    sparse = sparse_matrix(strings_on(observable, range(3)), 3)
    found = np.zeros((8, 8), dtype=complex)
    for row in range(8):
        for place in range(int(sparse.indptr[row]), int(sparse.indptr[row + 1])):
            found[row, int(sparse.indices[place])] += sparse.data[place]
    np.testing.assert_allclose(found, dense(observable), atol=1e-12)


def test_a_diagonal_by_transform() -> None:
    observable = Observable(3, (("IIZ", 0.5), ("IZZ", -1.0), ("III", 0.25)))
    weights = {z: value for (_, z), value in strings_on(observable, range(3)).items()}
    np.testing.assert_allclose(diagonal(weights, 3), np.diag(dense(observable)).real, atol=1e-14)


@given(observables(4))
def test_groups_hold_every_string_once_and_agree_letter_by_letter(observable: Observable) -> None:
    strings = strings_on(observable, range(4))
    groups = commuting_groups(strings)
    assert sum(len(group.weights) for group in groups) == sum(1 for x, z in strings if x | z)
    for group in groups:
        for support, coefficient in group.weights.items():
            assert strings[group.x & support, group.z & support] == coefficient


def test_idle_qubits_are_traced_out() -> None:
    observable = Observable(3, (("XIZ", 1.0), ("ZIZ", 2.0), ("IYI", 4.0)))
    assert strings_on(observable, [0]) == {(0, 1): 2.0}


@given(observables(2), st.floats(0, 0.4), st.floats(0, 0.4), st.integers(0, 10**6))
def test_a_faulty_readout_is_the_mean_of_flipped_outcomes(
    observable: Observable, p01: float, p10: float, seed: int
) -> None:
    noise = NoiseModel(readout_p01=p01, readout_p10=p10)
    rng = np.random.default_rng(seed)
    state = rng.normal(size=4) + 1j * rng.normal(size=4)
    state /= np.linalg.norm(state)
    reported = through_readout(strings_on(observable, range(2)), noise)
    found = sum(
        value * float(np.vdot(state, dense(Observable(2, ((_letters(x, z), 1.0),))) @ state).real)
        for (x, z), value in reported.items()
    )
    confusion = np.array([[1 - p01, p10], [p01, 1 - p10]])
    expected = 0.0
    for pauli, coefficient in observable.terms:
        values: NDArray[np.complex128] = np.eye(1, dtype=complex)
        for letter in pauli:
            # What one qubit reports: +1 and -1 weighted by the confusion of its two eigenstates.
            signs = np.array([1.0, -1.0]) @ confusion if letter != "I" else np.ones(2)
            eigenvalues, vectors = np.linalg.eigh(PAULIS[letter])
            order = np.argsort(-eigenvalues)
            values = np.kron(values, vectors[:, order] @ np.diag(signs) @ vectors[:, order].conj().T)
        expected += coefficient * float(np.vdot(state, values @ state).real)
    assert abs(found - expected) < 1e-9


def _letters(x: int, z: int) -> str:
    return "".join("IXZY"[(x >> q & 1) + 2 * (z >> q & 1)] for q in (1, 0))
