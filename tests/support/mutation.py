"""Valid programs of every format, and Hypothesis strategies that damage them."""

from __future__ import annotations

import base64
import io
import json
from functools import cache
from typing import Any

import cirq
import pyqir
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Parameter

from programs import BELL

QIR = """
%Qubit = type opaque
%Result = type opaque

define i64 @main() #0 {
entry:
  call void @__quantum__qis__h__body(%Qubit* inttoptr (i64 0 to %Qubit*))
  call void @__quantum__qis__cnot__body(%Qubit* inttoptr (i64 0 to %Qubit*), %Qubit* inttoptr (i64 1 to %Qubit*))
  call void @__quantum__qis__mz__body(%Qubit* inttoptr (i64 0 to %Qubit*), %Result* inttoptr (i64 0 to %Result*))
  call void @__quantum__rt__result_record_output(%Result* inttoptr (i64 0 to %Result*), i8* null)
  ret i64 0
}

declare void @__quantum__qis__h__body(%Qubit*)
declare void @__quantum__qis__cnot__body(%Qubit*, %Qubit*)
declare void @__quantum__qis__mz__body(%Qubit*, %Result*)
declare void @__quantum__rt__result_record_output(%Result*, i8*)

attributes #0 = { "entry_point" "qir_profiles"="base_profile" "required_num_qubits"="2" "required_num_results"="1" }
"""
LOOPS = """OPENQASM 3.0;
include "stdgates.inc";
input float theta;
gate turn(a) x { rz(a/2) x; rz(a/2) x; }
qubit[3] q;
bit[3] c;
for int i in [0:2] { turn(theta*i) q[i]; }
if (c[0] == 1) { ctrl @ x q[0], q[1]; }
c = measure q;
"""
OLD = """OPENQASM 2.0;
include "qelib1.inc";
gate g(t) a { rx(t) a; }
qreg q[2];
creg c[2];
g(pi/3) q[0];
cx q[0], q[1];
if (c==1) x q[0];
measure q -> c;
"""
FORMATS = ("qpy", "cirq-json", "openqasm2", "openqasm3", "qir-text", "qir-bitcode", "ionq-json")


@cache
def valid(kind: str) -> bytes:
    """A small program of the format that uses much of it."""
    match kind:
        case "qpy":
            circuit = QuantumCircuit(3, 3)
            circuit.h(0)
            circuit.rx(Parameter("t") * 2, 1)
            circuit.measure(0, 0)
            with circuit.if_test((circuit.clbits[0], 1)):
                circuit.x(1)
            with circuit.for_loop(range(3)):
                circuit.cx(0, 2)
            buffer = io.BytesIO()
            qpy.dump(circuit, buffer)
            return buffer.getvalue()
        case "cirq-json":
            a, b = cirq.LineQubit.range(2)
            inner = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(a) ** 0.5), repetitions=2)
            circuit_of_cirq = cirq.Circuit(cirq.H(a), cirq.CNOT(a, b), inner, cirq.measure(a, b, key="m"))
            return cirq.to_json(circuit_of_cirq).encode()
        case "openqasm2":
            return OLD.encode()
        case "openqasm3":
            return LOOPS.encode()
        case "qir-text":
            return QIR.encode()
        case "qir-bitcode":
            return bytes(pyqir.Module.from_ir(pyqir.Context(), QIR).bitcode)
        case "ionq-json":
            return json.dumps(
                {"qubits": 2, "circuit": [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}]}
            ).encode()
    raise ValueError(kind)


def body_of(kind: str, source: bytes) -> dict[str, Any]:
    """A submit of it that is over soon."""
    return {
        "target": "sim.auto",
        "shots": 5,
        "max_seconds": 2,
        "program": {"format": kind, "encoding": "base64", "source": base64.b64encode(source).decode()},
    }


BELL_BODY: dict[str, Any] = {"target": "sim.auto", "shots": 5, "program": BELL}

_TOKENS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b"null",
    b"-1",
    b"1e999",
    b"9" * 20,
    b"\0",
    b"\xff\xff\xff\xff",
    b'"',
    b"\xc3(",
)


def damaged(source: bytes) -> st.SearchStrategy[bytes]:
    """`source` with bytes changed, put in, taken out or repeated, in a few places."""
    place = st.integers(0, max(0, len(source) - 1))
    change = st.one_of(
        st.tuples(st.just("set"), place, st.binary(min_size=1, max_size=4)),
        st.tuples(st.just("put"), place, st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from(_TOKENS))),
        st.tuples(st.just("cut"), place, st.integers(1, 40)),
        st.tuples(st.just("repeat"), place, st.integers(1, 60)),
        st.tuples(st.just("digit"), place, st.integers(0, 9)),
    )
    return st.lists(change, min_size=1, max_size=4).map(lambda changes: _apply(source, changes))


def _apply(source: bytes, changes: list[Any]) -> bytes:
    for how, place, what in changes:
        at = min(place, len(source))
        match how:
            case "set":
                source = source[:at] + what + source[at + len(what) :]
            case "put":
                source = source[:at] + what + source[at:]
            case "cut":
                source = source[:at] + source[at + what :]
            case "repeat":
                source = source[:at] + source[at : at + what] * 30 + source[at:]
            case "digit":
                digits = [index for index in range(at, len(source)) if source[index : index + 1].isdigit()]
                if digits:
                    source = source[: digits[0]] + str(what).encode() * 9 + source[digits[0] + 1 :]
    return source
