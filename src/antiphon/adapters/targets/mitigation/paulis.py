"""Pauli operators before a two-qubit gate, and the ones after it that undo them."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.matrices import gate_matrix
from antiphon.domain.circuits import Gate, Operation
from antiphon.domain.gates import GATES

_MATRICES = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.array([[1, 0], [0, -1]]),
}
_TURNS = frozenset({"rxx", "ryy", "rzz", "rzx"})


def pauli_gates(letters: str, qubits: tuple[int, ...]) -> tuple[Gate, ...]:
    """A Pauli string as gates; letter k acts on `qubits[k]`."""
    return tuple(Gate(letter.lower(), (qubit,)) for letter, qubit in zip(letters, qubits, strict=True) if letter != "I")


def twirls(operation: Operation) -> tuple[tuple[str, str], ...]:
    """Pauli strings before and after the gate that together leave it as it is; none where it cannot be twirled.

    All 16 for a Clifford gate; for a rotation about a Pauli string the eight that commute with it at every angle.
    """
    if not isinstance(operation, Gate) or len(operation.qubits) != 2:
        return ()
    if operation.name in _TURNS:
        return _commuting(operation.name)
    return _conjugated(operation.name) if GATES[operation.name].clifford else ()


@cache
def _conjugated(name: str) -> tuple[tuple[str, str], ...]:
    gate: NDArray[np.complex128] = np.asarray(gate_matrix(name, ()))
    found = []
    for letters in _strings():
        moved = gate @ _matrix(letters) @ gate.conj().T
        after = next(other for other in _strings() if abs(abs(np.trace(_matrix(other) @ moved)) - 4.0) < 1e-9)
        found.append((letters, after))
    return tuple(found)


@cache
def _commuting(name: str) -> tuple[tuple[str, str], ...]:
    gate: NDArray[np.complex128] = np.asarray(gate_matrix(name, (0.7,)))
    return tuple(
        (letters, letters) for letters in _strings() if np.allclose(gate @ _matrix(letters), _matrix(letters) @ gate)
    )


def _strings() -> list[str]:
    return ["".join(letters) for letters in product("IXYZ", repeat=2)]


def _matrix(letters: str) -> NDArray[np.complex128]:
    # The first qubit is the least significant bit of the index.
    return np.kron(_MATRICES[letters[1]], _MATRICES[letters[0]]).astype(np.complex128)
