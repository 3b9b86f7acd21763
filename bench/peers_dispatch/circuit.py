"""The work that every side dispatches: four qubits, 1,000 shots, in Qiskit Aer on one thread."""

from __future__ import annotations

import functools
from typing import Any

PROGRAM = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[4];
creg c[4];
h q[0];
cx q[0], q[1];
ry(0.7) q[2];
cx q[1], q[2];
rz(0.3) q[2];
ry(1.1) q[3];
cx q[2], q[3];
ry(0.4) q[0];
measure q -> c;
"""
SHOTS = 1_000


def run(program: str, shots: int) -> dict[str, int]:
    """Counts of one run: what a user's task does. A program that ran before in this process is not read again."""
    found = _simulator().run(_read(program), shots=shots).result().get_counts()
    return {str(key): int(times) for key, times in found.items()}


@functools.cache
def _simulator() -> Any:
    from qiskit_aer import AerSimulator

    return AerSimulator(method="statevector", max_parallel_threads=1)


@functools.cache
def _read(program: str) -> Any:
    from qiskit import qasm2

    return qasm2.loads(program)
