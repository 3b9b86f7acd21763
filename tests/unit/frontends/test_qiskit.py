import io
import subprocess
import sys

import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import ClassicalRegister, Parameter, ParameterVector, Qubit

from antiphon.domain.circuits import Delay
from antiphon.domain.programs import ProgramFormat, digest_of
from antiphon.errors import ProgramError
from antiphon.frontends.qiskit import circuit_from_program, program_from_circuit, program_from_qpy


def ansatz() -> QuantumCircuit:
    vector, scale = ParameterVector("v", 3), Parameter("scale")
    circuit = QuantumCircuit(2, 2)
    circuit.rx(2 * vector[2] + 0.25, 0)
    circuit.rz(scale.sin(), 0)
    circuit.ry(0.1, 1)
    turn = Parameter("turn")
    with circuit.for_loop(range(2), turn):
        circuit.rz(turn * 0.5, 1)
    circuit.measure([0, 1], [1, 0])
    return circuit


def written(circuit: QuantumCircuit, **options: int) -> bytes:
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer, **options)
    return buffer.getvalue()


def test_the_artefact_is_qpy_named_by_its_content() -> None:
    program = program_from_circuit(ansatz())

    assert program.format is ProgramFormat.QPY
    assert program.digest == digest_of(ProgramFormat.QPY, program.source)
    assert qpy.load(io.BytesIO(program.source))[0].num_qubits == 2
    assert "qiskit" in program.made_with


def test_the_same_circuit_built_twice_has_the_same_digest() -> None:
    assert program_from_circuit(ansatz()).digest == program_from_circuit(ansatz()).digest


def test_the_digest_is_the_same_in_another_process() -> None:
    script = (
        "from qiskit import QuantumCircuit\n"
        "from qiskit.circuit import ParameterVector\n"
        "from antiphon.frontends.qiskit import program_from_circuit\n"
        "circuit = QuantumCircuit(2)\n"
        "circuit.rx(3 * ParameterVector('v', 2)[1], 0)\n"
        "print(program_from_circuit(circuit).digest)\n"
    )
    digests = {
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    }

    assert len(digests) == 1


def test_names_and_metadata_are_not_part_of_the_digest() -> None:
    named = ansatz()
    named.name = "bell"
    named.metadata = {"note": object()}
    program = program_from_circuit(named)

    assert program.digest == program_from_circuit(ansatz()).digest
    assert program.name == "bell"
    assert program_from_circuit(named, "other").name == "other"
    assert program_from_circuit(ansatz()).name == ""


def test_different_angles_are_different_programs_to_the_last_bit() -> None:
    digests = set()
    for angle in (0.1, 0.1 + 1e-15):
        circuit = QuantumCircuit(1)
        circuit.rx(angle, 0)
        digests.add(program_from_circuit(circuit).digest)

    assert len(digests) == 2


def test_submitting_the_same_object_again_is_not_reading_it_again() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("t"), 0)

    assert program_from_circuit(circuit) is program_from_circuit(circuit)


@pytest.mark.parametrize("change", [1e-13, 0.5])
def test_a_circuit_changed_in_place_is_read_again(change: float) -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(1.0, 0)
    before = program_from_circuit(circuit)
    circuit.data[0] = circuit.data[0].replace(params=[1.0 + change])
    after = program_from_circuit(circuit)

    assert after.digest != before.digest
    assert after.circuit is not None
    assert after.circuit.operations[0].params == (1.0 + change,)  # type: ignore[union-attr]


def test_what_the_data_do_not_show_is_noticed_too() -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    digests = {program_from_circuit(circuit).digest}
    circuit.global_phase = 0.5
    digests.add(program_from_circuit(circuit).digest)
    circuit.add_register(ClassicalRegister(2, "late"))
    digests.add(program_from_circuit(circuit).digest)
    circuit.add_bits([Qubit()])
    digests.add(program_from_circuit(circuit).digest)

    assert len(digests) == 4


def test_a_loop_body_changed_in_place_is_read_again() -> None:
    circuit = ansatz()
    before = program_from_circuit(circuit)
    loop = circuit.data[3].operation
    body = loop.blocks[0].copy()
    body.rx(1e-13, 0)
    circuit.data[3] = circuit.data[3].replace(operation=loop.replace_blocks([body]))

    assert program_from_circuit(circuit).digest != before.digest


def test_a_stored_artefact_gives_the_same_program() -> None:
    program = program_from_circuit(ansatz())
    again = program_from_qpy(program.source)

    assert again == program


def test_the_original_circuit_comes_back() -> None:
    circuit = ansatz()
    circuit.name = "mine"
    back = circuit_from_program(program_from_circuit(circuit))

    assert back.name == "mine"
    assert [parameter.name for parameter in back.parameters] == [parameter.name for parameter in circuit.parameters]
    values = [0.1, 0.2]
    assert back.assign_parameters(values) == circuit.assign_parameters(values)


def test_delays_survive_the_artefact_wherever_they_are() -> None:
    sub = QuantumCircuit(1, name="sub")
    sub.delay(7, 0, "us")
    circuit = QuantumCircuit(2, 1)
    circuit.delay(100, 0, "ns")
    circuit.append(sub.to_instruction(), [1])
    with circuit.if_test((circuit.clbits[0], 0)):
        circuit.delay(0.5, 1, "ms")
    program = program_from_circuit(circuit)

    assert program_from_qpy(program.source).circuit == program.circuit
    assert program.circuit is not None
    assert sorted(op.seconds for op in program.circuit.walk() if isinstance(op, Delay)) == [1e-7, 7e-6, 5e-4]
    assert circuit.data[0].operation.unit == "ns"  # the user's own circuit is left as it was
    assert sub.data[0].operation.unit == "us"


def test_a_users_qpy_is_kept_unchanged() -> None:
    source = written(ansatz())

    assert program_from_qpy(source).source == source


def test_old_qpy_is_refused() -> None:
    source = bytearray(written(QuantumCircuit(1)))
    source[6] = 12
    with pytest.raises(ProgramError, match="version 12"):
        program_from_qpy(bytes(source))
    assert program_from_qpy(written(QuantumCircuit(1), version=13)).num_qubits == 1


@pytest.mark.parametrize(
    "source", [b"", b"QISKIT", b"nonsense", written(ansatz())[:-40], written([QuantumCircuit(1), QuantumCircuit(1)])]
)
def test_damaged_files_are_refused(source: bytes) -> None:
    with pytest.raises(ProgramError):
        program_from_qpy(source)


def test_a_program_of_another_format_is_no_qiskit_circuit() -> None:
    import cirq

    from antiphon.frontends.cirq import program_from_circuit as from_cirq

    program = from_cirq(cirq.Circuit(cirq.X(cirq.LineQubit(0))))
    with pytest.raises(ProgramError, match="cirq-json"):
        circuit_from_program(program)
