"""The artefact of a Qiskit circuit: QPY that is the same for the same circuit, and that keeps all of it.

The circuit's name and metadata are left out (the name is kept on the program), and the random identifiers that QPY
writes for parameters and variables are replaced by ones derived from their names and places. So the same object always
has the same digest, and so does the same circuit built again in another process, but for three things that Qiskit
itself makes anew each time: numbered names of sub-circuits, numbered names of loop variables, and the order in which
one expression of several parameters lists them.

QPY of Qiskit 2.6 writes a delay's number and forgets its unit; a duration expression keeps both, so that is how delays
are written.
"""

from __future__ import annotations

import io
import uuid
import warnings
from collections.abc import Sequence
from typing import Any

import qiskit as sdk
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Delay, Duration, Parameter, ParameterVectorElement
from qiskit.circuit.classical import expr

from antiphon.errors import ProgramError
from antiphon.frontends.qiskit_delays import with_delays

MAGIC = b"QISKIT"
OLDEST_QPY = 13
"""Older versions are refused: 13 fixed a deserialisation weakness (CVE-2025-1403)."""

_NAMES = uuid.UUID("9b0e2f5c-9d0e-5b59-8a53-0d9e3c8a6f11")
_DURATIONS = {"s": Duration.s, "ms": Duration.ms, "us": Duration.us, "ns": Duration.ns, "ps": Duration.ps}


def write(circuit: QuantumCircuit, loop_parameters: Sequence[Parameter], variables: Sequence[Any] = ()) -> bytes:
    """`circuit` as QPY, without name and metadata.

    Raises:
        ProgramError: QPY cannot hold it.
    """
    plain = with_delays(circuit, _with_unit)
    plain.name = "circuit-0"
    plain.metadata = {}
    buffer = io.BytesIO()
    try:
        qpy.dump(plain, buffer)
    except BaseException as error:
        if not _is_failure(error):
            raise
        raise ProgramError(
            "Qiskit cannot write this circuit as QPY.",
            cause=f"{type(error).__name__}: {error}",
            next_step="Replace instructions of your own classes by gates with a definition (circuit.decompose()).",
        ) from error
    source = buffer.getvalue()
    for identifier, replacement in _identifiers(circuit, loop_parameters, variables).items():
        source = source.replace(identifier.bytes, replacement.bytes)
    return source


def _identifiers(
    circuit: QuantumCircuit, loop_parameters: Sequence[Parameter], variables: Sequence[Any]
) -> dict[uuid.UUID, uuid.UUID]:
    """For each random identifier one made of the parameter's name; elements of a vector count up from the vector's."""
    found: dict[uuid.UUID, uuid.UUID] = {}
    for parameter in circuit.parameters:
        if isinstance(parameter, ParameterVectorElement):
            index = parameter.index
            root = uuid.uuid5(_NAMES, f"vector {parameter.vector.name}")
            found[uuid.UUID(int=(parameter.uuid.int - index) % 2**128)] = root
            found[parameter.uuid] = uuid.UUID(int=(root.int + index) % 2**128)
        else:
            found[parameter.uuid] = uuid.uuid5(_NAMES, f"parameter {parameter.name}")
    for number, parameter in enumerate(loop_parameters):
        found[parameter.uuid] = uuid.uuid5(_NAMES, f"loop {number}")
    for number, variable in enumerate(variables):
        if isinstance(variable.var, uuid.UUID):
            found[variable.var] = uuid.uuid5(_NAMES, f"variable {number}")
    return found


def _with_unit(delay: Delay) -> Delay:
    """A delay in seconds as a duration expression."""
    if delay.unit not in _DURATIONS or not isinstance(delay.duration, int | float):
        return delay
    return Delay(expr.lift(_DURATIONS[delay.unit](float(delay.duration))))


def load(source: bytes) -> QuantumCircuit:
    """The one circuit in a QPY file.

    Raises:
        ProgramError: Not QPY, damaged, older than version 13, or not exactly one circuit.
    """
    if len(source) < len(MAGIC) + 1 or not source.startswith(MAGIC):
        raise ProgramError("This is not a QPY file.", next_step="Write one with qiskit.qpy.dump.")
    version = source[len(MAGIC)]
    if version < OLDEST_QPY:
        raise ProgramError(
            f"The circuit is in QPY version {version}; versions before {OLDEST_QPY} are not read.",
            cause="Version 13 fixed a weakness that let a file run code when it was opened.",
            next_step="Open the file with your own Qiskit and write it again with a current version.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            circuits = qpy.load(io.BytesIO(source))
    except BaseException as error:
        if not _is_failure(error):
            raise
        raise ProgramError(
            f"The QPY file cannot be read by Qiskit {sdk.__version__}.",
            cause=f"{type(error).__name__}: {error}",
            next_step="Check that the file is complete and not written by a newer Qiskit.",
        ) from error
    if len(circuits) != 1 or not isinstance(circuits[0], QuantumCircuit):
        raise ProgramError(
            f"The QPY file holds {len(circuits)} circuits; a program is one.",
            next_step="Write one file for each circuit, or submit them as a batch.",
        )
    return circuits[0]


def _is_failure(error: BaseException) -> bool:
    """Whether `error` is Qiskit's: an exception, or a panic of its Rust half, which Python does not count as one."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"
