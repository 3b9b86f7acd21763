"""Circuits that a mitigation makes, as programs that a target runs, each with a seed of its own."""

from __future__ import annotations

import hashlib

from antiphon.domain.circuits import Circuit, Measure, Operation, Register
from antiphon.domain.programs import Program, ProgramFormat, digest_of
from antiphon.frontends.openqasm_writer import to_openqasm3

REGISTER = "mitigation"
"""Register of the bits that are measured for an estimate. Declared last, it stands leftmost in a result."""


def program_of(circuit: Circuit, like: Program) -> Program:
    """`circuit` as a program of the same profile as the one it was made from."""
    source = to_openqasm3(circuit).encode()
    return Program(
        format=ProgramFormat.OPENQASM3,
        source=source,
        digest=digest_of(ProgramFormat.OPENQASM3, source),
        name=like.name,
        circuit=circuit,
        num_qubits=circuit.num_qubits,
        registers=circuit.registers,
        parameters=circuit.parameters,
        profile=like.profile,
    )


def derived_seed(seed: int, *labels: object) -> int:
    """A 63-bit seed for one circuit of a pub: SHA-256 over the pub's seed and what the circuit is."""
    text = ":".join(["antiphon-mitigation", str(seed), *map(str, labels)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def reading(circuit: Circuit, operations: tuple[Operation, ...], places: tuple[int, ...], *, alone: bool) -> Circuit:
    """`operations`, and then bit k of the register "mitigation" measured from qubit `places[k]`.

    Args:
        alone: No other classical bit is used, so that the program's own registers are left out.
    """
    kept = () if alone else circuit.registers
    name = REGISTER
    while any(register.name == name for register in kept):
        name += "_"
    offset = sum(register.size for register in kept)
    measured = tuple(Measure(qubit, offset + bit) for bit, qubit in enumerate(places))
    registers = (*kept, Register(name, len(places), offset))
    return Circuit(circuit.num_qubits, registers, circuit.parameters, (*operations, *measured))
