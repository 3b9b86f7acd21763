import cirq
import numpy as np
import numpy.typing as npt
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.domain import circuits as tape
from antiphon.domain.programs import Program
from antiphon.frontends.cirq import program_from_circuit, program_from_json
from reference_simulator import apply, evaluate_angle, gate_matrix

QUBITS = cirq.LineQubit.range(3)
s, r = sympy.symbols("s r")
VALUES = {"s": 0.37, "r": 1.1}


def unitary_of(program: Program, values: dict[str, float]) -> npt.NDArray[np.complex128]:
    """The tape's unitary as a matrix, qubit 0 least significant, by the reference matrices."""
    assert program.circuit is not None
    params = [values[name] for name in program.parameters]
    columns = np.eye(2**program.num_qubits, dtype=complex)
    for operation in program.circuit.operations:
        if isinstance(operation, tape.Gate):
            matrix = gate_matrix(operation.name, [evaluate_angle(angle, params) for angle in operation.params])
        else:
            assert isinstance(operation, tape.Unitary)
            matrix = np.array(operation.matrix).reshape(2 ** len(operation.qubits), -1)
        for column in range(columns.shape[1]):
            columns[:, column] = apply(columns[:, column].copy(), matrix, operation.qubits)
    return columns


def same_unitary(circuit: cirq.Circuit) -> None:
    program = program_from_circuit(circuit)
    assert program_from_json(program.source) == program  # what is stored runs again as the same tape
    size = 2**program.num_qubits
    reverse = [int(f"{index:0{program.num_qubits}b}"[::-1], 2) for index in range(size)]
    expected = cirq.unitary(cirq.resolve_parameters(circuit, VALUES))[np.ix_(reverse, reverse)]
    got = unitary_of(program, VALUES)

    assert abs(np.trace(expected.conj().T @ got)) / size == pytest.approx(1.0, abs=1e-10)


GATES: list[cirq.Gate] = [
    *(gate**power for gate in (cirq.X, cirq.Y, cirq.Z, cirq.H) for power in (1, 0.5, -0.5, 0.25, -0.25, 0.3, 2, s)),
    *(gate**power for gate in (cirq.CX, cirq.CZ, cirq.SWAP, cirq.ISWAP) for power in (1, -1, 0.5, 0.3, s)),
    *(gate**power for gate in (cirq.XX, cirq.YY, cirq.ZZ) for power in (1, 0.3, s)),
    *(gate**power for gate in (cirq.CCX, cirq.CCZ) for power in (1, 0.3, s)),
    cirq.rx(0.3),
    cirq.ry(s),
    cirq.rz(2 * s + 3 * r + 0.1),
    cirq.rx(s * r),
    cirq.ry(s**2 / r),
    cirq.CSWAP,
    cirq.I,
    cirq.IdentityGate(2),
    cirq.FSimGate(0.3, 0.4),
    cirq.FSimGate(s, r),
    cirq.PhasedFSimGate(0.1, 0.2, 0.3, 0.4, 0.5),
    cirq.PhasedXPowGate(phase_exponent=0.2, exponent=s),
    cirq.PhasedXPowGate(phase_exponent=s, exponent=r),
    cirq.PhasedXZGate(x_exponent=0.1, z_exponent=0.2, axis_phase_exponent=0.3),
    cirq.PhasedXZGate(x_exponent=s, z_exponent=r, axis_phase_exponent=0.3),
    cirq.PhasedISwapPowGate(phase_exponent=0.1, exponent=s),
    cirq.givens(0.3),
    cirq.givens(s),
    cirq.ms(0.3),
    cirq.cphase(0.3),
    cirq.MatrixGate(cirq.testing.random_unitary(2, random_state=1)),
    cirq.MatrixGate(cirq.testing.random_unitary(4, random_state=2)),
    cirq.MatrixGate(cirq.testing.random_unitary(8, random_state=3)),
    cirq.MatrixGate(cirq.testing.random_unitary(2, random_state=4)).controlled(),
    cirq.DiagonalGate([0.1, 0.2, 0.3, 0.4]),
    cirq.QuantumFourierTransformGate(3),
    cirq.PhaseGradientGate(num_qubits=3, exponent=0.3),
    cirq.QubitPermutationGate([2, 0, 1]),
    cirq.DensePauliString("XYZ"),
    cirq.SingleQubitCliffordGate.X_sqrt,
    cirq.X.controlled(1, control_values=[0]),
    cirq.Y.controlled(),
    cirq.H.controlled(),
    cirq.SWAP.controlled(),
    cirq.ZZ.controlled(),
    # A global shift that cannot be seen alone is a phase under a control.
    cirq.rx(s).controlled(),
    cirq.ry(s).controlled(),
    cirq.rz(s).controlled(),
    cirq.rz(0.3).controlled(2),
    cirq.XPowGate(exponent=s, global_shift=0.3).controlled(),
    cirq.YPowGate(exponent=0.4, global_shift=-0.2).controlled(),
    cirq.ZPowGate(exponent=s, global_shift=0.3).controlled(),
    cirq.CXPowGate(exponent=0.4, global_shift=0.3),
    cirq.GlobalPhaseGate(1j).controlled(),
    cirq.GlobalPhaseGate(1j).controlled(2),
]


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: str(gate).split("\n")[0][:40])
def test_every_gate_has_cirqs_unitary(gate: cirq.Gate) -> None:
    targets = list(reversed(QUBITS[: cirq.num_qubits(gate)]))

    same_unitary(cirq.Circuit(cirq.I.on_each(*QUBITS), gate.on(*targets)))


