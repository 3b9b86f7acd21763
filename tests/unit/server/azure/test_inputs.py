import json
from typing import Any

import pytest

from antiphon.composition import load_drivers
from antiphon.domain.programs import ProgramFormat
from antiphon.domain.work import JobKind
from antiphon.errors import AntiphonError, LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends.codec import FrontendCodec
from antiphon.server.azure.inputs import AzureInput, read_input
from antiphon.server.azure.targets import AzureTargets
from qir_with_parameters import TURN, argument
from qsharp_programs import bitcode, qir

QASM = b"""OPENQASM 2.0;
include "qelib1.inc";
qreg q[2]; creg low[1]; creg high[1];
x q[1]; measure q[0] -> low[0]; measure q[1] -> high[0];
"""
IONQ = json.dumps({"qubits": 2, "circuit": [{"gate": "h", "target": 0}]}).encode()
TARGETS = AzureTargets(load_drivers(), aliases=True)


def read(
    source: bytes,
    input_format: str = "qir.v1",
    params: Any = None,
    *,
    target: str = "sim.auto",
    output_format: str | None = None,
) -> AzureInput:
    return read_input(FrontendCodec(), TARGETS.find(target), input_format, source, params, output_format)


def text(program: str, profile: str = "Base") -> bytes:
    return qir(program, profile)


def test_qir_text_and_bitcode() -> None:
    source = text("ghz")
    found = read(source, params={"shots": 20, "entryPoint": "ENTRYPOINT__main", "arguments": []})
    assert found.kind is JobKind.SAMPLE
    [pub] = found.pubs
    assert (pub.shots, pub.program.num_qubits, pub.program.format) == (20, 3, ProgramFormat.QIR_TEXT)
    assert found.output_format == "microsoft.quantum-results.v2"
    assert json.loads(json.dumps(found.layout)) == list(found.layout)
    again = read(bitcode(source))
    assert again.pubs[0].program.format is ProgramFormat.QIR_BITCODE
    assert again.layout == found.layout


def test_openqasm_and_ionq() -> None:
    found = read(QASM, "honeywell.openqasm.v1", {"shots": 3}, target="quantinuum.sim.h2-1sc")
    assert found.output_format == "honeywell.quantum-results.v1"
    assert found.layout == ({"registers": [["low", 1], ["high", 1]]},)
    found = read(IONQ, "ionq.circuit.v1", {}, target="ionq.simulator")
    assert found.output_format == "ionq.quantum-results.v1"
    assert found.pubs[0].program.format is ProgramFormat.IONQ_JSON


@pytest.mark.parametrize(
    ("target", "output_format", "options"),
    [
        ("ionq.simulator", None, {"exact_probabilities": "where possible"}),
        ("sim.auto", None, {"exact_probabilities": "where possible"}),
        ("ionq.simulator", "microsoft.quantum-results.v2", {}),
        ("ionq.qpu.aria-1", None, {}),  # a device counts shots
        ("sim.stabilizer", None, {}),
    ],
)
def test_ionqs_results_are_exact_where_a_simulator_gives_them(
    target: str, output_format: str | None, options: dict[str, Any]
) -> None:
    assert read(IONQ, "ionq.circuit.v1", target=target, output_format=output_format).options == options


@pytest.mark.parametrize(
    ("params", "shots"),
    [
        (None, 500),
        ({}, 500),
        ({"shots": None}, 500),
        ({"shots": 7}, 7),
        ({"shots": 7.0}, 7),
        ({"count": 8}, 8),
        ({"shots": 7, "count": 8}, 7),
        ({"items": [], "shots": 9}, 9),
        ({"items": [{"entryPoint": "ENTRYPOINT__main"}], "shots": 9}, 9),
        ({"items": [{"entryPoint": "ENTRYPOINT__main", "shots": 4}], "shots": 9}, 4),
        ({"targetCapability": "x", "anything": [1]}, 500),
    ],
)
def test_shots(params: Any, shots: int) -> None:
    found = read(text("ghz"), params=params)
    assert found.kind is JobKind.SAMPLE
    assert [pub.shots for pub in found.pubs] == [shots]


def test_items_are_a_batch() -> None:
    item = {"entryPoint": "ENTRYPOINT__main", "arguments": []}
    found = read(text("bell"), params={"items": [item, {}, {**item, "shots": 3}], "shots": 5, **item})
    assert found.kind is JobKind.BATCH
    assert [pub.shots for pub in found.pubs] == [5, 5, 3]
    assert len({pub.program.digest for pub in found.pubs}) == 1
    assert [layout["shape"] for layout in found.layout] == [["t", "r", "r"]] * 3


def test_arguments_are_written_into_each_item() -> None:
    def item(theta: float) -> dict[str, Any]:
        return {"arguments": [argument("theta", "Double", theta), argument("phi", "Double", 0.0)]}

    found = read(TURN.encode(), params={"items": [item(0.5), item(0.5), item(1.5)], "entryPoint": "turn"})
    first, same, other = (pub.program for pub in found.pubs)
    assert first is same
    assert first.digest != other.digest
    assert other.circuit is not None
    assert len(found.layout) == 3
    alone = read(TURN.encode(), params=item(0.5), target="ionq.simulator")  # it is of the base profile
    assert alone.pubs[0].program.digest == first.digest


