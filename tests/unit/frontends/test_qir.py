from __future__ import annotations

import gc
import math
import pickle
import threading

import pytest

from antiphon.domain.circuits import Gate, If, Measure, Register, Reset
from antiphon.domain.programs import Profile, Program, ProgramFormat, digest_of
from antiphon.errors import AntiphonError, LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends.qir import program_from_qir
from antiphon.frontends.qir_reader import read_qir
from qsharp_programs import PROGRAMS, bitcode, compiled, qir
from reference_simulator import distribution

PROFILES = ("Base", "Adaptive_RI", "Adaptive_RIF", "Adaptive")

HEADER = """
declare void @__quantum__qis__h__body(ptr)
declare void @__quantum__qis__x__body(ptr)
declare void @__quantum__qis__ry__body(double, ptr)
declare void @__quantum__qis__m__body(ptr, ptr)
declare void @__quantum__qis__mresetz__body(ptr, ptr)
declare i1 @__quantum__rt__read_result(ptr)
declare void @__quantum__rt__result_record_output(ptr, ptr)
declare void @__quantum__rt__array_record_output(i64, ptr)
declare void @__quantum__rt__tuple_record_output(i64, ptr)
"""


def module(body: str, *, num_qubits: int = 2, more: str = "", name: str = "main") -> str:
    for number in range(4):
        body = body.replace(f"${number}", f"ptr inttoptr (i64 {number} to ptr)")
    attributes = f'"entry_point" "qir_profiles"="adaptive_profile" "required_num_qubits"="{num_qubits}"'
    function = f"define void @{name}() #0 {{\nentry:\n{body}\n  ret void\n}}\n"
    return f"{HEADER}{more}\n{function}attributes #0 = {{ {attributes} }}\n"


def call(name: str, *arguments: str) -> str:
    return f"  call void @__quantum__qis__{name}__body({', '.join(arguments)})\n"


def record(*results: int) -> str:
    lines = [f"  call void @__quantum__rt__array_record_output(i64 {len(results)}, ptr null)\n"]
    lines += [f"  call void @__quantum__rt__result_record_output(${number}, ptr null)\n" for number in results]
    return "".join(lines)


def exact(program: Program) -> dict[str, float]:
    assert program.circuit is not None, program.opaque_because
    found = distribution(program.circuit)
    returned = found if program.returns is None else program.returns.probabilities(found)
    return {key: round(value, 9) for key, value in returned.items()}


# --- Q# ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bell", {"00": 0.5, "11": 0.5}),
        ("ghz", {"000": 0.5, "111": 0.5}),
        ("first_of_three", {"001": 1.0}),
        ("two_arrays", {"0 01": 1.0}),
        ("nested", {"100 1": 1.0}),
        ("nothing", {"": 1.0}),
    ],
)
def test_straight_qsharp_becomes_a_static_circuit(name: str, profile: str, expected: dict[str, float]) -> None:
    program = program_from_qir(qir(name, profile))
    assert exact(program) == expected
    assert program.profile is Profile.BASE


@pytest.mark.parametrize("profile", PROFILES[1:])
def test_teleportation_with_feed_forward_becomes_a_circuit(profile: str) -> None:
    program = program_from_qir(qir("teleport", profile))
    one = math.sin(0.35) ** 2
    assert exact(program) == {"0": round(1 - one, 9), "1": round(one, 9)}
    assert program.profile is Profile.ADAPTIVE_RI
    assert program.registers == (Register("c", 1, 0),)


def test_results_that_are_not_returned_have_hidden_bits() -> None:
    program = program_from_qir(qir("half_measured"))
    assert exact(program) == {"0": 1.0}
    assert program.registers == (Register("c", 1, 0),)
    assert program.circuit is not None
    assert program.circuit.registers == (Register("c", 1, 0), Register("_hidden", 1, 1))
    assert any(isinstance(operation, If) for operation in program.circuit.operations)


