"""The input blob and `inputParams` of a job, as the programs and shots that the engine is given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from antiphon.domain.programs import Program, ProgramFormat
from antiphon.domain.work import JobKind
from antiphon.engine.requests import PubRequest
from antiphon.errors import LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends.qir_reader import is_bitcode
from antiphon.ports.program_codec import ProgramCodec
from antiphon.server.azure.declared import PULSES
from antiphon.server.azure.outputs import HONEYWELL, IONQ, QUANTUM_V2, check_output_format, check_output_size
from antiphon.server.azure.shapes import QIR_FORMATS, layout_of
from antiphon.server.azure.targets import EXACT, AzureTarget

QIR = "qir.v1"
IONQ_CIRCUIT = "ionq.circuit.v1"
OPENQASM = "honeywell.openqasm.v1"

MOST_ITEMS = 1_000
"""Items of a batch: what the genuine client sends at most."""

_DEFAULT_OUTPUT = {QIR: QUANTUM_V2, IONQ_CIRCUIT: IONQ, OPENQASM: HONEYWELL}
_REFUSED = {
    "rigetti.quil.v1": (
        "No target here runs Quil yet.",
        "Submit the program as QIR: Qiskit, Cirq and Q# do by default.",
    ),
    "pasqal.pulser.v1": (PULSES, "Write the program with gates and submit it as QIR: from Q#, Qiskit or Cirq."),
}


@dataclass(frozen=True, slots=True)
class AzureInput:
    """What a job on the wire asks of the engine.

    Attributes:
        kind: SAMPLE, or BATCH when `items` names several programs.
        pubs: The programs with their shots.
        options: Options of the engine target.
        output_format: The one asked for, or the input format's own.
        layout: JSON values that `write_output` needs, one for each pub: to be kept in the job's details under `LAYOUT`.
    """

    kind: JobKind
    pubs: tuple[PubRequest, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    output_format: str = QUANTUM_V2
    layout: tuple[Mapping[str, Any], ...] = ()


def read_input(
    codec: ProgramCodec,
    target: AzureTarget,
    input_format: str,
    source: bytes,
    input_params: Mapping[str, Any] | None,
    output_format: str | None = None,
) -> AzureInput:
    """Read the program of a job.

    Args:
        codec: The front ends.
        target: Where it is to run: its width, profile and default shots.
        input_format: The wire's `inputDataFormat`.
        source: The input blob.
        input_params: `shots` (or `count`), `entryPoint`, `arguments`, and `items` for a batch. What is not known is
            ignored, as the service does. Arguments are written into the program.
        output_format: The wire's `outputDataFormat`; None or "" for the input format's own.

    Raises:
        ProgramError: It cannot be read, is no program of this format, or `inputParams` are malformed or do not fit it.
        UnsupportedProgramError: A format that no target runs, arguments of a type that cannot be given, or a profile
            beyond the target's.
        LimitError: Shots out of range, too many items, or more qubits than the target has.
        MissingExtraError: What reads the format is not installed.
    """
    params = {} if input_params is None else input_params
    if not isinstance(params, Mapping):
        raise ProgramError("inputParams is no JSON object.", code="input-params-invalid", next_step="Send an object.")
    format_ = _program_format(input_format, source)
    items = _items(params)
    if format_ not in QIR_FORMATS and len(items) > 1:
        raise UnsupportedProgramError(
            f"Items choose between entry points, of which {input_format} has none.",
            code="items-unsupported",
            next_step="Submit the programs as jobs of their own.",
        )
    programs: dict[tuple[str | None, str], Program] = {}
    layouts: dict[tuple[str | None, str], dict[str, Any]] = {}
    calls = []
    for item in items:
        name, arguments = _entry_point(item), _arguments(item, input_format)
        call = name, json.dumps(arguments, sort_keys=True)
        if call not in programs:
            programs[call] = codec.load(format_, source, name="", entry_point=name, arguments=arguments)
            _check(programs[call], target)
            layouts[call] = layout_of(programs[call])
        calls.append(call)
    pubs = [PubRequest(programs[call], shots=_shots(item, target)) for call, item in zip(calls, items, strict=True)]
    layout = tuple(layouts[call] for call in calls)
    chosen = output_format or _DEFAULT_OUTPUT[input_format]
    check_output_format(chosen, layout)
    check_output_size(chosen, layout, [pub.shots or 0 for pub in pubs])
    options = _options(params, target)
    if chosen == IONQ and target.exact:
        options[EXACT] = "where possible"
    return AzureInput(
        kind=JobKind.SAMPLE if len(pubs) == 1 else JobKind.BATCH,
        pubs=tuple(pubs),
        options=options,
        output_format=chosen,
        layout=layout,
    )


def _program_format(input_format: str, source: bytes) -> ProgramFormat:
    match input_format:
        case "qir.v1":
            return ProgramFormat.QIR_BITCODE if is_bitcode(source) else ProgramFormat.QIR_TEXT
        case "honeywell.openqasm.v1":
            return ProgramFormat.OPENQASM2
        case "ionq.circuit.v1":
            return ProgramFormat.IONQ_JSON
    message, next_step = _REFUSED.get(
        input_format,
        (
            f"The input format {input_format!r} is not known." if input_format else "The job names no input format.",
            f"Send {', '.join(_DEFAULT_OUTPUT)}, as the clients' targets do by themselves.",
        ),
    )
    raise UnsupportedProgramError(
        message,
        code="input-format-unknown",
        next_step=next_step,
        details={"format": input_format, "formats": list(_DEFAULT_OUTPUT)},
    )


def _items(params: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The parameters of each item, those of the whole job filled in."""
    given = params.get("items")
    common = {key: value for key, value in params.items() if key != "items"}
    if not given:
        return [common]
    if not isinstance(given, list) or not all(isinstance(item, Mapping) for item in given):
        raise ProgramError(
            "`items` of inputParams is no list of objects.",
            code="input-params-invalid",
            next_step='Send e.g. "items": [{"entryPoint": "ENTRYPOINT__main", "arguments": []}].',
        )
    if len(given) > MOST_ITEMS:
        raise LimitError(
            f"{len(given):,} items are more than the {MOST_ITEMS:,} of one job.",
            next_step="Split them into several jobs.",
        )
    return [{**common, **item} for item in given]


