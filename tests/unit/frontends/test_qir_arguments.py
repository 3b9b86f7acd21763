import math
from pathlib import Path
from typing import Any

import pytest

from antiphon import Workspace
from antiphon.adapters.executors.reading import ReadingCodec
from antiphon.domain.circuits import Gate
from antiphon.domain.programs import ProgramFormat
from antiphon.errors import AntiphonError, ProgramError, UnsupportedProgramError
from antiphon.frontends.codec import FrontendCodec
from antiphon.frontends.qir_arguments import with_arguments
from antiphon.frontends.qir_reader import read_qir
from qir_with_parameters import DECIDE, TURN, argument, deciding
from qsharp_programs import bitcode, qir

TURN_SOURCE, DECIDE_SOURCE = TURN.encode(), DECIDE.encode()
ANGLES = [argument("theta", "Double", 0.7), argument("phi", "Double", math.pi)]


def gates(source: bytes) -> list[tuple[object, ...]]:
    format_ = ProgramFormat.QIR_BITCODE if source.startswith(b"BC") else ProgramFormat.QIR_TEXT
    circuit = FrontendCodec().load(format_, source, name="", entry_point=None).circuit
    assert circuit is not None
    return [one.params for one in circuit.operations if isinstance(one, Gate)]


@pytest.mark.parametrize("arguments", [ANGLES, ANGLES[::-1]])
def test_they_become_constants_to_the_last_bit(arguments: list[dict[str, Any]]) -> None:
    found = with_arguments(TURN_SOURCE, None, arguments)
    assert read_qir(found).functions["turn"].parameters == ()
    assert gates(found) == [(0.7,), (math.pi,)]
    packed = with_arguments(bitcode(TURN_SOURCE), "turn", arguments)
    assert packed.startswith(b"BC")
    assert gates(packed) == [(0.7,), (math.pi,)]
    assert with_arguments(TURN_SOURCE, None, []) is TURN_SOURCE


def test_numbered_parameters_are_taken_in_order() -> None:
    source = TURN_SOURCE.replace(b"%theta", b"%0").replace(b"%phi", b"%1")
    # The values behind a parameter without a name are numbered too, and get other numbers.
    source = source.replace(b") #0 {", b") #0 {\n  %3 = add i64 1, 2", 1)
    assert with_arguments(source, None, ANGLES).count(b"%") > 0
    assert read_qir(with_arguments(source, None, ANGLES)).functions["turn"].parameters == ()
    assert b"double 0x3FE6666666666666" in with_arguments(source, None, ANGLES)


def test_a_name_that_is_in_the_module_already() -> None:
    source = TURN_SOURCE.replace(b"%theta", b"%argument.0.").replace(b"%phi", b"%argument.1.")
    given = [argument("argument.1.", "Double", 0.25), argument("argument.0.", "Double", -1.5)]
    assert gates(with_arguments(source, None, given)) == [(-1.5,), (0.25,)]


@pytest.mark.parametrize(
    ("arguments", "counts"),
    [
        (deciding(0.0, 3, True, "PauliY"), {"1 1": 50}),
        (deciding(0.0, 3, False, "PauliY"), {"0 1": 50}),
        (deciding(0.0, 3, False, "PauliX"), {"0 0": 50}),
        (deciding(0.0, -9, True, "PauliY"), {"1 0": 50}),
        (deciding(2 * math.pi, -(2**63), False, "PauliI"), {"0 1": 50}),
    ],
)
def test_what_computes_with_them_runs(tmp_path: Path, arguments: list[dict[str, Any]], counts: dict[str, int]) -> None:
    program = FrontendCodec().load(
        ProgramFormat.QIR_TEXT, DECIDE_SOURCE, name="", entry_point="decide", arguments=arguments
    )
    with Workspace(tmp_path, workers=1) as ws:
        job = ws.target("sim.auto").submit(program, 50, seed=1)
        found = job.result(60).counts
        assert {key if " " in key else " ".join(key): number for key, number in found.items()} == counts
        assert job.replay(timeout=60).agreement.agrees