@pytest.mark.parametrize(
    ("name", "profile", "needs", "expected"),
    [
        ("count", "Adaptive_RI", Profile.ADAPTIVE_RI, {"0": 0.25, "1": 0.5, "2": 0.25}),
        ("mixed", "Adaptive_RI", Profile.ADAPTIVE_RI, {"(false, Zero, 5)": 0.5, "(true, One, 5)": 0.5}),
        ("double", "Adaptive_RIF", Profile.ADAPTIVE_RIF, {"-1.25": 0.5, "0.5": 0.5}),
        ("phase_estimation", "Adaptive_RIF", Profile.ADAPTIVE_RIF, {"011": 1.0}),
        ("phase_estimation", "Adaptive", Profile.ADAPTIVE_RIF, {"011": 1.0}),
    ],
)
def test_what_computes_becomes_a_circuit(name: str, profile: str, needs: Profile, expected: dict[str, float]) -> None:
    program = program_from_qir(qir(name, profile))
    assert exact(program) == expected
    assert program.profile is needs
    assert program.registers == ((Register("c", 3, 0),) if name == "phase_estimation" else ())


def test_an_angle_from_a_count_without_a_bound_stays_qir_and_says_why() -> None:
    program = program_from_qir(qir("angle_of_turns", "Adaptive"))
    assert program.circuit is None
    assert "a number without a bound" in program.opaque_because
    assert (program.profile, program.registers, program.num_qubits) == (Profile.ADAPTIVE, (), 1)


def test_a_count_without_a_bound_is_kept_in_bits_and_returned() -> None:
    program = program_from_qir(qir("repeat_until_success", "Adaptive"))
    assert program.circuit is not None
    assert program.returns is not None
    assert (program.profile, program.registers, program.num_qubits) == (Profile.ADAPTIVE, (), 1)
    found = exact(program)
    for turns in range(1, 9):
        assert found[f"(One, {turns})"] == pytest.approx(0.5**turns)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_bitcode_and_text_say_the_same(name: str) -> None:
    text = qir(name, "Adaptive")
    first, second = program_from_qir(text), program_from_qir(bitcode(text))
    assert (first.format, second.format) == (ProgramFormat.QIR_TEXT, ProgramFormat.QIR_BITCODE)
    assert second.circuit == first.circuit
    assert (second.registers, second.profile, second.num_qubits, second.opaque_because) == (
        first.registers,
        first.profile,
        first.num_qubits,
        first.opaque_because,
    )


def test_the_artefact_is_kept_as_submitted() -> None:
    source = qir("bell", "Base")
    program = program_from_qir(source.decode(), name="bell")
    assert program.source == source
    assert program.digest == digest_of(ProgramFormat.QIR_TEXT, source)
    assert (program.name, program.entry_point) == ("bell", "ENTRYPOINT__main")
    assert program_from_qir(source).name == "ENTRYPOINT__main"
    assert program.made_with["pyqir"]


def test_angles_are_kept_to_the_bit() -> None:
    angle = 0.1 + 0.2
    program = program_from_qir(
        compiled(f"operation Main() : Result {{ use q = Qubit(); Rx({angle!r}, q); return MResetZ(q); }}")
    )
    assert program.circuit is not None
    assert program.circuit.operations[0] == Gate("rx", (0,), (angle,))


# --- Modules written by hand ------------------------------------------------------------------------------------------


def test_a_branch_with_two_sides_and_logic_on_results() -> None:
    body = (
        call("h", "$0")
        + call("m", "$0", "$0")
        + call("m", "$1", "$1")
        + """
  %a = call i1 @__quantum__rt__read_result($0)
  %b = call i1 @__quantum__rt__read_result($1)
  %n = xor i1 %b, true
  %c = and i1 %a, %n
  br i1 %c, label %yes, label %no
yes:
"""
        + call("x", "$1")
        + "  br label %end\nno:\n  br label %end\nend:\n"
        + call("m", "$1", "$2")
        + record(0, 1, 2)
    )
    assert exact(program_from_qir(module(body))) == {"000": 0.5, "101": 0.5}


