from __future__ import annotations

import cmath
from typing import Any

import numpy as np
import pytest
from qiskit import qasm2
from qiskit.circuit.library import CUGate, U2Gate, U3Gate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator

from antiphon.domain.circuits import Gate
from antiphon.frontends.openqasm import program_from_openqasm
from antiphon.frontends.openqasm_gates import LIBRARIES
from reference_simulator import apply, evaluate_angle, gate_matrix

ANGLES = [0.3, 0.7, 1.1, -0.4]
IN_QISKIT = {"CX": "cx", "phase": "p", "cphase": "cp"}


def matrix_of(text: str) -> Any:
    """The unitary of a circuit, global phase as the emitted gates have it."""
    circuit = program_from_openqasm(text).circuit
    assert circuit is not None
    dimension = 2**circuit.num_qubits
    # All columns at once: beside each state stands the number of its column, as qubits that no gate touches.
    columns = np.eye(dimension, dtype=complex).reshape(-1)
    for operation in circuit.operations:
        assert isinstance(operation, Gate)
        matrix = gate_matrix(operation.name, [evaluate_angle(angle, ()) for angle in operation.params])
        columns = apply(columns, matrix, operation.qubits)
    return columns.reshape(dimension, dimension).T


def invocation(name: str, num_params: int) -> str:
    return name + (f"({', '.join(map(str, ANGLES[:num_params]))})" if num_params else "")


def in_qiskit(name: str, num_params: int) -> Any:
    """The gate's matrix, with the phase that stdgates.inc gives it."""
    angles = ANGLES[:num_params]
    own = {"u2": U2Gate, "u3": U3Gate, "cu": CUGate}
    kind = own.get(name) or get_standard_gate_name_mapping()[IN_QISKIT.get(name, name)].base_class
    matrix = Operator(kind(*angles)).data
    return matrix * cmath.exp(-0.5j * (angles[-1] + angles[-2])) if name in {"u2", "u3"} else matrix


@pytest.mark.parametrize("name", sorted(set(LIBRARIES["qelib1.inc"]) - {"u0"}))
def test_qelib1_is_as_qiskit_reads_it(name: str) -> None:
    num_params, num_qubits, _ = LIBRARIES["qelib1.inc"][name]
    qubits = ", ".join(f"q[{i}]" for i in range(num_qubits))
    text = f'OPENQASM 2.0; include "qelib1.inc"; qreg q[{num_qubits}]; {invocation(name, num_params)} {qubits};'
    circuit = qasm2.loads(
        text, include_path=qasm2.LEGACY_INCLUDE_PATH, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS
    )
    theirs, ours = Operator(circuit).data, matrix_of(text)
    assert abs(np.vdot(theirs, ours)) == pytest.approx(2**num_qubits)


@pytest.mark.parametrize("in_a_definition", [False, True])
@pytest.mark.parametrize("name", sorted(LIBRARIES["stdgates.inc"]))
def test_modifiers_of_every_standard_gate_keep_its_phase(name: str, in_a_definition: bool) -> None:
    num_params, num_qubits, _ = LIBRARIES["stdgates.inc"][name]
    base = in_qiskit(name, num_params)
    expected_of = {
        "": base,
        "inv @ ": base.conj().T,
        "pow(3) @ ": np.linalg.matrix_power(base, 3),
        "pow(-2) @ ": np.linalg.matrix_power(base.conj().T, 2),
    }
    definition, called = "", invocation(name, num_params)
    if in_a_definition:
        parameters, qubits = "abcd"[:num_params], "wxyz"[:num_qubits]
        formal = f"({', '.join(parameters)})" if parameters else ""
        definition = f"gate mine{formal} {', '.join(qubits)} {{ {name}{formal} {', '.join(qubits)}; }}"
        called = invocation("mine", num_params)
    for num_controls in range(1, 5 - num_qubits):
        width = num_controls + num_qubits
        operands = ", ".join(f"q[{i}]" for i in range(width))
        for control, active in (("ctrl", 2**num_controls - 1), ("negctrl", 0)):
            for modifier, inner in expected_of.items():
                if modifier and num_controls == 3:
                    continue  # nothing new, and many gates
                expected = np.eye(2**width, dtype=complex)
                rows = [row for row in range(2**width) if row % 2**num_controls == active]
                expected[np.ix_(rows, rows)] = inner
                text = (
                    f'OPENQASM 3.0; include "stdgates.inc"; {definition} qubit[{width}] q;'
                    f"{control}({num_controls}) @ {modifier}{called} {operands};"
                )
                assert np.allclose(matrix_of(text), expected), (control, modifier, num_controls)


@pytest.mark.parametrize("exponent", [0.5, -1 / 3, 1.25])
@pytest.mark.parametrize(
    "gate", ["x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "id", "rx(0.4)", "ry(-5)", "rz(5.0)", "p(-2.5)"]
)
def test_fractional_powers_take_the_principal_logarithm(gate: str, exponent: float) -> None:
    header = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q;'
    base = matrix_of(f"{header} {gate} q[0];")[:2, :2]
    values, vectors = np.linalg.eig(base)
    power = vectors @ np.diag(np.exp(1j * exponent * np.angle(values))) @ np.linalg.inv(vectors)
    expected = np.eye(4, dtype=complex)
    expected[np.ix_([1, 3], [1, 3])] = power
    assert np.allclose(matrix_of(f"{header} ctrl @ pow({exponent!r}) @ {gate} q[0], q[1];"), expected)
