"""Pauli sums as bit masks: on the used qubits only, as diagonals and sparse matrices, and in commuting groups.

A Pauli string is (x, z): bit q of x says X or Y on qubit q, bit q of z says Z or Y.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from antiphon.domain.noise import Noise
from antiphon.domain.observables import Observable

Strings: TypeAlias = "dict[tuple[int, int], float]"


def strings_on(observable: Observable, qubits: Sequence[int], noise: Noise | None = None) -> Strings:
    """The sum on `qubits`, renumbered in their order, for a state that is |0⟩ on every other qubit.

    There X and Y have expectation 0 and Z has 1 (less what a faulty readout of |0⟩ takes), so the first drop out, and
    the second become numbers. A faulty readout offsets X and Y as it does Z. `noise` numbers qubits as `observable`.
    """
    strings: Strings = {}
    kept = set(qubits)
    idle: dict[int, dict[str, float]] = {}
    for qubit in range(observable.num_qubits):
        if qubit not in kept:
            p01, p10 = (0.0, 0.0) if noise is None else noise.readout(qubit)
            idle[qubit] = {"I": 1.0, "Z": 1.0 - 2.0 * p01, "X": p10 - p01, "Y": p10 - p01}
    for pauli, coefficient in observable.terms:
        letters = pauli[::-1]
        for qubit, means in idle.items():
            coefficient *= means[letters[qubit]]
        if not coefficient:
            continue
        x = sum(1 << place for place, qubit in enumerate(qubits) if letters[qubit] in "XY")
        z = sum(1 << place for place, qubit in enumerate(qubits) if letters[qubit] in "YZ")
        strings[x, z] = strings.get((x, z), 0.0) + coefficient
    return strings


def through_readout(strings: Strings, noise: Noise) -> Strings:
    """The sum whose ideal expectation is what a faulty readout of `strings` reports on average.

    Measuring a qubit in the basis of its letter P gives (1-p01-p10)·P + (p10-p01) on average. `noise` numbers qubits
    as the strings do.
    """
    width = max(((x | z).bit_length() for x, z in strings), default=0)
    chances = [noise.readout(qubit) for qubit in range(width)]
    if not any(p01 or p10 for p01, p10 in chances):
        return strings
    result: Strings = {}
    for (x, z), coefficient in strings.items():
        parts: Strings = {(0, 0): coefficient}
        support = x | z
        while support:
            bit = support & -support
            support ^= bit
            p01, p10 = chances[bit.bit_length() - 1]
            slope, offset = 1.0 - p01 - p10, p10 - p01
            grown: Strings = {}
            for (px, pz), value in parts.items():
                grown[px | (x & bit), pz | (z & bit)] = value * slope
                if offset:
                    grown[px, pz] = value * offset
            parts = grown
        for key, value in parts.items():
            result[key] = result.get(key, 0.0) + value
    return result


def diagonal(weights: dict[int, float], num_qubits: int) -> NDArray[np.float64]:
    """Σ weight·(-1)^(number of set bits of c & z) for every basis state c, by a fast Walsh-Hadamard transform."""
    values = np.zeros(2**num_qubits)
    for z, weight in weights.items():
        values[z] += weight
    for qubit in range(num_qubits):
        pairs = values.reshape(-1, 2, 2**qubit)
        low = pairs[:, 0].copy()
        pairs[:, 0] += pairs[:, 1]
        np.subtract(low, pairs[:, 1], out=pairs[:, 1])
    return values


def by_flip(strings: Strings) -> dict[int, dict[int, complex]]:
    """{x: {z: coefficient·i^(number of Y)}}: P|c⟩ = i^(number of Y)·(-1)^(c·z)|c ⊕ x⟩."""
    grouped: dict[int, dict[int, complex]] = {}
    for (x, z), coefficient in strings.items():
        grouped.setdefault(x, {})[z] = coefficient * 1j ** ((x & z).bit_count() % 4)
    return grouped


def flip_columns(strings: Strings, num_qubits: int) -> dict[int, NDArray[np.complex128]]:
    """{x: d} with H[c ⊕ x, c] = d[c]."""
    columns = {}
    for x, weights in by_flip(strings).items():
        column = diagonal({z: weight.real for z, weight in weights.items()}, num_qubits).astype(np.complex128)
        imaginary = {z: weight.imag for z, weight in weights.items() if weight.imag}
        if imaginary:
            column += 1j * diagonal(imaginary, num_qubits)
        columns[x] = column
    return columns


@dataclass(frozen=True)
class SparseMatrix:
    """Compressed rows, as Lightning takes them."""

    indptr: NDArray[np.uint64]
    indices: NDArray[np.uint64]
    data: NDArray[np.complex128]

    @property
    def nbytes(self) -> int:
        """Memory of the three arrays."""
        return self.indptr.nbytes + self.indices.nbytes + self.data.nbytes


def sparse_matrix(strings: Strings, num_qubits: int) -> SparseMatrix:
    """The sum as a Hermitian matrix of shape (2^n, 2^n), qubit 0 the least significant bit of the index."""
    states = np.arange(2**num_qubits, dtype=np.uint64)
    rows, values = [], []
    for x, column in flip_columns(strings, num_qubits).items():
        flipped = states ^ np.uint64(x)
        rows.append(flipped)
        values.append(column[flipped])  # row r, column r ⊕ x
    indices = np.stack(rows, axis=1) if rows else np.zeros((len(states), 0), dtype=np.uint64)
    data = np.stack(values, axis=1) if values else np.zeros((len(states), 0), dtype=np.complex128)
    scale = max((abs(value) for value in strings.values()), default=0.0)
    kept = np.abs(data) > 1e-15 * scale  # symmetries cancel most entries of a molecule's matrix
    indptr = np.concatenate(([0], np.cumsum(kept.sum(axis=1)))).astype(np.uint64)
    return SparseMatrix(indptr, np.ascontiguousarray(indices[kept]), np.ascontiguousarray(data[kept]))


@dataclass(frozen=True)
class Group:
    """Strings that agree letter by letter where they overlap, so that one measurement basis serves them all.

    `x` and `z` are the basis (X, Y or Z on each qubit of the support); `weights` maps the support of each string,
    which is its Z mask after the change of basis, to its coefficient.
    """

    x: int
    z: int
    weights: dict[int, float]

    @property
    def norm(self) -> float:
        """Square root of the sum of squared coefficients of the strings other than the identity."""
        return math.sqrt(sum(value * value for support, value in self.weights.items() if support))

    @property
    def reach(self) -> float:
        """How far what a shot contributes can lie from the middle: the sum of the coefficients' absolute values."""
        return sum(abs(value) for support, value in self.weights.items() if support)

    def rotations(self) -> list[tuple[str, int]]:
        """Gates, in order, after which measuring in the computational basis measures this group's basis."""
        gates = []
        for qubit in range((self.x | self.z).bit_length()):
            if self.x >> qubit & 1:
                if self.z >> qubit & 1:
                    gates.append(("sdg", qubit))
                gates.append(("h", qubit))
        return gates


def commuting_groups(strings: Strings) -> list[Group]:
    """Qubit-wise commuting groups, greedily from the largest coefficient on; the identity is in none of them."""
    groups: list[list[Any]] = []
    for (x, z), coefficient in sorted(strings.items(), key=lambda item: (-abs(item[1]), item[0])):
        if not x | z:
            continue
        for group in groups:
            if not (group[0] | group[1]) & (x | z) & ((group[0] ^ x) | (group[1] ^ z)):
                group[0] |= x
                group[1] |= z
                group[2][x | z] = coefficient
                break
        else:
            groups.append([x, z, {x | z: coefficient}])
    return [Group(x, z, weights) for x, z, weights in groups]