def test_a_condition_means_the_value_that_was_read() -> None:
    body = (
        call("h", "$0")
        + call("m", "$0", "$0")
        + "  %a = call i1 @__quantum__rt__read_result($0)\n"
        + call("m", "$1", "$0")
        + "  br i1 %a, label %yes, label %end\nyes:\n"
        + call("x", "$1")
        + "  br label %end\nend:\n"
        + record(0)
    )
    program = program_from_qir(module(body.replace(record(0), call("m", "$1", "$1") + record(0, 1))))
    assert exact(program) == {"00": 0.5, "10": 0.5}


def test_a_result_recorded_twice_is_returned_twice() -> None:
    body = call("x", "$0") + call("m", "$0", "$0") + call("m", "$1", "$1") + record(0, 1, 0)
    assert exact(program_from_qir(module(body))) == {"101": 1.0}


def test_a_result_that_only_one_branch_writes_is_0_on_the_other() -> None:
    body = (
        call("h", "$0")
        + call("mresetz", "$0", "$1")
        + "  %a = call i1 @__quantum__rt__read_result($1)\n  br i1 %a, label %yes, label %end\nyes:\n"
        + call("x", "$1")
        + call("m", "$1", "$0")
        + "  br label %end\nend:\n"
        + record(0, 1)
    )
    assert exact(program_from_qir(module(body))) == {"00": 0.5, "11": 0.5}


def test_resets_on_the_way_stay_and_those_at_the_end_go() -> None:
    body = call("x", "$0") + call("mresetz", "$0", "$0") + call("mresetz", "$0", "$1") + record(0, 1)
    program = program_from_qir(module(body))
    assert program.circuit is not None
    assert program.circuit.operations[1:] == (Measure(0, 0), Reset(0), Measure(0, 1))
    assert exact(program) == {"01": 1.0}


def test_functions_of_the_module_are_inlined() -> None:
    more = """
define internal void @turn(double %t, ptr %q) {
  call void @__quantum__qis__ry__body(double %t, ptr %q)
  ret void
}
define internal void @twice(ptr %q) {
  call void @turn(double 0.25, ptr %q)
  call void @turn(double 0.5, ptr %q)
  ret void
}
"""
    program = program_from_qir(module("  call void @twice($1)\n" + call("m", "$1", "$0") + record(0), more=more))
    assert exact(program)["1"] == pytest.approx(math.sin(0.375) ** 2)


def test_meaningful_labels_name_the_registers() -> None:
    labels = '@l0 = constant [6 x i8] c"alpha\\00"\n@l1 = constant [5 x i8] c"beta\\00"\n'
    body = (
        call("x", "$1")
        + call("m", "$0", "$0")
        + call("m", "$1", "$1")
        + "  call void @__quantum__rt__tuple_record_output(i64 2, ptr null)\n"
        + record(0).replace("ptr null", "ptr @l0", 1)
        + record(1).replace("ptr null", "ptr @l1", 1)
    )
    program = program_from_qir(module(body, more=labels))
    assert program.registers == (Register("alpha", 1, 0), Register("beta", 1, 1))
    assert exact(program) == {"1 0": 1.0}


def test_several_entry_points_need_a_choice() -> None:
    first = module(call("x", "$0") + call("m", "$0", "$0") + record(0), name="first")
    second = "\ndefine void @second() #0 {\n" + (call("m", "$0", "$0") + record(0)) + "  ret void\n}\n"
    text = first + second.replace("$0", "ptr inttoptr (i64 0 to ptr)")
    with pytest.raises(ProgramError, match="2 entry points: first, second"):
        program_from_qir(text)
    assert exact(program_from_qir(text, entry_point="first")) == {"1": 1.0}
    assert exact(program_from_qir(text, entry_point="second")) == {"0": 1.0}
    # Stored under one digest, the second would be taken for the first.
    assert len({program_from_qir(text, entry_point=name).digest for name in ("first", "second", "first")}) == 2
    with pytest.raises(ProgramError, match="no entry point third") as caught:
        program_from_qir(text, entry_point="third")
    assert "first, second" in caught.value.cause


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"garbage",
        b"\xff\xfe\x00",
        b"define void @main() { ret void }",
        b"BC\xc0\xde",
        b"BC\xc0\xde" + bytes(range(256)),
        module("").replace('"entry_point"', '"other"').encode(),
        module("").encode()[:200],
        module(call("h", "$3")).encode(),
        module("  call void @__quantum__rt__array_record_output(i64 99999999999, ptr null)\n").encode(),
        module("").replace("@main()", "@main(i64 %n)").encode(),
        module("  call void @__quantum__qis__h__body()\n", more="").replace("h__body(ptr)", "h__body()").encode(),
        module("", more='\n@a = constant [1 x i8] c"\0"\n').encode(),
    ],
)
def test_what_is_no_module_is_refused(source: bytes) -> None:
    with pytest.raises(ProgramError) as caught:
        program_from_qir(source)
    assert caught.value.next_step