def test_bytes_for_callers_in_c() -> None:
    source = DECIDE_SOURCE.replace(b"i1 %flip, i2", b"i8 %flip, i8")
    source = source.replace(b"icmp eq i2 %axis, -1", b"icmp eq i8 %axis, 3")
    source = source.replace(b"  br i1 %flip", b"  %set = icmp ne i8 %flip, 0\n  br i1 %set")
    found = with_arguments(source, None, deciding(0.5, 1, True, "PauliY"))
    assert b"icmp eq i8 3, 3" in found
    assert b"icmp ne i8 1, 0" in found


def test_a_reader_apart_does_the_same() -> None:
    codec = ReadingCodec(readers=1)
    try:
        apart, other = (
            codec.load(
                ProgramFormat.QIR_TEXT,
                TURN_SOURCE,
                name="",
                entry_point=None,
                arguments=[argument("theta", "Double", theta), argument("phi", "Double", 0.0)],
            )
            for theta in (0.7, 0.8)
        )
        assert apart.digest != other.digest
        again = FrontendCodec().load(ProgramFormat.QIR_TEXT, apart.source, name="", entry_point=None)
        assert again.digest == apart.digest
        with pytest.raises(ProgramError, match="do not fit"):
            codec.load(
                ProgramFormat.QIR_TEXT, TURN_SOURCE, name="", entry_point=None, arguments=[argument("x", "Int", 1)]
            )
    finally:
        codec.close()


def one(kind: str, value: Any) -> list[dict[str, Any]]:
    return [argument("theta", kind, value), ANGLES[1]]


@pytest.mark.parametrize(
    ("source", "arguments", "kind", "code", "said"),
    [
        (qir("bell", "Base"), ANGLES, UnsupportedProgramError, "arguments-unsupported", "takes no arguments"),
        (TURN_SOURCE, one("Result", True), UnsupportedProgramError, "arguments-unsupported", "Result"),
        (TURN_SOURCE, one("String", "a"), UnsupportedProgramError, "arguments-unsupported", "String"),
        (TURN_SOURCE, one("Range", {"start": 0, "end": 1}), UnsupportedProgramError, "arguments-unsupported", "Range"),
        (
            TURN_SOURCE,
            [{**argument("theta", "Array", [1]), "elementType": "Int"}, ANGLES[1]],
            UnsupportedProgramError,
            "arguments-unsupported",
            "Array",
        ),
        (TURN_SOURCE, ANGLES[:1], ProgramError, "arguments-invalid", "theta (double), phi (double)"),
        (TURN_SOURCE, [ANGLES[0], ANGLES[0]], ProgramError, "arguments-invalid", "named theta"),
        (TURN_SOURCE, [ANGLES[0], {}], ProgramError, "arguments-invalid", "named theta, None"),
        (TURN_SOURCE, one("Int", 3), ProgramError, "arguments-invalid", "takes double"),
        (TURN_SOURCE, one("Double", "0.5"), ProgramError, "arguments-invalid", "'0.5'"),
        (TURN_SOURCE, one("Double", math.inf), ProgramError, "arguments-invalid", "inf"),
        (TURN_SOURCE, one("Double", True), ProgramError, "arguments-invalid", "True"),
        (TURN_SOURCE, one("Qubit", 1), ProgramError, "arguments-invalid", "Qubit"),
        (DECIDE_SOURCE, deciding(0.5, 2**63, True, "PauliX"), ProgramError, "arguments-invalid", "takes i64"),
        (DECIDE_SOURCE, deciding(0.5, 1, True, "X"), ProgramError, "arguments-invalid", "takes i2"),
        (DECIDE_SOURCE, deciding(0.5, 1, 1, "PauliX"), ProgramError, "arguments-invalid", "takes i1"),  # type: ignore[arg-type]
        (b"garbage", ANGLES, ProgramError, "qir-invalid", "not valid"),
    ],
)
def test_what_does_not_fit_is_named(
    source: bytes, arguments: list[dict[str, Any]], kind: type[AntiphonError], code: str, said: str
) -> None:
    with pytest.raises(kind) as caught:
        FrontendCodec().load(ProgramFormat.QIR_TEXT, source, name="", entry_point=None, arguments=arguments)
    assert caught.value.code == code
    assert said in str(caught.value)
    assert caught.value.next_step
