"""The demo's ansatz: the unitary coupled-cluster state of the hydrogen molecule, as a Qiskit circuit."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from antiphon.errors import MissingExtraError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterExpression

# Each excitation T − T† by Jordan-Wigner as Pauli strings with their weights, qubit 0 rightmost; spin up on the even
# qubits. The strings of one excitation commute, so the product of their rotations is exact. Romero et al.,
# Quantum Sci. Technol. 4, 014008 (2018), arXiv:1701.02691, equations 15 and 16.
EXCITATIONS: tuple[dict[str, float], ...] = (
    {"IXZY": 0.5, "IYZX": -0.5},  # spin up from orbital 0 to 1
    {"XZYI": 0.5, "YZXI": -0.5},  # spin down from orbital 0 to 1
    {
        "XXXY": 0.125, "XXYX": 0.125, "XYXX": -0.125, "YXXX": -0.125,
        "YYYX": -0.125, "YYXY": -0.125, "YXYY": 0.125, "XYYY": 0.125,
    },  # both
)  # fmt: skip


def coupled_cluster(hartree_fock: str) -> QuantumCircuit:
    """exp(Σ θ (T − T†)) on the Hartree-Fock state: three angles, one for each excitation, in radians.

    Args:
        hartree_fock: Occupied spin orbitals as a bit string, qubit 0 rightmost.

    Raises:
        MissingExtraError: Qiskit is not installed.
    """
    try:
        from qiskit import QuantumCircuit
        from qiskit.circuit import ParameterVector
    except ImportError as error:
        raise MissingExtraError.of("qiskit", "sims", "The demo") from error
    circuit = QuantumCircuit(len(hartree_fock), name="coupled-cluster")
    for qubit, bit in enumerate(reversed(hartree_fock)):
        if bit == "1":
            circuit.x(qubit)
    angles = ParameterVector("θ", len(EXCITATIONS))
    for angle, strings in zip(angles, EXCITATIONS, strict=True):
        for pauli, weight in strings.items():
            _rotate(circuit, pauli, 2.0 * weight * angle)
    return circuit


def _rotate(circuit: QuantumCircuit, pauli: str, angle: ParameterExpression) -> None:
    """exp(−i·angle/2·pauli): into the Z basis, the parity onto the last qubit, a rotation, and back."""
    letters = {qubit: letter for qubit, letter in enumerate(reversed(pauli)) if letter != "I"}
    for qubit, letter in letters.items():
        if letter == "Y":
            circuit.sdg(qubit)
        if letter in "XY":
            circuit.h(qubit)
    ladder = list(pairwise(letters))
    for control, target in ladder:
        circuit.cx(control, target)
    circuit.rz(angle, max(letters))
    for control, target in reversed(ladder):
        circuit.cx(control, target)
    for qubit, letter in letters.items():
        if letter in "XY":
            circuit.h(qubit)
        if letter == "Y":
            circuit.s(qubit)
