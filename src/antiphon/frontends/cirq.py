"""Cirq circuits as programs. The artefact is Cirq's own JSON, and the tape is read from the object itself."""

from __future__ import annotations

from dataclasses import replace

import cirq as sdk

from antiphon.domain.programs import Program, ProgramFormat, digest_of
from antiphon.errors import ProgramError
from antiphon.frontends.cirq_circuit import CircuitReader
from antiphon.frontends.places import SourcePlaces, places_of_steps
from antiphon.frontends.profile import smallest_profile
from antiphon.frontends.recognise_cache import RecognisedCache

_seen: RecognisedCache[sdk.Circuit, Program] = RecognisedCache()


def program_from_circuit(circuit: sdk.AbstractCircuit, name: str | None = None) -> Program:
    """The program that `circuit` is. Submitting the same object again costs a comparison.

    Qubit i is the i-th of the sorted qubits, and `qubit_names` holds their names. Each measurement is a register with
    the name of its key; bit i is the i-th qubit measured. A key measured again has registers key[1], key[2], ….
    Registers stand in the order of measurement, moment by moment. Parameters are the symbols, sorted by name.

    Raises:
        UnsupportedProgramError: Noise, qudits, confusion maps, or an operation with no meaning on qubits.
        ProgramError: Cirq's JSON cannot hold the circuit, or a control looks at a key that was not measured.
        LimitError: More operations than `unrolling.MAX_OPERATIONS` after unrolling.
    """
    program = _seen.get(circuit, lambda copy: copy == circuit)
    if program is None:
        plain = circuit.unfreeze(copy=True)
        program = _program(_artefact(plain), plain)
        _seen.put(circuit, plain, program)
    name = name or ""
    return program if program.name == name else replace(program, name=name)


def program_from_json(source: bytes, name: str | None = None) -> Program:
    """The program in a Cirq JSON file that holds one circuit; `source` is kept unchanged.

    Raises:
        ProgramError: Not Cirq JSON, damaged, or not a circuit.
    """
    return replace(_program(source, _load(source)), name=name or "")


def places_in(source: bytes) -> SourcePlaces:
    """Which moment of the circuit in a Cirq JSON file made each operation."""
    circuit = _load(source)
    reader = CircuitReader(circuit)
    tape = reader.read()
    names = [f"moment {index}: {one}" for index, moment in enumerate(circuit) for one in moment.operations]
    return places_of_steps(tape.operations, reader.starts, names)


def circuit_from_program(program: Program) -> sdk.Circuit:
    """The Cirq circuit of a program in Cirq's JSON.

    Raises:
        ProgramError: The program is in another format.
    """
    if program.format is not ProgramFormat.CIRQ_JSON:
        raise ProgramError(
            f"A program in the format {program.format.value} is not a Cirq circuit.",
            next_step="Use the front end of its own format; antiphon does not translate between SDKs.",
        )
    return _load(program.source)


def _program(source: bytes, circuit: sdk.Circuit) -> Program:
    try:
        reader = CircuitReader(circuit)
        tape = reader.read()
    except RecursionError:
        raise ProgramError(
            "The circuit is nested too deeply to read.",
            cause="Sub-circuits, decompositions or expressions inside one another exceed Python's recursion limit.",
            next_step="Flatten it, e.g. with cirq.unroll_circuit_op.",
        ) from None
    return Program(
        format=ProgramFormat.CIRQ_JSON,
        source=source,
        digest=digest_of(ProgramFormat.CIRQ_JSON, source),
        name="",
        circuit=tape,
        num_qubits=tape.num_qubits,
        registers=tape.registers,
        parameters=tape.parameters,
        profile=smallest_profile(tape),
        made_with={"cirq": sdk.__version__},
        qubit_names=tuple(str(qubit) for qubit in reader.qubits),
    )


def _artefact(circuit: sdk.Circuit) -> bytes:
    for operation in circuit.all_operations():
        for control in getattr(operation.untagged, "classical_controls", ()):
            if isinstance(control, sdk.KeyCondition) and control.index != -1:
                raise ProgramError(
                    f"Cirq's JSON does not keep the index of the classical control {control}.",
                    next_step=f"Use cirq.BitMaskKeyCondition({str(control.key)!r}, index={control.index}).",
                    details={"condition": str(control)},
                )
    try:
        text = sdk.to_json(circuit, indent=None)
    except (TypeError, ValueError) as error:
        raise ProgramError(
            "Cirq cannot write this circuit as JSON.",
            cause=str(error),
            next_step="Decompose gates of your own classes (cirq.decompose), and compute functions of parameters other "
            "than sums, products and powers in your own code.",
        ) from error
    return text.encode()


def _load(source: bytes) -> sdk.Circuit:
    try:
        found = sdk.read_json(json_text=source.decode())
    except Exception as error:
        raise ProgramError(
            f"The file cannot be read as Cirq JSON by Cirq {sdk.__version__}.",
            cause=f"{type(error).__name__}: {error}",
            next_step="Write it with cirq.to_json, by a version of Cirq that is not newer.",
        ) from error
    if not isinstance(found, sdk.AbstractCircuit):
        raise ProgramError(
            f"The Cirq JSON holds a {type(found).__name__}; a program is one circuit.",
            next_step="Write the circuit itself with cirq.to_json.",
        )
    return found.unfreeze()
