import math
from typing import Any

import numpy as np
import pytest
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
from qiskit_aer import AerSimulator

from antiphon.domain import circuits as tape
from antiphon.domain.gates import GATES
from antiphon.domain.programs import Profile, Program
from antiphon.errors import LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends.qiskit import program_from_circuit, program_from_qpy
from reference_simulator import distribution, state_vector, total_variation


def read(circuit: QuantumCircuit) -> tape.Circuit:
    program = program_from_circuit(circuit)
    assert program.circuit is not None, program.opaque_because
    assert program_from_qpy(program.source).circuit == program.circuit  # what is stored runs again as the same tape
    return program.circuit


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


# --- control flow


def deterministic(circuit: QuantumCircuit) -> dict[str, float]:
    """What Aer says of a circuit with one outcome."""
    counts = AerSimulator().run(circuit, shots=20, seed_simulator=1).result().get_counts()
    return {key: value / 20 for key, value in counts.items()}


def register_circuit(value: int) -> tuple[QuantumCircuit, ClassicalRegister, ClassicalRegister]:
    c, flags = ClassicalRegister(3, "c"), ClassicalRegister(6, "flags")
    circuit = QuantumCircuit(QuantumRegister(9), c, flags)
    for position in range(3):
        if value >> position & 1:
            circuit.x(position)
        circuit.measure(position, c[position])
    return circuit, c, flags


@pytest.mark.parametrize("value", range(8))
def test_registers_compare_with_bit_0_least_significant(value: int) -> None:
    circuit, c, flags = register_circuit(value)
    conditions = [
        (c, 3),
        (c[2], 1),
        expr.less(c, 3),
        expr.logic_and(expr.greater(c, 1), expr.not_equal(c, 6)),
        expr.less_equal(3, c),
        expr.equal(expr.bit_and(c, 5), 0),
    ]
    for number, condition in enumerate(conditions):
        with circuit.if_test(condition):
            circuit.x(3 + number)
        circuit.measure(3 + number, flags[number])
    expected = [value == 3, value >= 4, value < 3, 1 < value != 6, value >= 3, value & 5 == 0]
    text = "".join(str(int(flag)) for flag in reversed(expected)) + f" {value:03b}"

    assert distribution(read(circuit)) == {text: 1.0}
    assert deterministic(circuit) == {text: 1.0}


@pytest.mark.parametrize("value", range(8))
def test_bitwise_expressions(value: int) -> None:
    circuit, c, flags = register_circuit(value)
    conditions = [
        expr.equal(expr.bit_xor(c, 5), 2),
        expr.equal(expr.bit_or(c, expr.lift(1, types.Uint(3))), 7),
        expr.equal(expr.bit_not(c), 4),
        expr.equal(expr.shift_left(c, 1), 6),
        expr.equal(expr.shift_right(c, 1), 3),
        expr.index(c, 1),
    ]
    for number, condition in enumerate(conditions):
        with circuit.if_test(condition):
            circuit.x(3 + number)
        circuit.measure(3 + number, flags[number])
    expected = [value ^ 5 == 2, value | 1 == 7, 7 - value == 4, (value << 1) & 7 == 6, value >> 1 == 3, value >> 1 & 1]
    text = "".join(str(int(flag)) for flag in reversed(expected)) + f" {value:03b}"

    assert distribution(read(circuit)) == {text: 1.0}


def test_casts_keep_numbers() -> None:
    c = ClassicalRegister(2, "c")
    circuit = QuantumCircuit(QuantumRegister(2), c)
    circuit.x(1)
    circuit.measure([0, 1], c)
    with circuit.if_test(expr.equal(expr.cast(c, types.Uint(4)), expr.lift(2, types.Uint(4)))):
        circuit.x(0)
    with circuit.if_test(expr.cast(c, types.Bool())):
        circuit.x(1)
    # Aer 0.17 takes the logical negation of a number for the bitwise one; Qiskit's types say it is "equals zero".
    with circuit.if_test(expr.logic_not(c)):
        circuit.x(0)
    circuit.measure([0, 1], c)

    assert distribution(read(circuit)) == {"01": 1.0}


