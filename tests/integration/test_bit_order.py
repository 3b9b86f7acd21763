"""One meaning for bits, whatever SDK a program came from: each case is the same program in every language that has it.

The seed of the list is what went wrong elsewhere: permuted bits, rounded angles, dropped conditions and delays,
register conditions read backwards.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import cirq
import pytest
import sympy
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter

from antiphon.domain import circuits as tape
from antiphon.frontends.parameters import as_array, bind
from antiphon.frontends.recognise import load_program, to_program
from reference_simulator import distribution, evaluate_angle

os.environ.setdefault("QDK_PYTHON_TELEMETRY", "none")

q = cirq.LineQubit.range(4)
Source = Callable[[], Any]


def qsharp(body: str) -> Any:
    qdk = pytest.importorskip("qdk.qsharp")
    qdk.init(target_profile=qdk.TargetProfile.Adaptive_RI)
    qdk.eval("operation Main() : Result[] {" + body + "}")
    return qdk.compile("Main()")


def x_on_one_of_three() -> dict[str, Source]:
    """X on qubit 0 of 3, bit i from qubit i: the 1 stands rightmost."""

    def qiskit() -> QuantumCircuit:
        circuit = QuantumCircuit(3, 3)
        circuit.x(0)
        circuit.measure(range(3), range(3))
        return circuit

    return {
        "qiskit": qiskit,
        "cirq": lambda: cirq.Circuit(cirq.X(q[0]), cirq.I(q[1]), cirq.measure(*q[:3], key="c")),
        "openqasm2": lambda: 'OPENQASM 2.0; include "qelib1.inc"; qreg q[3]; creg c[3]; x q[0]; measure q -> c;',
        "openqasm3": lambda: 'OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; bit[3] c; x q[0]; c = measure q;',
        "qsharp": lambda: qsharp("use q = Qubit[3]; X(q[0]); return MResetEachZ(q);"),
    }


def permuted_measurement() -> dict[str, Source]:
    """X on qubit 0; qubits 0, 1, 2 go to bits 2, 0, 1."""

    def qiskit() -> QuantumCircuit:
        circuit = QuantumCircuit(3, 3)
        circuit.x(0)
        circuit.measure([0, 1, 2], [2, 0, 1])
        return circuit

    return {
        "qiskit": qiskit,
        "cirq": lambda: cirq.Circuit(cirq.X(q[0]), cirq.measure(q[1], q[2], q[0], key="c")),
        "openqasm2": lambda: (
            'OPENQASM 2.0; include "qelib1.inc"; qreg q[3]; creg c[3]; x q[0]; '
            "measure q[0] -> c[2]; measure q[1] -> c[0]; measure q[2] -> c[1];"
        ),
        "openqasm3": lambda: (
            'OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; bit[3] c; x q[0]; '
            "c[2] = measure q[0]; c[0] = measure q[1]; c[1] = measure q[2];"
        ),
        "qsharp": lambda: qsharp("use q = Qubit[3]; X(q[0]); return [MResetZ(q[1]), MResetZ(q[2]), MResetZ(q[0])];"),
    }


def two_registers() -> dict[str, Source]:
    """X on qubit 1; a (2 bits) from qubits 1 and 2, then b (1 bit) from qubit 0: b stands leftmost."""

    def qiskit() -> QuantumCircuit:
        a, b = ClassicalRegister(2, "a"), ClassicalRegister(1, "b")
        circuit = QuantumCircuit(QuantumRegister(3, "q"), a, b)
        circuit.x(1)
        circuit.measure([1, 2, 0], [a[0], a[1], b[0]])
        return circuit

    return {
        "qiskit": qiskit,
        "cirq": lambda: cirq.Circuit(
            cirq.X(q[1]), cirq.Moment(cirq.measure(q[1], q[2], key="a")), cirq.Moment(cirq.measure(q[0], key="b"))
        ),
        "openqasm2": lambda: (
            'OPENQASM 2.0; include "qelib1.inc"; qreg q[3]; creg a[2]; creg b[1]; x q[1]; '
            "measure q[0] -> b[0]; measure q[1] -> a[0]; measure q[2] -> a[1];"
        ),
        "openqasm3": lambda: (
            'OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; bit[2] a; bit[1] b; x q[1]; '
            "b[0] = measure q[0]; a[0] = measure q[1]; a[1] = measure q[2];"
        ),
    }


def condition_on_a_register() -> dict[str, Source]:
    """X on qubit 0, qubits 0 and 1 measured, then X on qubit 2 if the register is 1 - in OpenQASM's sense, bit 0 least.

    Cirq reads the same bits as 2, its first qubit being the most significant; so does its condition here.
    """

    def qiskit() -> QuantumCircuit:
        c, out = ClassicalRegister(2, "c"), ClassicalRegister(1, "out")
        circuit = QuantumCircuit(QuantumRegister(3, "q"), c, out)
        circuit.x(0)
        circuit.measure([0, 1], c)
        with circuit.if_test((c, 1)):
            circuit.x(2)
        circuit.measure(2, out[0])
        return circuit

    return {
        "qiskit": qiskit,
        "cirq": lambda: cirq.Circuit(
            cirq.X(q[0]),
            cirq.measure(q[0], q[1], key="c"),
            cirq.X(q[2]).with_classical_controls(sympy.Eq(sympy.Symbol("c"), 2)),
            cirq.measure(q[2], key="out"),
        ),
        "openqasm2": lambda: (
            'OPENQASM 2.0; include "qelib1.inc"; qreg q[3]; creg c[2]; creg out[1]; x q[0]; '
            "measure q[0] -> c[0]; measure q[1] -> c[1]; if (c == 1) x q[2]; measure q[2] -> out[0];"
        ),
        "openqasm3": lambda: (
            'OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; bit[2] c; bit[1] out; x q[0]; '
            "c[0] = measure q[0]; c[1] = measure q[1]; if (c == 1) { x q[2]; } out[0] = measure q[2];"
        ),
    }


def condition_on_a_bit() -> dict[str, Source]:
    """Feed-forward from qubit 0 to qubit 1, kept whatever the language calls it."""

    def qiskit() -> QuantumCircuit:
        circuit = QuantumCircuit(2, 2)
        circuit.x(0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 0)):
            circuit.x(1)
        circuit.measure(1, 1)
        return circuit

    return {
        "qiskit": qiskit,
        "openqasm3": lambda: (
            'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; x q[0]; c[0] = measure q[0]; '
            "if (!c[0]) { x q[1]; } c[1] = measure q[1];"
        ),
        "qsharp": lambda: qsharp(
            "use q = Qubit[2]; X(q[0]); let a = MResetZ(q[0]); if a == Zero { X(q[1]); } return [a, MResetZ(q[1])];"
        ),
    }


CASES: dict[str, tuple[Callable[[], dict[str, Source]], dict[str, float]]] = {
    "x on one of three": (x_on_one_of_three, {"001": 1.0}),
    "permuted measurement": (permuted_measurement, {"100": 1.0}),
    "two registers": (two_registers, {"0 01": 1.0}),
    "condition on a register": (condition_on_a_register, {"1 01": 1.0}),
    "condition on a bit": (condition_on_a_bit, {"01": 1.0}),
}


@pytest.mark.parametrize(("case", "sdk"), [(case, sdk) for case, (make, _) in CASES.items() for sdk in make()])
def test_the_same_program_has_the_same_outcome_in_every_language(case: str, sdk: str) -> None:
    make, expected = CASES[case]
    program = to_program(make()[sdk]())
    assert program.circuit is not None, program.opaque_because

    assert distribution(program.circuit) == expected
    again = load_program(program.format, program.source, entry_point=program.entry_point)
    assert again.circuit == program.circuit
    assert again.digest == program.digest


ANGLE = 0.1234567890123456


def asymmetric() -> dict[str, Source]:
    """Gates whose qubits cannot be exchanged, at angles with every digit; all eight probabilities differ."""

    def qiskit() -> QuantumCircuit:
        circuit = QuantumCircuit(3, 3)
        circuit.rx(ANGLE, 0)
        circuit.ry(3 * ANGLE, 1)
        circuit.cp(5 * ANGLE, 0, 1)
        circuit.crx(7 * ANGLE, 1, 2)
        circuit.rzz(11 * ANGLE, 0, 2)
        circuit.ry(13 * ANGLE, 0)
        circuit.rx(17 * ANGLE, 2)
        circuit.measure(range(3), range(3))
        return circuit

    gates = (
        f"rx({ANGLE!r}) q[0]; ry(3*{ANGLE!r}) q[1]; cp(5*{ANGLE!r}) q[0], q[1]; crx(7*{ANGLE!r}) q[1], q[2]; "
        f"cx q[0], q[2]; rz(11*{ANGLE!r}) q[2]; cx q[0], q[2]; ry(13*{ANGLE!r}) q[0]; "
        f"rx(17*{ANGLE!r}) q[2];"
    )
    return {
        "qiskit": qiskit,
        "cirq": lambda: cirq.Circuit(
            cirq.rx(ANGLE)(q[0]),
            cirq.ry(3 * ANGLE)(q[1]),
            cirq.cphase(5 * ANGLE)(q[0], q[1]),
            cirq.rx(7 * ANGLE)(q[2]).controlled_by(q[1]),
            cirq.ZZPowGate(exponent=11 * ANGLE / math.pi)(q[0], q[2]),
            cirq.ry(13 * ANGLE)(q[0]),
            cirq.rx(17 * ANGLE)(q[2]),
            cirq.measure(*q[:3], key="c"),
        ),
        "openqasm3": lambda: f'OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; bit[3] c; {gates} c = measure q;',
        "qsharp": lambda: qsharp(
            f"use q = Qubit[3]; let a = {ANGLE!r}; Rx(a, q[0]); Ry(3.0*a, q[1]); Controlled R1([q[0]], (5.0*a, q[1])); "
            "Controlled Rx([q[1]], (7.0*a, q[2])); Rzz(11.0*a, q[0], q[2]); Ry(13.0*a, q[0]); Rx(17.0*a, q[2]); "
            "return MResetEachZ(q);"
        ),
    }


@pytest.mark.parametrize("sdk", list(asymmetric()))
def test_angles_and_qubit_orders_survive_to_twelve_digits(sdk: str) -> None:
    expected = distribution(to_program(asymmetric()["qiskit"]()).circuit)  # type: ignore[arg-type]
    assert len({round(value, 6) for value in expected.values()}) == 8
    program = to_program(asymmetric()[sdk]())
    assert program.circuit is not None

    assert distribution(program.circuit) == pytest.approx(expected, abs=1e-12)


def delayed() -> dict[str, Source]:
    def qiskit() -> QuantumCircuit:
        circuit = QuantumCircuit(2)
        circuit.x(0)
        circuit.delay(100, 1, "ns")
        return circuit

    return {
        "qiskit": qiskit,
        "cirq": lambda: cirq.Circuit(cirq.X(q[0]), cirq.wait(q[1], nanos=100)),
        "openqasm3": lambda: 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; x q[0]; delay[100ns] q[1];',
    }


@pytest.mark.parametrize("sdk", list(delayed()))
def test_delays_are_kept(sdk: str) -> None:
    circuit = to_program(delayed()[sdk]()).circuit
    assert circuit is not None

    (delay,) = (op for op in circuit.operations if isinstance(op, tape.Delay))
    assert delay.qubit == 1
    assert delay.seconds == pytest.approx(1e-7, rel=1e-15)


def parametrised() -> dict[str, Source]:
    def qiskit() -> QuantumCircuit:
        a, b = Parameter("a"), Parameter("b")
        circuit = QuantumCircuit(2)
        circuit.rx(2 * b + 0.5, 0)
        circuit.ry(a * b, 1)
        return circuit

    a, b = sympy.symbols("a b")
    return {
        "qiskit": qiskit,
        "cirq": lambda: cirq.Circuit(cirq.rx(2 * b + 0.5)(q[0]), cirq.ry(a * b)(q[1])),
        "openqasm3": lambda: (
            'OPENQASM 3.0; include "stdgates.inc"; input float a; input float b; qubit[2] q; '
            "rx(2*b + 0.5) q[0]; ry(a*b) q[1];"
        ),
    }


@pytest.mark.parametrize("sdk", list(parametrised()))
def test_parameters_mean_the_same_by_name_and_by_position(sdk: str) -> None:
    program = to_program(parametrised()[sdk]())
    assert program.circuit is not None
    assert program.parameters == ("a", "b")
    by_name, by_position = bind(program, {"b": 0.7, "a": 0.3}), bind(program, [0.3, 0.7])
    assert by_name == by_position
    values = as_array(by_name).tolist()
    rx, ry = (op for op in program.circuit.operations if isinstance(op, tape.Gate))

    assert evaluate_angle(rx.params[0], values) == pytest.approx(1.9, abs=1e-14)
    assert evaluate_angle(ry.params[0], values) == pytest.approx(0.21, abs=1e-14)
