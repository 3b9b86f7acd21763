"""Branches, loops and conditions of Qiskit's circuits."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.classical import expr, types
from qiskit_aer import AerSimulator

from antiphon.domain import circuits as tape
from antiphon.domain.programs import Profile
from antiphon.errors import LimitError
from antiphon.frontends.qiskit import program_from_circuit
from qiskit_tapes import read
from reference_simulator import distribution, total_variation


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