@pytest.mark.parametrize("value", range(4))
def test_switch_takes_the_first_case_that_matches(value: int) -> None:
    c, out = ClassicalRegister(2, "c"), ClassicalRegister(2, "out")
    circuit = QuantumCircuit(QuantumRegister(4), c, out)
    for position in range(2):
        if value >> position & 1:
            circuit.x(position)
    circuit.measure([0, 1], c)
    with circuit.switch(c) as case:
        with case(1):
            circuit.x(2)
        with case(2, 3):
            circuit.x(3)
        with case(case.DEFAULT):
            circuit.x([2, 3])
    circuit.measure([2, 3], out)

    assert distribution(read(circuit)) == {f"{ {0: '11', 1: '01', 2: '10', 3: '10'}[value] } {value:02b}": 1.0}
    assert deterministic(circuit) == distribution(read(circuit))


def test_else_nested_conditions_and_permuted_bits() -> None:
    circuit = QuantumCircuit(3, 3)
    circuit.x(0)
    circuit.measure(0, 2)
    with circuit.if_test((circuit.clbits[2], 0)) as otherwise:
        circuit.x(1)
    with otherwise, circuit.if_test((circuit.clbits[2], 1)):
        circuit.x(2)
    circuit.measure([1, 2], [1, 0])

    assert distribution(read(circuit)) == {"101": 1.0}
    assert read(circuit).registers == (tape.Register("c", 3, 0),)


def test_blocks_built_by_hand_map_bits_by_position() -> None:
    body = QuantumCircuit(2, 1)
    body.x(0)
    body.measure(0, 0)
    circuit = QuantumCircuit(3, 2)
    circuit.if_else((circuit.clbits[0], False), body, None, [2, 0], [1])

    (branch,) = read(circuit).operations
    assert branch == tape.If(tape.Not(tape.Bit(0)), (tape.Gate("x", (2,)), tape.Measure(2, 1)))


def test_instructions_with_measurements_inside() -> None:
    sub = QuantumCircuit(2, 2)
    sub.x(0)
    sub.measure([0, 1], [1, 0])
    circuit = QuantumCircuit(3, 3)
    circuit.append(sub.to_instruction(), [2, 1], [0, 2])

    assert read(circuit).operations == (tape.Gate("x", (2,)), tape.Measure(2, 2), tape.Measure(1, 0))


def test_a_while_loop_repeats_until_the_bit_changes() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.h(0)
        circuit.measure(0, 0)
    program = program_from_circuit(circuit)

    assert distribution(read(circuit)) == pytest.approx({"0": 1.0}, abs=1e-9)
    assert program.profile is Profile.ADAPTIVE


def test_a_for_loop_nobody_leaves_is_its_bodies_in_a_row() -> None:
    circuit = QuantumCircuit(2)
    outer = Parameter("outer")
    with circuit.for_loop((3, 1), loop_parameter=outer):
        circuit.rx(outer * 0.5, 0)
        with circuit.for_loop(range(2)) as inner:
            circuit.ry(inner + outer, 1)
    program = program_from_circuit(circuit)

    assert [operation.params for operation in read(circuit).operations] == [  # type: ignore[union-attr]
        (1.5,),
        (3.0,),
        (4.0,),
        (0.5,),
        (1.0,),
        (2.0,),
    ]
    assert program.profile is Profile.BASE
    assert program.parameters == ()


def test_break_and_continue_stay_inside_their_loop() -> None:
    circuit = QuantumCircuit(3, 3)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.for_loop(range(3)) as turn:
        circuit.rx(math.pi * (turn + 1), 1)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.break_loop()
        circuit.x(2)
    circuit.measure([1, 2], [1, 2])
    (_, _, loop, *_) = read(circuit).operations

    assert isinstance(loop, tape.For)
    assert len(loop.bodies) == 3
    assert distribution(read(circuit)) == pytest.approx({"011": 1.0})
    assert deterministic(circuit) == {"011": 1.0}


