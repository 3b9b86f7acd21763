import io
import subprocess
import sys
from pathlib import Path

import cirq
import pytest
from qiskit import QuantumCircuit, qpy

from antiphon.domain.programs import Program, ProgramFormat
from antiphon.errors import LimitError, ProgramError
from antiphon.frontends import recognise
from antiphon.frontends.recognise import load_program, to_program

OPENQASM2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0], q[1];\nmeasure q -> c;\n'
OPENQASM3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;\n'
QIR = """%Result = type opaque
%Qubit = type opaque

define void @main() #0 {
entry:
  call void @__quantum__qis__h__body(%Qubit* null)
  call void @__quantum__qis__mz__body(%Qubit* null, %Result* null)
  call void @__quantum__rt__array_record_output(i64 1, i8* null)
  call void @__quantum__rt__result_record_output(%Result* null, i8* null)
  ret void
}

declare void @__quantum__qis__h__body(%Qubit*)
declare void @__quantum__qis__mz__body(%Qubit*, %Result* writeonly) #1
declare void @__quantum__rt__array_record_output(i64, i8*)
declare void @__quantum__rt__result_record_output(%Result*, i8*)

attributes #0 = { "entry_point" "output_labeling_schema" "qir_profiles"="base_profile" "required_num_qubits"="1" "required_num_results"="1" }
attributes #1 = { "irreversible" }

!llvm.module.flags = !{!0, !1, !2, !3}
!0 = !{i32 1, !"qir_major_version", i32 1}
!1 = !{i32 7, !"qir_minor_version", i32 0}
!2 = !{i32 1, !"dynamic_qubit_management", i1 false}
!3 = !{i32 1, !"dynamic_result_management", i1 false}
"""  # noqa: E501 - one line in LLVM


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def bell_qpy() -> bytes:
    buffer = io.BytesIO()
    qpy.dump(bell(), buffer)
    return buffer.getvalue()


def bell_cirq() -> cirq.Circuit:
    q = cirq.LineQubit.range(2)
    return cirq.Circuit(cirq.H(q[0]), cirq.CX(*q), cirq.measure(*q, key="c"))


def bitcode() -> bytes:
    pyqir = pytest.importorskip("pyqir")
    return bytes(pyqir.Module.from_ir(pyqir.Context(), QIR).bitcode)


EVERY = {
    "qiskit circuit": (bell, ProgramFormat.QPY),
    "qpy": (bell_qpy, ProgramFormat.QPY),
    "cirq circuit": (bell_cirq, ProgramFormat.CIRQ_JSON),
    "cirq frozen": (lambda: bell_cirq().freeze(), ProgramFormat.CIRQ_JSON),
    "cirq json": (lambda: cirq.to_json(bell_cirq()).encode(), ProgramFormat.CIRQ_JSON),
    "openqasm2": (lambda: OPENQASM2, ProgramFormat.OPENQASM2),
    "openqasm3": (lambda: OPENQASM3, ProgramFormat.OPENQASM3),
    "openqasm3 bytes": (lambda: OPENQASM3.encode(), ProgramFormat.OPENQASM3),
    "qir text": (lambda: QIR, ProgramFormat.QIR_TEXT),
    "qir bytes": (lambda: QIR.encode(), ProgramFormat.QIR_TEXT),
    "qir bitcode": (bitcode, ProgramFormat.QIR_BITCODE),
}


@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_is_recognised_and_loads_again_the_same(kind: str) -> None:
    make, expected = EVERY[kind]
    program = to_program(make(), name="mine")

    assert program.format is expected
    assert program.name == "mine"
    assert program.circuit is not None
    again = load_program(program.format, program.source, name="mine", entry_point=program.entry_point)
    assert again == program


