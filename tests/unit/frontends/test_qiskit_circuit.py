import math
from typing import Any

import numpy as np
import pytest
import qiskit_aer  # noqa: F401 - gives circuits `save_statevector`
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import (
    AnnotatedOperation,
    Clbit,
    ControlModifier,
    Duration,
    Gate,
    InverseModifier,
    Parameter,
    ParameterVector,
    PowerModifier,
    library,
)
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit.quantum_info import Clifford, Kraus, Operator, SparsePauliOp, Statevector, random_unitary

from antiphon.domain import circuits as tape
from antiphon.domain.gates import GATES
from antiphon.domain.programs import Profile, Program
from antiphon.errors import LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends.qiskit import program_from_circuit
from qiskit_tapes import read
from reference_simulator import distribution, state_vector


def same_state(circuit: QuantumCircuit, values: dict[str, float] | None = None) -> None:
    """The tape prepares the state that Qiskit's own Statevector does, up to a global phase."""
    values = values or {}
    converted = read(circuit)
    bound = circuit.assign_parameters({p: values[p.name] for p in circuit.parameters})
    expected = Statevector(bound).data
    got = state_vector(converted, [values[name] for name in converted.parameters])
    assert abs(np.vdot(expected, got)) == pytest.approx(1.0, abs=1e-12)


def scrambled(num_qubits: int) -> QuantumCircuit:
    """A state in which no two gates, and no two orders of their qubits, act alike."""
    circuit = QuantumCircuit(num_qubits)
    for qubit in range(num_qubits):
        circuit.u(0.3 + qubit, 0.5 + 0.7 * qubit, 0.2 - qubit, qubit)
    for qubit in range(num_qubits - 1):
        circuit.crx(0.4 + qubit, qubit, qubit + 1)
    return circuit


UNITARY = {
    name: gate
    for name, gate in get_standard_gate_name_mapping().items()
    if name not in {"measure", "reset", "delay", "global_phase"}
}


@pytest.mark.parametrize("name", sorted(UNITARY))
def test_every_standard_gate(name: str) -> None:
    gate = type(UNITARY[name])(*[0.37 + 0.41 * index for index in range(len(UNITARY[name].params))])
    circuit = scrambled(gate.num_qubits)
    circuit.append(gate, list(reversed(range(gate.num_qubits))))

    same_state(circuit)
    if name in GATES:
        assert read(circuit).operations[-1] == tape.Gate(
            name, tuple(reversed(range(gate.num_qubits))), tuple(gate.params)
        )


def test_every_gate_of_the_table_is_a_standard_gate_of_qiskit() -> None:
    assert set(GATES) <= set(UNITARY)


def library_gates() -> list[Any]:
    sub = QuantumCircuit(2, name="sub")
    sub.h(0)
    sub.cp(0.3, 0, 1)
    return [
        library.CXGate(ctrl_state=0),
        library.RYGate(0.3).control(2, ctrl_state=1, annotated=False),
        library.RYGate(0.3).control(2, ctrl_state=1, annotated=True),
        library.C3XGate(),
        library.C4XGate(),
        library.MCXGate(3),
        library.MCPhaseGate(0.4, 2),
        library.GlobalPhaseGate(0.3).control(1, annotated=False),
        library.GlobalPhaseGate(0.3).control(1, annotated=True),
        library.UnitaryGate(random_unitary(4, seed=1)),
        library.UnitaryGate(random_unitary(8, seed=2)),
        library.UnitaryGate(random_unitary(4, seed=1)).control(1, annotated=False),
        library.DiagonalGate([1, 1j, -1, np.exp(0.3j)]),
        library.PermutationGate([2, 0, 1]),
        library.PauliGate("XYZ"),
        library.QFTGate(3),
        library.LinearFunction([[1, 1], [0, 1]]),
        library.PauliEvolutionGate(SparsePauliOp(["XX", "ZZ"]), 0.3),
        library.StatePreparation([0.6, 0, 0, 0.8]),
        library.RVGate(0.1, 0.2, 0.3),
        library.PhaseGate(0.3).to_mutable(),
        sub.to_gate(),
        sub.to_gate().control(1, annotated=True),
        sub.to_gate().inverse(),
        AnnotatedOperation(library.SGate(), [ControlModifier(1, 0)]),
        AnnotatedOperation(library.SXGate(), [PowerModifier(3), InverseModifier(), ControlModifier(2)]),
        Clifford(library.iSwapGate()),
    ]


