from __future__ import annotations

import cirq
import pytest
import sympy
from qiskit import QuantumCircuit

from antiphon.domain.programs import Profile, Program
from antiphon.frontends.needs import needs_of, profile_refusal
from antiphon.frontends.openqasm import program_from_openqasm
from antiphon.frontends.qir import program_from_qir
from antiphon.frontends.recognise import to_program
from qsharp_programs import qir

RI, RIF, FULL = Profile.ADAPTIVE_RI, Profile.ADAPTIVE_RIF, Profile.ADAPTIVE


def qasm(body: str) -> Program:
    return program_from_openqasm(f'OPENQASM 3.0;\ninclude "stdgates.inc";\n{body}')


@pytest.mark.parametrize(
    ("body", "profile", "instruction", "where"),
    [
        ("qubit q; bit c;\nh q;\nc = measure q;\nx q;", RI, "the gate x on qubit 0", "line 6, column 1: x q;"),
        ("qubit q; bit[2] c;\nh q; c[0] = measure q;\nreset q;", RI, "a reset of qubit 0", "line 5"),
        ("qubit[2] q; bit c;\nc = measure q[0];\nc = measure q[1];", RI, "into classical bit 0", "line 5"),
        ("qubit q; bit[2] c;\nc[0] = measure q;\nif (c[0]) x q;", RI, "a branch", "line 5, column 1: if"),
        (
            "qubit q; bit c;\nif (true) {\n  while (!c) { h q; c = measure q; }\n}",
            FULL,
            "a loop that ends",
            "line 5, column 3",
        ),
        ("qubit q; bit c;\nfor int i in [0:3] {\n  h q; c = measure q;\n  if (c) break;\n}", FULL, "a break", "line 6"),
        (
            "qubit[2] q; bit[2] c; float f;\nc[0] = measure q[0];\nf += c[0] * 0.5;\nrx(f) q[1]; c[1] = measure q[1];",
            RIF,
            "floating-point arithmetic",
            "line 5, column 6",
        ),
        (
            "qubit q; bit c; bit[2] out; int n = 3;\nc = measure q;\nn = n - c;\nout = n;",
            RI,
            "a bit that is computed",
            "line 6",
        ),
    ],
)
def test_the_instruction_that_needs_most_is_named_with_its_place(
    body: str, profile: Profile, instruction: str, where: str
) -> None:
    program = qasm(body)
    assert program.profile is profile
    need = needs_of(program)[-1]
    assert need.profile is profile
    assert instruction in need.instruction
    assert where in need.where
    assert need.way_out


def test_a_program_of_the_base_profile_needs_nothing() -> None:
    assert needs_of(qasm("qubit q; bit c; h q; c = measure q;")) == ()


def test_instructions_of_a_qiskit_circuit_are_counted() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(1)
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.measure(0, 0)
    assert [need.where for need in needs_of(to_program(circuit))] == [
        "instruction 2, if_else",
        "instruction 3, while_loop",
    ]


def test_moments_of_a_cirq_circuit_are_counted() -> None:
    a, b = cirq.LineQubit.range(2)
    circuit = cirq.Circuit(
        cirq.H(a), cirq.measure(a, key="m"), cirq.X(b).with_classical_controls(sympy.Symbol("m") > 0)
    )
    [need] = needs_of(to_program(circuit))
    assert need.where.startswith("moment 2: X(q(1))")


@pytest.mark.parametrize(
    ("name", "profile", "instruction"),
    [
        ("teleport", "Adaptive_RI", "a branch on measured bits"),
        ("count", "Adaptive_RI", "arithmetic on what was measured"),
        ("double", "Adaptive_RIF", "floating-point arithmetic on what was measured"),
        ("repeat_until_success", "Adaptive", "a loop that ends on a measurement"),
        ("angle_of_turns", "Adaptive", "a number without a bound"),
    ],
)
def test_qsharp_programs_say_what_they_need(name: str, profile: str, instruction: str) -> None:
    program = program_from_qir(qir(name, profile))
    need = needs_of(program)[-1]
    assert need.profile is program.profile
    assert instruction in need.instruction


def test_a_refusal_names_instruction_place_and_way_out() -> None:
    error = profile_refusal(qasm("qubit q; bit c;\nwhile (!c) { h q; c = measure q; }"), RI, "qpu.x")
    assert error.code == "profile-unsupported"
    assert "qpu.x offers Adaptive_RI" in error.message
    assert "line 4" in error.cause
    assert "Unroll the loop" in error.next_step
    assert "sim.auto" in error.next_step
    assert error.details["instruction"] == "a loop that ends on a measurement"
    assert error.details["needed"] == "Adaptive"