@pytest.mark.parametrize(
    ("file_name", "content"),
    [
        ("bell.qasm", OPENQASM3.encode()),
        ("bell.qasm", b"\xef\xbb\xbf" + OPENQASM3.encode()),  # a byte order mark, as Windows editors write
        ("bell.qpy", bell_qpy()),
        ("bell.json", cirq.to_json(bell_cirq()).encode()),
        ("bell.ll", QIR.encode()),
    ],
)
def test_files_are_named_after_themselves(tmp_path: Path, file_name: str, content: bytes) -> None:
    path = tmp_path / file_name
    path.write_bytes(content)

    assert to_program(path).name == "bell"
    assert to_program(path, name="other").name == "other"


def test_a_program_is_itself() -> None:
    program = to_program(bell())

    assert to_program(program) is program


def test_subclasses_of_circuits_are_circuits() -> None:
    class Own(QuantumCircuit):  # type: ignore[misc]  # Qiskit has no types
        pass

    own = Own(1)
    own.x(0)
    assert to_program(own).format is ProgramFormat.QPY


def test_compiled_q_sharp_is_qir() -> None:
    class Compiled:
        _name = "Main"

        def _repr_qir_(self) -> bytes:
            return QIR.encode()

    program = to_program(Compiled())
    assert program.format is ProgramFormat.QIR_TEXT
    assert program.name == "Main"


@pytest.mark.parametrize("obj", [None, 3, [bell()], {"a": 1}, object()])
def test_what_is_not_a_program_lists_what_is(obj: object) -> None:
    with pytest.raises(ProgramError, match="not a program") as caught:
        to_program(obj)
    assert "OpenQASM" in caught.value.next_step


def test_a_file_name_in_a_string_is_explained() -> None:
    with pytest.raises(ProgramError, match="name of a file") as caught:
        to_program("circuits/bell.qasm")
    assert "pathlib.Path" in caught.value.next_step


@pytest.mark.parametrize(
    "text",
    [
        "operation Main() : Result { use q = Qubit(); return M(q); }",
        "// a comment\nnamespace Demo {\n}",
        "import Std.Math.*;\n@EntryPoint()\noperation Main() : Unit {}",
    ],
)
def test_source_of_qsharp_says_to_compile_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "Main.qs"
    path.write_text(text)
    for given in (text, text.encode(), path):
        with pytest.raises(ProgramError, match="Q# source") as caught:
            to_program(given)
        assert "qsharp.compile" in caught.value.next_step


@pytest.mark.parametrize("empty", ["", "  \n", b""])
def test_nothing_is_not_a_program(empty: object) -> None:
    with pytest.raises(ProgramError, match="empty"):
        to_program(empty)


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="cannot be read") as caught:
        to_program(tmp_path / "missing.qasm")
    assert caught.value.cause == "No such file or directory"
    (tmp_path / "folder.qasm").mkdir()
    with pytest.raises(ProgramError, match="cannot be read"):
        to_program(tmp_path / "folder.qasm")
    with pytest.raises(ProgramError, match=r"ends in '\.txt'"):
        to_program(tmp_path / "notes.txt")
    with pytest.raises(ProgramError, match="no ending"):
        to_program(tmp_path / "program")
    (tmp_path / "binary.qasm").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProgramError, match="UTF-8"):
        to_program(tmp_path / "binary.qasm")


def test_programs_too_large_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognise, "MAX_BYTES", 1000)
    path = tmp_path / "large.qasm"
    path.write_text(OPENQASM3 + "// " + "x" * 1000)
    for large in (path, path.read_text(), path.read_bytes()):
        with pytest.raises(LimitError, match="larger"):
            to_program(large)


def test_an_artefact_stored_under_another_format_is_refused() -> None:
    program: Program = to_program(OPENQASM2)
    with pytest.raises(ProgramError, match="openqasm3"):
        load_program(ProgramFormat.OPENQASM3, program.source)


def test_recognising_text_imports_no_sdk_of_circuits() -> None:
    script = (
        "import sys\n"
        "from antiphon.frontends import observables, parameters, recognise\n"
        "loaded = {'qiskit', 'cirq', 'qdk', 'pyqir', 'sympy', 'scipy'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
