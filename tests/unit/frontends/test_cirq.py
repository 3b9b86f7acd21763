import cirq
import pytest
import sympy

from antiphon.domain.programs import ProgramFormat, digest_of
from antiphon.errors import ProgramError
from antiphon.frontends.cirq import circuit_from_program, program_from_circuit, program_from_json

q = cirq.LineQubit.range(3)


def circuit() -> cirq.Circuit:
    return cirq.Circuit(
        cirq.rx(2 * sympy.Symbol("t") + 0.1)(q[0]),
        cirq.measure(q[0], q[1], key="m"),
        cirq.X(q[2]).with_classical_controls(sympy.Symbol("m") > 1),
        cirq.CircuitOperation(cirq.FrozenCircuit(cirq.H(q[2])), repetitions=2),
        cirq.measure(q[2], key="out", invert_mask=(True,)),
    )


def test_the_artefact_is_cirqs_json_named_by_its_content() -> None:
    program = program_from_circuit(circuit())

    assert program.format is ProgramFormat.CIRQ_JSON
    assert program.digest == digest_of(ProgramFormat.CIRQ_JSON, program.source)
    assert cirq.read_json(json_text=program.source.decode()) == circuit()
    assert "cirq" in program.made_with


def test_equal_circuits_have_equal_digests_frozen_or_not() -> None:
    assert program_from_circuit(circuit()).digest == program_from_circuit(circuit().freeze()).digest


def test_a_stored_artefact_gives_the_same_program() -> None:
    program = program_from_circuit(circuit())

    assert program_from_json(program.source) == program
    assert circuit_from_program(program) == circuit()


def test_submitting_the_same_object_again_is_not_reading_it_again() -> None:
    built = circuit()

    assert program_from_circuit(built) is program_from_circuit(built)
    assert program_from_circuit(built, "named").name == "named"


def test_a_circuit_changed_in_place_is_read_again() -> None:
    built = circuit()
    before = program_from_circuit(built)
    built.append(cirq.X(q[0]))

    assert program_from_circuit(built).digest != before.digest


def test_what_json_cannot_hold_is_refused() -> None:
    class Own(cirq.Gate):
        def _num_qubits_(self) -> int:
            return 1

        def _unitary_(self) -> list[list[float]]:
            return [[0, 1], [1, 0]]

    with pytest.raises(ProgramError, match="JSON"):
        program_from_circuit(cirq.Circuit(Own()(q[0])))
    with pytest.raises(ProgramError, match="index"):
        program_from_circuit(
            cirq.Circuit(
                cirq.measure(q[0], key="m"),
                cirq.X(q[0]).with_classical_controls(cirq.KeyCondition(cirq.MeasurementKey("m"), index=0)),
            )
        )


@pytest.mark.parametrize(
    "source", [b"", b"{", b"\xff", b'{"cirq_type": "NoSuchType"}', cirq.to_json(cirq.X).encode(), b"[" * 100_000]
)
def test_damaged_files_are_refused(source: bytes) -> None:
    with pytest.raises(ProgramError):
        program_from_json(source)


def test_a_program_of_another_format_is_no_cirq_circuit() -> None:
    from qiskit import QuantumCircuit

    from antiphon.frontends.qiskit import program_from_circuit as from_qiskit

    with pytest.raises(ProgramError, match="qpy"):
        circuit_from_program(from_qiskit(QuantumCircuit(1)))
