"""The gates a circuit may hold: one table, with arity and the facts that choose an engine.

Front ends decompose every other gate into these or into an explicit `Unitary`. The matrices are those of the OpenQASM 3
standard library and Qiskit's circuit library of the same name; the controls of a gate come first in `qubits`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GateKind:
    """Name, number of qubits and of angles; `clifford` says that it is Clifford at every angle (or has none)."""

    name: str
    num_qubits: int
    num_params: int
    clifford: bool = False


GATES: dict[str, GateKind] = {
    kind.name: kind
    for kind in (
        GateKind("id", 1, 0, clifford=True),
        GateKind("x", 1, 0, clifford=True),
        GateKind("y", 1, 0, clifford=True),
        GateKind("z", 1, 0, clifford=True),
        GateKind("h", 1, 0, clifford=True),
        GateKind("s", 1, 0, clifford=True),
        GateKind("sdg", 1, 0, clifford=True),
        GateKind("sx", 1, 0, clifford=True),
        GateKind("sxdg", 1, 0, clifford=True),
        GateKind("t", 1, 0),
        GateKind("tdg", 1, 0),
        GateKind("rx", 1, 1),
        GateKind("ry", 1, 1),
        GateKind("rz", 1, 1),
        GateKind("p", 1, 1),  # phase: diag(1, e^{iλ})
        GateKind("u", 1, 3),  # U(θ, φ, λ) of OpenQASM 3 and Qiskit
        GateKind("r", 1, 2),  # R(θ, φ): rotation by θ about cos φ X + sin φ Y
        GateKind("cx", 2, 0, clifford=True),
        GateKind("cy", 2, 0, clifford=True),
        GateKind("cz", 2, 0, clifford=True),
        GateKind("swap", 2, 0, clifford=True),
        GateKind("iswap", 2, 0, clifford=True),
        GateKind("ecr", 2, 0, clifford=True),
        GateKind("dcx", 2, 0, clifford=True),
        GateKind("ch", 2, 0),
        GateKind("csx", 2, 0),
        GateKind("cp", 2, 1),
        GateKind("crx", 2, 1),
        GateKind("cry", 2, 1),
        GateKind("crz", 2, 1),
        GateKind("cu", 2, 4),  # controlled e^{iγ} U(θ, φ, λ), angles in that order with γ last
        GateKind("rxx", 2, 1),
        GateKind("ryy", 2, 1),
        GateKind("rzz", 2, 1),
        GateKind("rzx", 2, 1),
        GateKind("ccx", 3, 0),
        GateKind("ccz", 3, 0),
        GateKind("cswap", 3, 0),
    )
}