def _options(params: Mapping[str, Any], target: AzureTarget) -> dict[str, Any]:
    """The target's own options; its noise is left out where the job asks for none, and exchanged only on our own."""
    options = dict(target.options)
    if params.get("error-model") is False:
        options.pop("noise", None)
    noise = params.get("noise")
    if noise is None:
        return options
    model = noise.get("model") if isinstance(noise, Mapping) else noise
    if model == "ideal":
        options.pop("noise", None)
    elif model is None and not target.alias:
        options["noise"] = dict(noise)
    else:
        raise UnsupportedProgramError(
            f"{target.id} cannot reproduce the noise that the job asks for.",
            code="noise-unknown",
            cause=f"inputParams.noise is {noise!r:.200}",
            next_step='Leave it out, or submit to sim.auto with e.g. {"noise": {"depolarizing_2q": 0.01}}.',
            details={"target": target.id},
        )
    return options


def _entry_point(item: Mapping[str, Any]) -> str | None:
    name = item.get("entryPoint")
    if name is None or name == "":
        return None
    if not isinstance(name, str):
        raise ProgramError(
            f"The entry point {name!r} is no name.", code="input-params-invalid", next_step="Send its name as text."
        )
    return name


def _shots(item: Mapping[str, Any], target: AzureTarget) -> int:
    shots = item.get("shots")
    if shots is None:
        shots = item.get("count")
    if shots is None:
        return target.default_shots
    if isinstance(shots, float) and shots.is_integer():
        return int(shots)
    if isinstance(shots, bool) or not isinstance(shots, int):
        raise LimitError(
            f"shots={shots!r} is not an integer.",
            code="shots-invalid",
            next_step='Send e.g. "shots": 100 in inputParams.',
        )
    return shots


def _arguments(item: Mapping[str, Any], input_format: str) -> Sequence[Mapping[str, Any]]:
    given = item.get("arguments")
    if not given:
        return ()
    if input_format != QIR:
        raise UnsupportedProgramError(
            f"Arguments are for entry points, of which {input_format} has none.",
            code="arguments-unsupported",
            next_step="Write the values into the circuit.",
        )
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        raise ProgramError(
            "`arguments` of inputParams is no list of objects.",
            code="input-params-invalid",
            next_step='Send e.g. "arguments": [{"name": "theta", "value": 0.5, "type": "Double"}].',
        )
    return given


def _check(program: Program, target: AzureTarget) -> None:
    if program.num_qubits > target.num_qubits:
        raise LimitError(
            f"The program uses {program.num_qubits} qubits; {target.id} has {target.num_qubits}.",
            code="qubits-exceeded",
            next_step="Choose a wider target, e.g. sim.auto.",
            details={"num_qubits": program.num_qubits, "limit": target.num_qubits},
        )
    if program.profile.rank > target.profile.rank:
        raise UnsupportedProgramError(
            f"The program needs the profile {program.profile.value}; {target.id} takes {target.profile.value}.",
            code="profile-exceeded",
            next_step=f"Choose a target with a larger profile, e.g. sim.auto, or compile for {target.profile.value}.",
            details={"profile": program.profile.value, "allowed": target.profile.value},
        )
