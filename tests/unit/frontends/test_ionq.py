import cmath
import json
import math
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, SparsePauliOp
from scipy.linalg import expm

from antiphon.domain.circuits import Gate, Measure
from antiphon.domain.programs import Profile, ProgramFormat
from antiphon.errors import LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends.codec import FrontendCodec
from antiphon.frontends.ionq import program_from_ionq
from antiphon.frontends.recognise import to_program

THETA = 0.7

Entry = dict[str, Any]


def source(*circuit: Entry, qubits: int = 3, **more: Any) -> bytes:
    return json.dumps({"gateset": "qis", "qubits": qubits, "circuit": circuit, **more}).encode()


def operator(body: bytes) -> Operator:
    """What the tape's gates do, by Qiskit's matrices of the same names."""
    circuit = program_from_ionq(body).circuit
    assert circuit is not None
    kinds = get_standard_gate_name_mapping()
    kinds |= {kind.name: kind for kind in kinds.values()}
    rebuilt = QuantumCircuit(circuit.num_qubits)
    for operation in circuit.operations:
        if isinstance(operation, Gate):
            rebuilt.append(type(kinds[operation.name])(*operation.params), operation.qubits)
        else:
            assert isinstance(operation, Measure)
    return Operator(rebuilt)


def in_qiskit(name: str, *qubits: int, params: tuple[float, ...] = (), controls: int = 0) -> Operator:
    circuit = QuantumCircuit(3)
    gate = type(get_standard_gate_name_mapping()[name])(*params)
    circuit.append(gate.control(controls, annotated=False) if controls else gate, qubits)
    return Operator(circuit)


SINGLE = {
    "x": "x",
    "not": "x",
    "y": "y",
    "z": "z",
    "h": "h",
    "s": "s",
    "si": "sdg",
    "t": "t",
    "ti": "tdg",
    "v": "sx",
    "vi": "sxdg",
    "id": "id",
}


@pytest.mark.parametrize(("ionq", "qiskit"), SINGLE.items())
def test_a_gate_is_qiskits_with_and_without_controls(ionq: str, qiskit: str) -> None:
    assert operator(source({"gate": ionq, "target": 1})).equiv(in_qiskit(qiskit, 1))
    assert operator(source({"gate": ionq, "targets": [1]})).equiv(in_qiskit(qiskit, 1))
    one = source({"gate": ionq, "target": 1, "control": 2})
    two = source({"gate": ionq, "targets": [1], "controls": [2, 0]})
    assert operator(one).equiv(in_qiskit(qiskit, 2, 1, controls=1))
    assert operator(two).equiv(in_qiskit(qiskit, 2, 0, 1, controls=2))


@pytest.mark.parametrize(("ionq", "qiskit"), {"rx": "rx", "ry": "ry", "rz": "rz", "z": "p"}.items())
def test_a_rotation_is_qiskits_with_and_without_controls(ionq: str, qiskit: str) -> None:
    rotation = {"gate": ionq, "rotation": THETA}
    params = (THETA,)
    assert operator(source({**rotation, "target": 2})).equiv(in_qiskit(qiskit, 2, params=params))
    one = source({**rotation, "target": 2, "control": 0})
    two = source({**rotation, "target": 2, "controls": [0, 1]})
    assert operator(one).equiv(in_qiskit(qiskit, 0, 2, params=params, controls=1))
    assert operator(two).equiv(in_qiskit(qiskit, 0, 1, 2, params=params, controls=2))


@pytest.mark.parametrize(("ionq", "qiskit"), {"xx": "rxx", "yy": "ryy", "zz": "rzz"}.items())
def test_a_pair_rotation_is_qiskits_with_and_without_a_control(ionq: str, qiskit: str) -> None:
    pair = {"gate": ionq, "targets": [2, 0], "rotation": THETA}
    assert operator(source(pair)).equiv(in_qiskit(qiskit, 2, 0, params=(THETA,)))
    assert operator(source({**pair, "control": 1})).equiv(in_qiskit(qiskit, 1, 2, 0, params=(THETA,), controls=1))


def test_cnot_and_swap() -> None:
    assert operator(source({"gate": "cnot", "control": 2, "target": 0})) == in_qiskit("cx", 2, 0)
    assert operator(source({"gate": "cnot", "controls": [2, 1], "target": 0})) == in_qiskit("ccx", 2, 1, 0)
    assert operator(source({"gate": "swap", "targets": [0, 2]})) == in_qiskit("swap", 0, 2)
    assert operator(source({"gate": "swap", "targets": [0, 2], "control": 1})).equiv(in_qiskit("cswap", 1, 0, 2))


def test_seven_controls() -> None:
    body = source({"gate": "x", "target": 7, "controls": list(range(7))}, qubits=8)
    expected = QuantumCircuit(8)
    expected.mcx(list(range(7)), 7)
    assert operator(body).equiv(Operator(expected))


@pytest.mark.parametrize(
    ("terms", "coefficients"),
    [(["ZIX"], [0.3]), (["YZX"], [-1.1]), (["YII", "IIZ", "YXZ"], [1.0, 0.2, 0.5]), (["XXI", "ZZI"], [0.4, 0.9])],
)
def test_pauliexp_is_the_exponential(terms: list[str], coefficients: list[float]) -> None:
    gate = {"gate": "pauliexp", "targets": [1, 2, 0], "terms": terms, "coefficients": coefficients, "time": 0.6}
    expected = QuantumCircuit(3)
    expected.unitary(expm(-0.6j * SparsePauliOp(terms, coefficients).to_matrix()), [1, 2, 0])
    assert operator(source(gate)).equiv(Operator(expected))


def gpi(phase: float) -> Any:
    turn = 2j * math.pi * phase
    return np.array([[0, cmath.exp(-turn)], [cmath.exp(turn), 0]])