@pytest.mark.filterwarnings("ignore:sp")  # SciPy, in Qiskit's own matrix of an evolution
@pytest.mark.parametrize("gate", library_gates(), ids=lambda gate: gate.name)
def test_other_gates_by_their_definition(gate: Any) -> None:
    circuit = QuantumCircuit(gate.num_qubits)
    if not isinstance(gate, library.StatePreparation):
        circuit = scrambled(gate.num_qubits)
    circuit.append(gate, list(reversed(range(gate.num_qubits))))

    same_state(circuit)


def test_a_gate_of_the_users_own_is_not_taken_for_a_standard_one_of_that_name() -> None:
    own = Gate("x", 1, [])
    own.definition = QuantumCircuit(1)
    own.definition.h(0)
    circuit = QuantumCircuit(1)
    circuit.append(own, [0])

    assert read(circuit).operations == (tape.Gate("h", (0,)),)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_random_circuits_prepare_the_same_state(seed: int) -> None:
    from qiskit.circuit.random import random_circuit

    same_state(random_circuit(4, 4, max_operands=4, seed=seed))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_angles_keep_every_bit(angle: float) -> None:
    circuit = QuantumCircuit(2)
    circuit.cp(angle, 0, 1)
    circuit.rzz(angle, 1, 0)

    assert [operation.params for operation in read(circuit).operations] == [(angle,), (angle,)]  # type: ignore[union-attr]


# --- parameters


def test_parameters_keep_qiskits_order() -> None:
    vector, alpha = ParameterVector("v", 12), Parameter("alpha")
    circuit = QuantumCircuit(1)
    for element in reversed(vector):
        circuit.rx(element, 0)
    circuit.rz(alpha, 0)

    assert read(circuit).parameters == tuple(parameter.name for parameter in circuit.parameters)
    assert read(circuit).parameters[:3] == ("alpha", "v[0]", "v[1]")


def test_expressions_keep_their_value() -> None:
    a, b = Parameter("a"), Parameter("b")
    circuit = scrambled(2)
    circuit.rx(2 * a + 0.1 - b / 3, 0)
    circuit.ry((a * b).sin() + a.exp() / (b + 2), 1)
    circuit.rz(-(a**2) + b.cos() * b.tan() + abs(b), 0)
    circuit.p(a.arctan() + (a / 2).arcsin() + (b / 3).arccos() + b.log(), 1)
    circuit.append(library.U3Gate(a, b, a + b), [0])
    circuit.append(library.CU3Gate(a, b, a - b), [1, 0])
    circuit.append(library.CU1Gate(a), [0, 1])
    circuit.append(library.U2Gate(a, b), [1])
    circuit.append(library.SXGate().control(1, annotated=True), [0, 1])

    same_state(circuit, {"a": 0.37, "b": 1.21})


def test_affine_expressions_are_affine() -> None:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.rx(2 * a + 0.1 - b / 4, 0)
    (gate,) = read(circuit).operations

    assert gate == tape.Gate("rx", (0,), (tape.Affine(0.1, ((0, 2.0), (1, -0.25))),))


def test_angles_must_be_finite_and_real() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(math.inf, 0)
    with pytest.raises(ProgramError, match="rx"):
        program_from_circuit(circuit)


def test_a_function_without_counterpart_is_refused_by_name() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("a").sign(), 0)
    with pytest.raises(UnsupportedProgramError, match="sign"):
        program_from_circuit(circuit)


# --- registers, measurements, delays


def test_registers_in_order_then_loose_bits() -> None:
    a, b = ClassicalRegister(2, "a"), ClassicalRegister(1, "b")
    circuit = QuantumCircuit(QuantumRegister(3), [Clbit()], b, [Clbit()], a)
    circuit.measure([0, 1, 2], [circuit.clbits[0], circuit.clbits[2], a[1]])
    converted = read(circuit)

    assert [(r.name, r.size, r.offset) for r in converted.registers] == [
        ("b", 1, 0),
        ("a", 2, 1),
        ("_bit0", 1, 3),
        ("_bit1", 1, 4),
    ]
    assert converted.operations == (tape.Measure(0, 3), tape.Measure(1, 4), tape.Measure(2, 2))


def test_a_bit_in_two_registers_makes_the_program_opaque() -> None:
    first = ClassicalRegister(2, "a")
    circuit = QuantumCircuit(QuantumRegister(1), first, ClassicalRegister(name="b", bits=[first[1]]))
    program = program_from_circuit(circuit)

    assert program.circuit is None
    assert "b[0]" in program.opaque_because
    assert program.num_qubits == 1


