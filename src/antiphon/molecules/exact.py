"""Exact ground energies by diagonalisation, the yardstick of every variational energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from antiphon.domain.observables import Observable
from antiphon.errors import LimitError, MissingExtraError

MAX_QUBITS = 16
_MAX_DENSE_QUBITS = 8  # a dense 256 × 256 matrix is diagonalised in milliseconds and needs no SciPy


def exact_ground_energy(observable: Observable) -> float:
    """The lowest eigenvalue of `observable`, in the observable's own unit, good to about 1e-10.

    Up to 8 qubits the whole matrix is diagonalised by NumPy; above that, SciPy's Lanczos iteration finds the lowest
    eigenvalue. The search is over all states, whatever their number of particles.

    Raises:
        LimitError: More than 16 qubits.
        MissingExtraError: More than 8 qubits, and SciPy is not installed.
    """
    n = observable.num_qubits
    if n > MAX_QUBITS:
        raise LimitError(
            f"Exact diagonalisation takes at most {MAX_QUBITS} qubits; this observable has {n}.",
            next_step="Compare with a classical solver made for wide systems, or with a published energy.",
            details={"num_qubits": n, "max_qubits": MAX_QUBITS},
        )
    flips = _by_flip(observable)
    if n <= _MAX_DENSE_QUBITS:
        columns = np.arange(2**n)
        matrix = np.zeros((2**n, 2**n), dtype=np.complex128)
        for flip, amplitudes in flips.items():
            matrix[columns ^ flip, columns] += amplitudes
        return float(np.linalg.eigvalsh(matrix)[0])
    return _lanczos(flips, 2**n)


def _by_flip(observable: Observable) -> dict[int, NDArray[np.complex128]]:
    """The matrix as ⟨j ⊕ flip|H|j⟩ for every j, one vector for each pattern of flipped qubits.

    A string with k letters Y maps |j⟩ to i^k (-1)^(ones of j under Y and Z) |j ⊕ flip⟩, the flip set by X and Y.
    """
    index = np.arange(2**observable.num_qubits)
    flips: dict[int, NDArray[np.complex128]] = {}
    for pauli, coefficient in observable.terms:
        flip = int("0" + "".join("1" if letter in "XY" else "0" for letter in pauli), 2)
        sign = int("0" + "".join("1" if letter in "YZ" else "0" for letter in pauli), 2)
        ones = np.bitwise_count(index & sign)
        amplitudes = coefficient * 1j ** pauli.count("Y") * (1.0 - 2.0 * (ones & 1))
        flips[flip] = flips.get(flip, 0.0) + amplitudes
    return flips


def _lanczos(flips: dict[int, NDArray[np.complex128]], dimension: int) -> float:
    try:
        from scipy.sparse.linalg import LinearOperator, eigsh
    except ImportError as error:
        raise MissingExtraError.of("scipy", "sims", "Diagonalising more than 8 qubits") from error
    index = np.arange(dimension)
    # (H v)[j] = Σ_flip ⟨j|H|j ⊕ flip⟩ v[j ⊕ flip]; gathering is quicker than scattering.
    rows = [(index ^ flip, amplitudes[index ^ flip]) for flip, amplitudes in flips.items()]

    def apply(vector: NDArray[np.complex128]) -> NDArray[np.complex128]:
        flat = vector.reshape(-1)
        total = np.zeros(dimension, dtype=np.complex128)
        for source, amplitudes in rows:
            total += amplitudes * flat[source]
        return total

    operator = LinearOperator((dimension, dimension), matvec=apply, dtype=np.complex128)
    # Fixed, so that every call gives the same bits; random, so that no symmetry hides the ground state.
    start = np.random.default_rng(1).normal(size=dimension).astype(np.complex128)
    values = eigsh(operator, k=1, which="SA", v0=start, return_eigenvectors=False)
    return float(values[0])
