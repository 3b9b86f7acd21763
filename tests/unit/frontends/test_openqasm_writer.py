from __future__ import annotations

import pytest

from antiphon.domain.circuits import (
    Affine,
    AllOf,
    AssignBit,
    Barrier,
    Bit,
    Call,
    Circuit,
    Delay,
    For,
    Gate,
    If,
    Measure,
    Not,
    Operation,
    Parity,
    Register,
    Reset,
    Unitary,
    While,
)
from antiphon.frontends.openqasm import program_from_openqasm
from antiphon.frontends.openqasm_writer import to_openqasm3


def circuit(*operations: Operation, parameters: tuple[str, ...] = ()) -> Circuit:
    return Circuit(2, (Register("c", 2, 0),), parameters, operations)


@pytest.mark.parametrize(
    "operations",
    [
        (Gate("h", (0,)), Gate("cx", (0, 1)), Measure(0, 0), Measure(1, 1)),
        (Gate("rx", (0,), (0.1234567890123456789,)), Measure(0, 1)),
        (Reset(0), Barrier((0, 1)), Delay(1, 1e-7), Measure(1, 0)),
        (Measure(0, 0), If(Bit(0), (Gate("x", (1,)),), (Gate("z", (1,)),)), Measure(1, 1)),
        (While(Not(Bit(0)), (Reset(0), Gate("h", (0,)), Measure(0, 0))),),
        (Measure(0, 0), Measure(1, 1), If(AllOf((Bit(0), Not(Bit(1)))), (Gate("x", (0,)),))),
        (Measure(0, 0), Measure(1, 1), If(Parity((Bit(0), Bit(1))), (Gate("x", (0,)),))),
    ],
)
def test_what_is_written_reads_back_the_same(operations: tuple[Operation, ...]) -> None:
    written = circuit(*operations)
    read = program_from_openqasm(to_openqasm3(written)).circuit
    assert read is not None
    assert read.registers == written.registers
    assert read.operations == written.operations


def test_parameters_are_inputs_with_every_digit() -> None:
    written = circuit(Gate("rz", (0,), (Affine(0.1, ((0, 2.0),)),)), Measure(0, 0), parameters=("theta",))
    text = to_openqasm3(written)
    assert "input float theta;" in text
    read = program_from_openqasm(text).circuit
    assert read is not None
    assert read.parameters == ("theta",)
    assert read.operations == written.operations


def test_names_that_are_no_identifiers_are_told_apart_and_remembered() -> None:
    registers = (Register("q(0)", 1, 0), Register("q", 1, 1), Register("1st", 1, 2))
    written = Circuit(1, registers, ("a b", "a_b"), (Gate("rx", (0,), (Affine(0.0, ((1, 1.0),)),)), Measure(0, 2)))
    text = to_openqasm3(written)
    assert "// q(0)" in text
    read = program_from_openqasm(text).circuit
    assert read is not None
    assert [register.size for register in read.registers] == [1, 1, 1]
    assert read.operations == written.operations


def test_what_openqasm_cannot_say_is_a_comment() -> None:
    text = to_openqasm3(circuit(Unitary((1, 0, 0, 1j), (0,)), AssignBit(0, True), Measure(0, 1)))
    assert "// unitary" in text
    assert "c[0] = true;" in text


def test_loops_whose_turns_differ_say_so() -> None:
    loop = For(((Gate("rx", (0,), (0.1,)),), (Gate("rx", (0,), (0.2,)),)))
    text = to_openqasm3(circuit(loop, For(((Gate("x", (0,)),),) * 3), Measure(0, 0)))
    assert "case 1 {" in text
    assert "for int _i in [1:3] {" in text


def test_functions_of_parameters() -> None:
    angle = Call("mul", (Call("sin", (Affine(0.0, ((0, 1.0),)),)), 2.0))
    text = to_openqasm3(circuit(Gate("p", (0,), (angle,)), parameters=("x",)))
    assert "(sin(1.0*x) * 2.0)" in text