@pytest.mark.parametrize(
    ("source", "input_format", "params", "kind", "code"),
    [
        (b"garbage", "qir.v1", {}, ProgramError, "qir-invalid"),
        (b"\x00\xff", "qir.v1", {}, ProgramError, "program-invalid"),
        (b"", "qir.v1", {}, ProgramError, "program-invalid"),
        (b"{}", "ionq.circuit.v1", {}, ProgramError, "ionq-invalid"),
        (b"DECLARE ro BIT[1]", "rigetti.quil.v1", {}, UnsupportedProgramError, "input-format-unknown"),
        (b"{}", "pasqal.pulser.v1", {}, UnsupportedProgramError, "input-format-unknown"),
        (b"{}", "", {}, UnsupportedProgramError, "input-format-unknown"),
        (b"{}", "microsoft.resource-estimates", {}, UnsupportedProgramError, "input-format-unknown"),
        ("ghz", "qir.v1", [], ProgramError, "input-params-invalid"),
        ("ghz", "qir.v1", {"items": {"a": 1}}, ProgramError, "input-params-invalid"),
        ("ghz", "qir.v1", {"items": ["a"]}, ProgramError, "input-params-invalid"),
        ("ghz", "qir.v1", {"items": [{}] * 1001}, LimitError, "limit-exceeded"),
        ("ghz", "qir.v1", {"entryPoint": 3}, ProgramError, "input-params-invalid"),
        ("ghz", "qir.v1", {"entryPoint": "other"}, ProgramError, "program-invalid"),
        ("ghz", "qir.v1", {"shots": "many"}, LimitError, "shots-invalid"),
        ("ghz", "qir.v1", {"shots": True}, LimitError, "shots-invalid"),
        ("ghz", "qir.v1", {"shots": 1.5}, LimitError, "shots-invalid"),
        (QASM, "honeywell.openqasm.v1", {"items": [{}, {}]}, UnsupportedProgramError, "items-unsupported"),
        (QASM, "honeywell.openqasm.v1", {"arguments": [{}]}, UnsupportedProgramError, "arguments-unsupported"),
        ("ghz", "qir.v1", {"arguments": {"n": 3}}, ProgramError, "input-params-invalid"),
        (TURN.encode(), "qir.v1", {"arguments": [{}]}, ProgramError, "arguments-invalid"),
        (
            "ghz",
            "qir.v1",
            {"arguments": [{"name": "n", "value": 3, "type": "Int"}]},
            UnsupportedProgramError,
            "arguments-unsupported",
        ),
    ],
)
def test_what_is_wrong_is_named(
    source: bytes | str, input_format: str, params: Any, kind: type[AntiphonError], code: str
) -> None:
    given = text(source) if isinstance(source, str) else source
    with pytest.raises(kind) as caught:
        read(given, input_format, params)
    assert caught.value.code == code
    assert caught.value.next_step


def test_a_format_that_cannot_be_written_is_refused_at_once() -> None:
    with pytest.raises(UnsupportedProgramError, match="cannot be written"):
        read(text("ghz"), output_format="pasqal.pulser-results.v1")
    with pytest.raises(UnsupportedProgramError, match="no measurement results"):
        read(text("count", "Adaptive_RI"), output_format="ionq.quantum-results.v1")
    assert read(text("ghz"), output_format="").output_format == "microsoft.quantum-results.v2"
    assert read(text("ghz"), output_format="ionq.quantum-results.v1").output_format == "ionq.quantum-results.v1"


def test_a_result_too_large_to_list_is_refused_at_once() -> None:
    shots = {"shots": 10_000_000}
    with pytest.raises(LimitError, match=r"about 209 MiB long") as caught:
        read(text("ghz"), params=shots)
    assert caught.value.code == "result-too-large"
    with pytest.raises(LimitError):
        read(text("ghz"), params={"items": [{}, {}], "shots": 5_000_000})
    assert read(text("ghz"), params=shots, output_format="microsoft.quantum-results.v1").pubs[0].shots == 10_000_000
    assert read(IONQ, "ionq.circuit.v1", shots).pubs[0].shots == 10_000_000


def test_a_program_wider_than_the_target() -> None:
    wide = json.dumps({"qubits": 30, "circuit": []}).encode()
    with pytest.raises(LimitError, match=r"30 qubits; ionq.simulator has 29") as caught:
        read(wide, "ionq.circuit.v1", target="ionq.simulator")
    assert caught.value.code == "qubits-exceeded"


def test_a_program_beyond_the_targets_profile() -> None:
    adaptive = text("teleport", "Adaptive_RI")
    assert read(adaptive, target="quantinuum.sim.h2-1e").kind is JobKind.SAMPLE
    with pytest.raises(UnsupportedProgramError, match=r"needs the profile Adaptive_RI; ionq\.simulator takes Base"):
        read(adaptive, target="ionq.simulator")


def test_what_was_compiled_for_the_base_profile_runs_on_base() -> None:
    # Returned twice: still measured once, at the end.
    twice = text("first_of_three").replace(b"i64 3", b"i64 4", 1)
    record = next(line for line in twice.splitlines() if b"result_record_output" in line)
    twice = twice.replace(record, record + b"\n" + record, 1)
    found = read(twice, target="ionq.simulator")
    assert found.pubs[0].program.profile.value == "Base"


def test_noise_is_the_targets_own_unless_the_job_asks_for_none() -> None:
    assert read(text("ghz"), target="quantinuum.sim.h2-1e").options["noise"]["depolarizing_2q"] > 0
    assert read(text("ghz"), params={"error-model": False}, target="quantinuum.sim.h2-1e").options == {}
    ideal = {"noise": {"model": "ideal"}}
    assert "noise" not in read(IONQ, "ionq.circuit.v1", ideal, target="ionq.simulator").options
    with pytest.raises(UnsupportedProgramError, match="cannot reproduce the noise"):
        read(IONQ, "ionq.circuit.v1", {"noise": {"model": "aria-1", "seed": 3}}, target="ionq.simulator")
    own = {"noise": {"depolarizing_2q": 0.1}}
    assert read(text("ghz"), params=own).options == own
