"""Gates as every vendor has them: those of OpenQASM's standard library, with their angles as numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from antiphon.adapters.targets.sim.features import Features, walk
from antiphon.adapters.targets.sim.lowering import lower
from antiphon.adapters.targets.vendors.conditions import MOST_BITS, branches
from antiphon.domain.circuits import (
    Circuit,
    Delay,
    For,
    Gate,
    If,
    Measure,
    Operation,
    Register,
    Unitary,
    While,
    bits_read,
)
from antiphon.errors import UnsupportedProgramError
from antiphon.frontends.openqasm_writer import to_openqasm3

BITS = "b"
"""The one register of every text: vendors differ in how they tell several."""

Angles = Iterator[tuple[float, ...]]


def check_operations(features: Features, target: str, *, delays: bool) -> None:
    """Refuse what cannot be written for a vendor.

    Args:
        delays: Whether the vendor takes delays.

    Raises:
        UnsupportedProgramError: An explicit unitary, a condition on many bits, or a delay where none is taken.
    """
    for gate in features.gates:
        if isinstance(gate, Unitary):
            raise UnsupportedProgramError(
                f"The program has an explicit unitary, which {target} cannot be sent.",
                code="unitary-unsupported",
                next_step="Decompose it into gates first (Qiskit: transpile(circuit, basis_gates=['u', 'cx'])).",
            )
    for operation in walk(features.operations):
        bits = bits_read(operation.condition) if isinstance(operation, If) else ()
        if len(bits) > MOST_BITS:
            raise UnsupportedProgramError(
                f"The program has a condition on {len(bits)} bits, which {target} cannot be sent.",
                code="condition-unsupported",
                next_step=f"Branch on {MOST_BITS} bits at most, or run it on sim.auto.",
            )
    if not delays and any(isinstance(operation, Delay) for operation in walk(features.operations)):
        raise UnsupportedProgramError(
            f"The program has a delay that matters, which {target} cannot be sent.",
            code="delay-unsupported",
            next_step="Take the delays out, or choose a target that takes them (ibm.*, emu.*).",
        )


def write_static(features: Features, angles: Sequence[tuple[float, ...]], measured: Sequence[int]) -> str:
    """A circuit whose qubits are `measured` at its end, one bit for each, as OpenQASM 3.

    Args:
        angles: Those of each of `features.gates`.
        measured: Qubits by their number in `features.operations`.
    """
    measures = tuple(Measure(qubit, bit) for bit, qubit in enumerate(measured))
    return _text(features, (*_bound(features.operations, iter(angles)), *measures), len(measured))


def write_rotated(
    features: Features,
    angles: Sequence[tuple[float, ...]],
    rotations: Sequence[tuple[str, int]],
    measured: Sequence[int],
) -> str:
    """The same with gates before the measurements that change the basis."""
    turned = (Gate(name, (qubit,)) for name, qubit in rotations)
    measures = (Measure(qubit, bit) for bit, qubit in enumerate(measured))
    return _text(features, (*_bound(features.operations, iter(angles)), *turned, *measures), len(measured))


def write_dynamic(features: Features, angles: Sequence[tuple[float, ...]]) -> str:
    """A circuit that measures on the way, with all its classical bits in one register."""
    return _text(features, tuple(_bound(features.operations, iter(angles))), features.circuit.num_clbits)


def _text(features: Features, operations: tuple[Operation, ...], bits: int) -> str:
    return to_openqasm3(Circuit(max(features.num_qubits, 1), (Register(BITS, bits, 0),), (), operations))


def _bound(operations: tuple[Operation, ...], angles: Angles) -> Iterator[Operation]:
    """The operations with numbers for angles; `angles` are taken in the order of `features.walk`."""
    for operation in operations:
        match operation:
            case Gate():
                yield from _plain(replace(operation, params=next(angles)))
            case If(condition, then, otherwise):
                yield from branches(condition, tuple(_bound(then, angles)), tuple(_bound(otherwise, angles)))
            case While(condition, body):
                yield While(condition, tuple(_bound(body, angles)))
            case For(turns):
                yield For(tuple(tuple(_bound(turn, angles)) for turn in turns))
            case _:
                yield operation


def _plain(gate: Gate) -> Iterator[Gate]:
    for name, qubits, angle in lower(gate):
        yield from _library(Gate(name, qubits, () if angle is None else (angle,)))


def _library(gate: Gate) -> Iterator[Gate]:
    """The few primitives that OpenQASM's library has not, up to a global phase."""
    match gate:
        case Gate("sxdg", qubits):
            yield from (Gate("h", qubits), Gate("sdg", qubits), Gate("h", qubits))
        case Gate("iswap", (a, b)):
            yield from (Gate("s", (a,)), Gate("s", (b,)), Gate("h", (a,)), Gate("cx", (a, b)), Gate("cx", (b, a)))
            yield Gate("h", (b,))
        case Gate("rzz", (a, b), params):
            yield from (Gate("cx", (a, b)), Gate("rz", (b,), params), Gate("cx", (a, b)))
        case Gate("rxx", (a, b), params):
            turns = (Gate("h", (a,)), Gate("h", (b,)))
            yield from (*turns, *_library(Gate("rzz", (a, b), params)), *turns)
        case Gate("ryy", (a, b), params):
            yield from (Gate("rx", (qubit,), (math.pi / 2,)) for qubit in (a, b))
            yield from _library(Gate("rzz", (a, b), params))
            yield from (Gate("rx", (qubit,), (-math.pi / 2,)) for qubit in (a, b))
        case _:
            yield gate
