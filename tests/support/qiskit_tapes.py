"""Qiskit's circuits as the tapes that engines run."""

from __future__ import annotations

from qiskit import QuantumCircuit

from antiphon.domain import circuits as tape
from antiphon.frontends.qiskit import program_from_circuit, program_from_qpy


def read(circuit: QuantumCircuit) -> tape.Circuit:
    """The tape of a circuit that has one; what is stored of it runs again as the same tape."""
    program = program_from_circuit(circuit)
    assert program.circuit is not None, program.opaque_because
    assert program_from_qpy(program.source).circuit == program.circuit
    return program.circuit
