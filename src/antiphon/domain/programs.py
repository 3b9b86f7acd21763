"""Programs: the artefact as submitted, named by the hash of its content, and what a front end read in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from antiphon.domain.circuits import Circuit, Register
from antiphon.domain.returned import Returns


class ProgramFormat(StrEnum):
    """The formats an artefact may have. None of them is a pickle."""

    QPY = "qpy"  # Qiskit's own serialisation
    CIRQ_JSON = "cirq-json"
    OPENQASM2 = "openqasm2"
    OPENQASM3 = "openqasm3"
    QIR_TEXT = "qir-text"  # LLVM assembly, UTF-8
    QIR_BITCODE = "qir-bitcode"
    IONQ_JSON = "ionq-json"  # IonQ's circuits, UTF-8


class Profile(StrEnum):
    """What classical control a program needs or a target offers, from least to most.

    Source: the target profiles of Azure Quantum; each includes the ones before it.
    """

    BASE = "Base"  # gates, then measurements
    ADAPTIVE_RI = "Adaptive_RI"  # mid-circuit measurement, reset, branches, integers, bounded loops
    ADAPTIVE_RIF = "Adaptive_RIF"  # and floating point
    ADAPTIVE = "Adaptive"  # and loops that end on a measurement
    UNRESTRICTED = "Unrestricted"

    @property
    def rank(self) -> int:
        """Position in the order; a target of rank r runs programs of rank ≤ r."""
        return list(Profile).index(self)


@dataclass(frozen=True, slots=True)
class Program:
    """An immutable program: the artefact, its content hash, and its circuit where one can be read.

    Attributes:
        format: Format of `source`.
        source: The artefact as submitted, unchanged.
        digest: "sha256:" and 64 hexadecimal digits over format and source, and over the entry point where it is one of
            several: they are different programs.
        name: The user's name for it; not part of the digest.
        circuit: The tape that engines run, or None when only an engine that takes `source` itself can run it
            (QIR with integer arithmetic, Qiskit run-time variables); `opaque_because` then says why.
        num_qubits: Qubits the program needs.
        registers: Classical registers in order of declaration; they name the parts of every result string.
        parameters: Names of free parameters, in the order in which an array of values is taken.
        profile: The smallest profile that suffices.
        entry_point: For QIR, the function to run.
        made_with: SDK and package versions that produced the artefact, for the record.
        qubit_names: The SDK's own name of each qubit, by index; empty when they are just numbers.
        returns: How the bits of the circuit become the outcome; None when they are the outcome, and `registers` are
            those of the circuit. Whoever runs the circuit passes its counts through `returned.as_returned`.
    """

    format: ProgramFormat
    source: bytes
    digest: str
    name: str
    circuit: Circuit | None
    num_qubits: int
    registers: tuple[Register, ...]
    parameters: tuple[str, ...]
    profile: Profile
    opaque_because: str = ""
    entry_point: str | None = None
    made_with: Mapping[str, str] = field(default_factory=dict)
    qubit_names: tuple[str, ...] = ()
    returns: Returns | None = field(default=None, compare=False)

    def __hash__(self) -> int:
        return hash(self.digest)


def digest_of(format: ProgramFormat, source: bytes, entry_point: str | None = None) -> str:  # noqa: A002 - the field's own word
    """The content hash that names a program: SHA-256 over the format's name, a zero byte, and the source.

    Args:
        entry_point: The function to run, of a module with several; its own hash then follows the format's name.
    """
    head = format.value.encode()
    if entry_point is not None:
        head += b" " + hashlib.sha256(entry_point.encode()).hexdigest().encode()
    return "sha256:" + hashlib.sha256(head + b"\0" + source).hexdigest()
