"""Qiskit circuits as programs: the artefact is QPY (see `qiskit_artefact`), the tape is read from the object."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import qiskit as sdk
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError

from antiphon.domain.circuits import Circuit
from antiphon.domain.programs import Profile, Program, ProgramFormat, digest_of
from antiphon.domain.returned import Returns
from antiphon.errors import ProgramError
from antiphon.frontends.hidden import hidden_behind
from antiphon.frontends.places import SourcePlaces, places_of_steps
from antiphon.frontends.profile import smallest_profile
from antiphon.frontends.qiskit_artefact import load, write
from antiphon.frontends.qiskit_circuit import CircuitReader
from antiphon.frontends.qiskit_conditions import InexpressibleError
from antiphon.frontends.qiskit_delays import in_seconds
from antiphon.frontends.recognise_cache import RecognisedCache

_NAMED_BY_QISKIT = re.compile(r"circuit-\d+(-\d+)?")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A circuit as it was when read, to tell whether the object is still that circuit.

    Qiskit's `==` of circuits builds two graphs, and takes angles for equal that differ by 1e-10. The comparison of
    their data is exact and several times quicker, but sees neither the global phase nor what no operation uses.
    """

    circuit: QuantumCircuit

    def unchanged(self, circuit: QuantumCircuit) -> bool:
        seen = self.circuit
        return bool(
            circuit.data == seen.data
            and circuit.global_phase == seen.global_phase
            and circuit.cregs == seen.cregs
            and circuit.qregs == seen.qregs
            and circuit.qubits == seen.qubits
            and circuit.clbits == seen.clbits
        )


@dataclass(frozen=True, slots=True)
class Tape:
    """What was read: the circuit, and how its bits become the result."""

    circuit: Circuit
    returns: Returns | None


_seen: RecognisedCache[_Seen, Program] = RecognisedCache()


def program_from_circuit(circuit: QuantumCircuit, name: str | None = None, dt_s: float | None = None) -> Program:
    """The program that `circuit` is. Submitting the same object again costs a comparison.

    Bits keep Qiskit's order and registers their names; classical bits in no register follow as registers _bit0, _bit1,
    …. Run-time variables are followed through their cases, in bits that are no part of the result. What is valid in
    Qiskit but cannot be put on a tape (variables of too many cases, stretches, a bit in two registers, simulator
    instructions) gives a program whose `circuit` is None.

    Args:
        dt_s: How many seconds a dt is, for delays in it; None where nobody knows.

    Raises:
        ProgramError: An angle is not finite and real, or QPY cannot hold the circuit.
        UnsupportedProgramError: A delay in dt of which nobody knows how long it is, or a function of parameters that no
            target evaluates.
        LimitError: More operations than `unrolling.MAX_OPERATIONS` after unrolling.
    """
    if name is None:
        name = _name(circuit)
    if dt_s is not None:
        circuit = in_seconds(circuit, dt_s)
    program = _seen.get(circuit, lambda seen: seen.unchanged(circuit))
    if program is None:
        reader, tape, opaque_because = _read(circuit)
        source = write(circuit, reader.loop_parameters, reader.variables)
        program = _program(source, circuit, reader, tape, opaque_because)
        if _is_comparable(circuit):
            _seen.put(circuit, _Seen(circuit.copy()), program)
    return program if program.name == name else replace(program, name=name)


def program_from_qpy(source: bytes, name: str | None = None) -> Program:
    """The program in a QPY file that holds one circuit; `source` is kept unchanged.

    Qiskit's reader trusts the sizes that a file states, and a hostile one can keep it busy for very long: open files of
    strangers in a process that may be lost.

    Raises:
        ProgramError: Not QPY, damaged, older than version 13, or not exactly one circuit.
    """
    circuit = load(source)
    try:
        reader, tape, opaque_because = _read(circuit)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ProgramError(
            "The circuit in the QPY file contradicts itself.",
            cause=f"{type(error).__name__}: {error}",
            next_step="Check that the file is complete and was not changed.",
        ) from error
    program = _program(source, circuit, reader, tape, opaque_because)
    return program if name is None else replace(program, name=name)


def places_in(source: bytes) -> SourcePlaces:
    """Which instruction of the circuit in a QPY file made each operation."""
    circuit = load(source)
    reader = CircuitReader(circuit)
    operations = reader.operations()
    names = [f"instruction {index}, {one.operation.name}" for index, one in enumerate(circuit.data)]
    return places_of_steps(operations, reader.starts, names)


def circuit_from_program(program: Program) -> QuantumCircuit:
    """The Qiskit circuit of a QPY program. Its parameters have the original names, and identities of their own.

    Raises:
        ProgramError: The program is in another format.
    """
    if program.format is not ProgramFormat.QPY:
        raise ProgramError(
            f"A program in the format {program.format.value} is not a Qiskit circuit.",
            next_step="Use the front end of its own format; antiphon does not translate between SDKs.",
        )
    circuit = load(program.source)
    if program.name:
        circuit.name = program.name
    return circuit


def _name(circuit: QuantumCircuit) -> str:
    """The name the user gave it, or none."""
    return circuit.name if circuit.name and not _NAMED_BY_QISKIT.fullmatch(circuit.name) else ""


def _read(circuit: QuantumCircuit) -> tuple[CircuitReader, Tape | None, str]:
    try:
        reader = CircuitReader(circuit)
        operations = reader.operations()
    except InexpressibleError as reason:
        return reader, None, f"it uses {reason}"
    except QiskitError as error:
        raise ProgramError(
            "Qiskit cannot say what an instruction of the circuit means.",
            cause=error.message,
            next_step="Decompose the circuit (circuit.decompose()) and look for the instruction that fails.",
        ) from error
    except RecursionError:
        raise ProgramError(
            "The circuit is nested too deeply to read.",
            cause="Definitions, control flow or expressions inside one another exceed Python's recursion limit.",
            next_step="Flatten it, e.g. with circuit.decompose().",
        ) from None
    registers, operations, returns = hidden_behind(reader.registers, operations, reader.num_hidden)
    return reader, Tape(Circuit(circuit.num_qubits, registers, reader.parameters, operations), returns), ""


def _program(
    source: bytes, circuit: QuantumCircuit, reader: CircuitReader, tape: Tape | None, opaque_because: str
) -> Program:
    return Program(
        format=ProgramFormat.QPY,
        source=source,
        digest=digest_of(ProgramFormat.QPY, source),
        name=_name(circuit),
        circuit=None if tape is None else tape.circuit,
        num_qubits=circuit.num_qubits,
        registers=reader.registers,
        parameters=reader.parameters,
        profile=Profile.UNRESTRICTED if tape is None else _profile(tape.circuit, reader),
        opaque_because=opaque_because,
        made_with={"qiskit": sdk.__version__},
        returns=None if tape is None else tape.returns,
    )


def _profile(circuit: Circuit, reader: CircuitReader) -> Profile:
    profile = smallest_profile(circuit)
    needed = Profile.ADAPTIVE_RIF if reader.numbers.real else Profile.ADAPTIVE_RI
    return max(profile, needed, key=lambda one: one.rank) if reader.numbers.computes else profile


def _is_comparable(circuit: QuantumCircuit) -> bool:
    """Whether comparing the data sees every change: numbers in nested blocks are compared with a tolerance only."""
    return all(
        instruction.is_standard_gate() or not (instruction.params or instruction.is_control_flow())
        for instruction in circuit.data
    )