def test_native_gates_are_ionqs_matrices() -> None:
    def native(*circuit: Entry) -> Operator:
        return operator(source(*circuit, qubits=2, gateset="native"))

    def on_pair(matrix: Any) -> Operator:
        return Operator(matrix)

    identity = np.eye(2)
    assert native({"gate": "gpi", "target": 0, "phase": 0.2}).equiv(on_pair(np.kron(identity, gpi(0.2))))
    half = (identity - 1j * gpi(0.2)) / math.sqrt(2)
    assert native({"gate": "gpi2", "target": 1, "phase": 0.2}).equiv(on_pair(np.kron(half, identity)))
    # The first target is qubit 0, the right factor.
    coupled = np.kron(gpi(0.3), gpi(0.1))
    for angle, entry in ((0.25, {}), (0.1, {"angle": 0.1})):
        matrix = math.cos(math.pi * angle) * np.eye(4) - 1j * math.sin(math.pi * angle) * coupled
        assert native({"gate": "ms", "targets": [0, 1], "phases": [0.1, 0.3], **entry}).equiv(on_pair(matrix))
    zz = np.diag(np.exp(-1j * math.pi * 0.2 * np.array([1, -1, -1, 1])))
    assert native({"gate": "zz", "targets": [0, 1], "angle": 0.2}).equiv(on_pair(zz))
    assert native({"gate": "zz", "targets": [0, 1], "phase": 0.2}).equiv(on_pair(zz))


def test_all_qubits_are_measured_in_one_register() -> None:
    program = program_from_ionq(source({"gate": "x", "target": 0}, qubits=4))
    assert program.format is ProgramFormat.IONQ_JSON
    assert program.profile is Profile.BASE
    assert [(register.name, register.size) for register in program.registers] == [("q", 4)]
    assert program.circuit is not None
    assert program.circuit.operations[1:] == tuple(Measure(qubit, qubit) for qubit in range(4))


def test_it_is_recognised_and_read_back() -> None:
    body = source({"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1})
    program = to_program(body)
    assert program == to_program(body.decode())
    again = FrontendCodec().load(ProgramFormat.IONQ_JSON, body, name="bell", entry_point=None)
    assert (again.digest, again.circuit, again.name) == (program.digest, program.circuit, "bell")


def test_qubits_may_be_left_out() -> None:
    body = json.dumps({"circuit": [{"gate": "x", "target": 4}]}).encode()
    assert program_from_ionq(body).num_qubits == 5


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{nonsense", "no valid JSON"),
        (b"[" * 100_000, "no valid JSON"),
        (b"[]", "no JSON object"),
        (b'{"qubits": 1}', 'no list "circuit"'),
        (b'{"circuit": [1]}', "not an object"),
        (b'{"circuit": []}', '"qubits" is 0'),
        (b'{"qubits": true, "circuit": []}', '"qubits" is True'),
        (b'{"qubits": 2, "circuit": [{"gate": "x", "target": 2}]}', "uses qubit 2 and has 2 qubits"),
        (source({"target": 0}), "names no gate"),
        (source({"gate": "x"}), "names 0 targets"),
        (source({"gate": "x", "targets": [0, 1]}), "names 2 targets"),
        (source({"gate": "x", "target": -1}), "not a list of qubit numbers"),
        (source({"gate": "x", "target": 0.0}), "not a list of qubit numbers"),
        (source({"gate": "x", "target": 0, "targets": [1]}), 'both "target" and "targets"'),
        (source({"gate": "x", "target": 0, "control": 0}), "one qubit twice"),
        (source({"gate": "swap", "targets": [1, 1]}), "one qubit twice"),
        (source({"gate": "x", "target": 0, "rotation": 0.5}), "takes no rotation"),
        (source({"gate": "rx", "target": 0}), 'None as "rotation"'),
        (source({"gate": "rx", "target": 0, "rotation": math.nan}), "not a finite number"),
        (source({"gate": "cnot", "target": 0}), "has no control"),
        (source({"gate": "gpi", "target": 0, "phase": 0, "control": 1}, gateset="native"), "takes no controls"),
        (source({"gate": "ms", "targets": [0, 1], "phases": [0]}, gateset="native"), "two phases"),
        (source({"gate": "pauliexp", "targets": [0], "terms": ["Q"], "coefficients": [1], "time": 1}), "the term 'Q'"),
    ],
)
def test_what_is_malformed_is_named(body: bytes, says: str) -> None:
    with pytest.raises(ProgramError) as caught:
        program_from_ionq(body)
    assert says in str(caught.value)
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (source({"gate": "warp", "target": 0}), "'warp'"),
        (source({"gate": "gpi", "target": 0, "phase": 0.1}), "'gpi'"),
        (source({"gate": "h", "target": 0}, gateset="native"), "'h'"),
        (source(gateset="pulse"), "'pulse'"),
        (source(circuits=[]), "several circuits"),
        (
            source({"gate": "pauliexp", "targets": [0], "terms": ["X", "Z"], "coefficients": [1, 1], "time": 1}),
            "do not commute",
        ),
    ],
)
def test_what_is_not_supported_is_named(body: bytes, says: str) -> None:
    with pytest.raises(UnsupportedProgramError, match=says):
        program_from_ionq(body)


def test_limits() -> None:
    for body in (
        source(qubits=100_001),
        source({"gate": "x", "target": 9, "controls": list(range(8))}, qubits=10),
        source(
            {"gate": "pauliexp", "targets": [0], "terms": ["X"] * 1001, "coefficients": [1] * 1001, "time": 1}, qubits=1
        ),
    ):
        with pytest.raises(LimitError):
            program_from_ionq(body)
