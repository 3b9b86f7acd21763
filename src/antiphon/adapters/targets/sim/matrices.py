"""Matrices of the gates in `domain.gates`, as NumPy arrays.

qubits[0] of a gate is the least significant bit of the row and column index, as in Qiskit; controls come first.
Source: the OpenQASM 3 standard library and Qiskit's circuit library.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from antiphon.domain.circuits import Unitary

Matrix: TypeAlias = "NDArray[np.complex128]"

_PAULI: dict[str, Matrix] = {
    "I": np.eye(2, dtype=np.complex128),
    "X": np.array([[0, 1], [1, 0]], dtype=np.complex128),
    "Y": np.array([[0, -1j], [1j, 0]], dtype=np.complex128),
    "Z": np.array([[1, 0], [0, -1]], dtype=np.complex128),
}
_HADAMARD: Matrix = np.array([[1, 1], [1, -1]], dtype=np.complex128) * math.sqrt(0.5)
_SX: Matrix = np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]], dtype=np.complex128) / 2
_SWAP = np.eye(4, dtype=np.complex128)[[0, 2, 1, 3]]


def _phase(angle: float) -> Matrix:
    return np.diag(np.array([1, cmath.exp(1j * angle)], dtype=np.complex128))


def _rotation(pauli: str, angle: float) -> Matrix:
    """exp(-i·angle/2·P); the letters of `pauli` from the most significant qubit."""
    generator: Matrix = _PAULI[pauli[0]]
    for letter in pauli[1:]:
        generator = np.kron(generator, _PAULI[letter]).astype(np.complex128)
    return math.cos(angle / 2) * np.eye(len(generator)) - 1j * math.sin(angle / 2) * generator


def _u(theta: float, phi: float, lam: float) -> Matrix:
    cos, sin = math.cos(theta / 2), math.sin(theta / 2)
    return np.array([[cos, -cmath.exp(1j * lam) * sin], [cmath.exp(1j * phi) * sin, cmath.exp(1j * (phi + lam)) * cos]])


def _r(theta: float, phi: float) -> Matrix:
    axis = math.cos(phi) * _PAULI["X"] + math.sin(phi) * _PAULI["Y"]
    return math.cos(theta / 2) * np.eye(2) - 1j * math.sin(theta / 2) * axis


def _controlled(target: Matrix) -> Matrix:
    """The control becomes the least significant qubit."""
    matrix = np.eye(2 * len(target), dtype=np.complex128)
    matrix[1::2, 1::2] = target
    return matrix


def _iswap() -> Matrix:
    matrix = _SWAP.copy()
    matrix[1, 2] = matrix[2, 1] = 1j
    return matrix


_CX = _controlled(_PAULI["X"])
_ECR: Matrix = np.array(
    [[0, 1, 0, 1j], [1, 0, -1j, 0], [0, 1j, 0, 1], [-1j, 0, 1, 0]], dtype=np.complex128
) / math.sqrt(2)

_FIXED: dict[str, Matrix] = {
    "id": _PAULI["I"],
    "x": _PAULI["X"],
    "y": _PAULI["Y"],
    "z": _PAULI["Z"],
    "h": _HADAMARD,
    "s": _phase(math.pi / 2),
    "sdg": _phase(-math.pi / 2),
    "sx": _SX,
    "sxdg": _SX.conj().T,
    "t": _phase(math.pi / 4),
    "tdg": _phase(-math.pi / 4),
    "cx": _CX,
    "cy": _controlled(_PAULI["Y"]),
    "cz": _controlled(_PAULI["Z"]),
    "swap": _SWAP,
    "iswap": _iswap(),
    "ecr": _ECR,
    "dcx": _SWAP @ _CX @ _SWAP @ _CX,
    "ch": _controlled(_HADAMARD),
    "csx": _controlled(_SX),
    "ccx": _controlled(_CX),
    "ccz": _controlled(_controlled(_PAULI["Z"])),
    "cswap": _controlled(_SWAP),
}

_PARAMETRISED: dict[str, Callable[..., Matrix]] = {
    "rx": lambda angle: _rotation("X", angle),
    "ry": lambda angle: _rotation("Y", angle),
    "rz": lambda angle: _rotation("Z", angle),
    "p": _phase,
    "u": _u,
    "r": _r,
    "cp": lambda angle: _controlled(_phase(angle)),
    "crx": lambda angle: _controlled(_rotation("X", angle)),
    "cry": lambda angle: _controlled(_rotation("Y", angle)),
    "crz": lambda angle: _controlled(_rotation("Z", angle)),
    "cu": lambda theta, phi, lam, gamma: _controlled(cmath.exp(1j * gamma) * _u(theta, phi, lam)),
    "rxx": lambda angle: _rotation("XX", angle),
    "ryy": lambda angle: _rotation("YY", angle),
    "rzz": lambda angle: _rotation("ZZ", angle),
    "rzx": lambda angle: _rotation("XZ", angle),  # Z on the first qubit, X on the second
}


def gate_matrix(name: str, params: Sequence[float] = ()) -> Matrix:
    """The unitary of gate `name` of shape (2^k, 2^k); angles in radians in the order of `domain.gates`."""
    return _PARAMETRISED[name](*params) if params else _FIXED[name]


@cache
def unitary_matrix(unitary: Unitary) -> Matrix:
    """The matrix of an explicit unitary, qubits[0] least significant."""
    size = 2 ** len(unitary.qubits)
    return np.array(unitary.matrix, dtype=np.complex128).reshape(size, size)


def apply(state: Matrix, matrix: Matrix, qubits: Sequence[int]) -> Matrix:
    """`matrix` on `qubits` of a state of shape (2^n,), qubit 0 least significant; plain, to test engines against."""
    width = int(math.log2(len(state)))
    axes = [width - 1 - qubit for qubit in reversed(qubits)]
    tensor = np.moveaxis(state.reshape((2,) * width), axes, range(len(axes)))
    moved = (matrix @ tensor.reshape(len(matrix), -1)).reshape(tensor.shape)
    return np.ascontiguousarray(np.moveaxis(moved, range(len(axes)), axes)).reshape(-1)