def test_continue_skips_the_rest_of_a_turn() -> None:
    circuit = QuantumCircuit(2, 2)
    with circuit.for_loop(range(3)):
        circuit.x(0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.continue_loop()
        circuit.x(1)
    circuit.measure(1, 1)

    assert distribution(read(circuit)) == deterministic(circuit) == {"11": 1.0}


def test_a_loop_variable_in_a_condition() -> None:
    circuit = QuantumCircuit(4, 4)
    body = QuantumCircuit(4, 4)
    variable = body.add_input("i", types.Uint(2))
    with body.if_test(expr.equal(variable, expr.lift(2, types.Uint(2)))):
        body.x(0)
    body.x(1)
    circuit.for_loop(range(3), variable, body, range(4), range(4))
    circuit.measure(range(4), range(4))

    assert distribution(read(circuit)) == {"0011": 1.0}


def test_a_box_is_its_body() -> None:
    circuit = QuantumCircuit(2)
    with circuit.box():
        circuit.cx(1, 0)

    assert read(circuit).operations == (tape.Gate("cx", (1, 0)),)


def test_a_loop_too_long_is_refused_before_it_is_unrolled() -> None:
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(10**9)) as turn:
        circuit.rx(turn * 0.1, 0)
    with pytest.raises(LimitError, match="1,000,000"):
        program_from_circuit(circuit)


def test_nested_loops_and_empty_bodies_are_counted_too() -> None:
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(2000)), circuit.for_loop(range(2000)):
        circuit.x(0)
    with pytest.raises(LimitError):
        program_from_circuit(circuit)

    empty = QuantumCircuit(1)
    empty.for_loop(range(10**9), None, QuantumCircuit(1), [0], [])
    with pytest.raises(LimitError):
        program_from_circuit(empty)


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


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.data())
def test_random_dynamic_circuits_agree_with_aer(data: st.DataObject) -> None:
    a, b = ClassicalRegister(2, "a"), ClassicalRegister(2, "b")
    circuit = QuantumCircuit(QuantumRegister(3), a, b)
    bits = [*a, *b]
    for _ in range(data.draw(st.integers(2, 5))):
        qubit, bit = data.draw(st.integers(0, 2)), data.draw(st.integers(0, 3))
        circuit.ry(data.draw(st.sampled_from([0.4, 1.1, 2.0])), qubit)
        circuit.cx(qubit, (qubit + 1) % 3)
        circuit.measure(qubit, bits[bit])
        choice = data.draw(st.integers(0, 3))
        condition: Any = [
            (a, data.draw(st.integers(0, 3))),
            (bits[bit], data.draw(st.booleans())),
            expr.less(a, b),
            expr.logic_or(expr.equal(b, 2), bits[0]),
        ][choice]
        with circuit.if_test(condition) as otherwise:
            circuit.x((qubit + 1) % 3)
        with otherwise:
            circuit.reset((qubit + 2) % 3)
    circuit.measure([0, 1], b)
    shots = 2000
    counts = AerSimulator().run(circuit, shots=shots, seed_simulator=7).result().get_counts()

    assert total_variation(counts, distribution(read(circuit))) < 0.08


def test_operators_of_the_library_keep_the_order_of_their_qubits() -> None:
    matrix = random_unitary(8, seed=5)
    circuit = QuantumCircuit(3)
    circuit.append(library.UnitaryGate(matrix), [2, 0, 1])
    (operation,) = read(circuit).operations

    assert isinstance(operation, tape.Unitary)
    assert operation.qubits == (2, 0, 1)
    assert np.array_equal(np.array(operation.matrix).reshape(8, 8), Operator(matrix).data)