@pytest.mark.parametrize(
    "operation",
    [
        cirq.PauliString({QUBITS[0]: cirq.X, QUBITS[2]: cirq.Y}),
        cirq.PauliStringPhasor(cirq.X(QUBITS[0]) * cirq.Y(QUBITS[1]), exponent_neg=0.3),
        cirq.global_phase_operation(1j),
        cirq.global_phase_operation(1j).controlled_by(QUBITS[1]),
        cirq.X(QUBITS[0]).controlled_by(QUBITS[2], QUBITS[1]),
        cirq.X(QUBITS[0]).with_tags("a tag"),
    ],
    ids=str,
)
def test_operations_that_are_not_plain_gates(operation: cirq.Operation) -> None:
    same_unitary(cirq.Circuit(cirq.I.on_each(*QUBITS), operation))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_random_circuits(seed: int) -> None:
    same_unitary(cirq.testing.random_circuit(3, 6, 0.8, random_state=seed))


def test_common_gates_keep_their_names() -> None:
    q0, q1, q2 = QUBITS
    circuit = cirq.Circuit(
        [cirq.H(q0), cirq.S(q0), cirq.T(q0) ** -1, cirq.CX(q1, q0), cirq.ISWAP(q0, q1), cirq.CCX(q2, q1, q0)]
    )
    program = program_from_circuit(circuit)

    assert program.circuit is not None
    assert program.circuit.operations == (
        tape.Gate("h", (0,)),
        tape.Gate("s", (0,)),
        tape.Gate("tdg", (0,)),
        tape.Gate("cx", (1, 0)),
        tape.Gate("iswap", (0, 1)),
        tape.Gate("ccx", (2, 1, 0)),
    )


def test_symbolic_rotations_are_affine_without_a_stray_pi() -> None:
    program = program_from_circuit(cirq.Circuit(cirq.rx(2 * s + 0.5)(QUBITS[0])))

    assert program.circuit is not None
    assert program.circuit.operations == (tape.Gate("rx", (0,), (tape.Affine(0.5, ((0, 2.0),)),)),)


@given(st.floats(-100, 100))
def test_angles_keep_twelve_digits(angle: float) -> None:
    program = program_from_circuit(cirq.Circuit(cirq.ry(angle)(QUBITS[0])))
    assert program.circuit is not None
    (gate,) = program.circuit.operations

    assert isinstance(gate, tape.Gate)
    params = gate.params or (np.pi,)
    assert evaluate_angle(params[0], ()) == pytest.approx(angle, rel=1e-14, abs=1e-300)