@pytest.mark.parametrize(
    "value", ["poison", "undef", "@__quantum__qis__h__body", "getelementptr (i8, ptr null, i64 3)"]
)
def test_pointers_that_are_no_qubits_do_not_crash_the_process(value: str) -> None:
    program = program_from_qir(module(call("h", f"ptr {value}") + call("m", "$0", f"ptr {value}") + record(0)))
    assert program.circuit is None
    labelled = record(0).replace("$0, ptr null", f"$0, ptr {value}")
    assert program_from_qir(module(call("m", "$0", "$0") + labelled)).num_qubits == 2


def test_corrupt_bitcode_never_ends_the_process() -> None:
    good = bitcode(qir("teleport"))
    for place in (60, 200, 400, 700, len(good) // 2):
        bad = bytearray(good)
        bad[place : place + 8] = b"\xff\x00\xaa\x55\xff\xff\x13\x37"
        try:
            program_from_qir(bytes(bad))
        except AntiphonError as error:
            assert error.next_step  # noqa: PT017 - some corruptions happen to be valid


def test_an_unknown_gate_is_named() -> None:
    text = module("  call void @__quantum__qis__zap__body($0)\n", more="declare void @__quantum__qis__zap__body(ptr)\n")
    with pytest.raises(UnsupportedProgramError, match="__quantum__qis__zap__body"):
        program_from_qir(text)


@pytest.mark.parametrize(
    "text",
    [
        "@a = global " + "{ " * 10_000 + "i8" + " }" * 10_000 + " zeroinitializer",
        "@a = global " + "[1 x " * 10_000 + "i8" + "]" * 10_000 + " zeroinitializer",
        module("", num_qubits=999_999_999),
        " " * 16_000_001,
    ],
)
def test_modules_that_are_too_large_or_too_deep_are_refused(text: str) -> None:
    with pytest.raises(LimitError):
        program_from_qir(text)


def test_calls_that_double_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.frontends.qir_running.MAX_OPERATIONS", 20_000)
    more = "define internal void @f0(ptr %q) {\n  call void @__quantum__qis__x__body(ptr %q)\n  ret void\n}\n"
    for i in range(1, 30):
        more += f"define internal void @f{i}(ptr %q) {{\n" + f"  call void @f{i - 1}(ptr %q)\n" * 2 + "  ret void\n}\n"
    with pytest.raises(LimitError, match="20,000"):
        program_from_qir(module("  call void @f29($0)\n", more=more))


def test_a_function_that_calls_itself_is_opaque() -> None:
    more = "define internal void @f(ptr %q) {\n  call void @f(ptr %q)\n  ret void\n}\n"
    assert program_from_qir(module("  call void @f($0)\n", more=more)).circuit is None


def test_a_module_can_be_read_in_another_process() -> None:
    read = read_qir(qir("teleport"))
    assert pickle.loads(pickle.dumps(read)) == read


def test_the_error_of_a_module_that_is_none_can_be_dropped_in_any_thread() -> None:
    """The server reads in a thread of its pool and answers from the event loop: no object of pyqir's may travel."""
    errors: list[ProgramError] = []

    def read() -> None:
        try:
            read_qir(b"this is no QIR")
        except ProgramError as error:
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert errors.pop().code == "qir-invalid"
    gc.collect()  # what pyqir would say here is an unraisable error, which fails the test