@pytest.mark.parametrize(
    ("duration", "unit", "seconds"),
    [(100, "ns", 1e-7), (3, "us", 3e-6), (0.5, "ms", 5e-4), (2, "s", 2.0), (7, "ps", 7e-12)],
)
def test_delays_are_kept_in_seconds(duration: float, unit: str, seconds: float) -> None:
    circuit = QuantumCircuit(2)
    circuit.delay(duration, 1, unit)
    circuit.barrier(1, 0)

    assert read(circuit).operations == (tape.Delay(1, seconds), tape.Barrier((1, 0)))


def test_a_constant_duration_expression_is_a_delay() -> None:
    circuit = QuantumCircuit(1)
    circuit.delay(expr.lift(Duration.ns(20)), 0)

    assert read(circuit).operations == (tape.Delay(0, 2e-8),)


def test_a_delay_in_dt_is_refused_with_the_way_out() -> None:
    circuit = QuantumCircuit(1)
    circuit.delay(100, 0)
    with pytest.raises(UnsupportedProgramError, match="dt") as caught:
        program_from_circuit(circuit)
    assert "ns" in caught.value.next_step


def test_initialize_resets_and_prepares() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.x([0, 1])
    circuit.initialize([0.6, 0, 0, 0.8])
    circuit.measure([0, 1], [0, 1])

    assert distribution(read(circuit)) == pytest.approx({"00": 0.36, "11": 0.64})


def test_definitions_that_double_themselves_are_refused() -> None:
    gate = library.XGate()
    for level in range(40):
        circuit = QuantumCircuit(1, name=f"twice{level}")
        circuit.append(gate, [0])
        circuit.append(gate, [0])
        gate = Gate(f"twice{level}", 1, [])  # circuit.to_gate() would copy, and so double, the definition
        gate.definition = circuit
    top = QuantumCircuit(1)
    top.append(gate, [0])
    with pytest.raises(LimitError):
        program_from_circuit(top)


def opaque_circuits() -> list[tuple[str, QuantumCircuit]]:
    given = QuantumCircuit(1, 1)
    with given.if_test(given.add_input("flag", types.Bool())):
        given.x(0)
    endless = QuantumCircuit(1, 1)
    total = endless.add_var("total", expr.lift(0.0, types.Float()))
    endless.h(0)
    endless.measure(0, 0)
    with endless.while_loop(expr.less(total, expr.lift(1e9, types.Float()))):
        with endless.if_test((endless.clbits[0], 1)):
            endless.store(total, expr.add(total, expr.lift(0.5, types.Float())))
        endless.measure(0, 0)
    stretch = QuantumCircuit(1)
    stretch.delay(stretch.add_stretch("s"), 0)
    return [
        ("variable", given),
        ("takes more than 64 values", endless),
        ("delay", stretch),
    ]


@pytest.mark.parametrize(
    ("word", "circuit"), opaque_circuits(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_the_tape_has_no_word_for_is_opaque_with_the_reason(word: str, circuit: QuantumCircuit) -> None:
    program: Program = program_from_circuit(circuit)

    assert program.circuit is None
    assert word in program.opaque_because
    assert program.profile is Profile.UNRESTRICTED


def undefined_instructions() -> list[tuple[str, QuantumCircuit]]:
    simulator = QuantumCircuit(1)
    simulator.save_statevector()
    channel = QuantumCircuit(1)
    channel.append(Kraus([np.diag([1.0, 0.8]), np.array([[0.0, 0.6], [0.0, 0.0]])]).to_instruction(), [0])
    unknown = QuantumCircuit(1)
    unknown.append(Gate("mystery", 1, []), [0])
    return [("save_statevector", simulator), ("kraus", channel), ("mystery", unknown)]


@pytest.mark.parametrize(
    ("name", "circuit"), undefined_instructions(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_instruction_without_a_definition_is_refused_by_name(name: str, circuit: QuantumCircuit) -> None:
    with pytest.raises(UnsupportedProgramError, match=f"'{name}'") as caught:
        program_from_circuit(circuit)
    assert "definition" in caught.value.next_step


def test_operators_of_the_library_keep_the_order_of_their_qubits() -> None:
    matrix = random_unitary(8, seed=5)
    circuit = QuantumCircuit(3)
    circuit.append(library.UnitaryGate(matrix), [2, 0, 1])
    (operation,) = read(circuit).operations

    assert isinstance(operation, tape.Unitary)
    assert operation.qubits == (2, 0, 1)
    assert np.array_equal(np.array(operation.matrix).reshape(8, 8), Operator(matrix).data)
