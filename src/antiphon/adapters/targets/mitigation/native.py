"""Gates that were put into a compiled circuit, in the device's own gates and joined with their neighbours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from antiphon.adapters.targets.sim.matrices import gate_matrix
from antiphon.domain.circuits import Barrier, Delay, Gate, Measure, Operation, Reset, Unitary
from antiphon.errors import MissingExtraError

Operations = tuple[Operation, ...]

_EULER: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"rz", "sx", "x"}), "ZSXX"),
    (frozenset({"rz", "sx"}), "ZSX"),
    (frozenset({"u"}), "U"),
    (frozenset({"rx", "rz"}), "ZXZ"),
    (frozenset({"ry", "rz"}), "ZYZ"),
    (frozenset({"rx", "ry"}), "XYX"),
    (frozenset({"r"}), "RR"),
)
"""Qiskit's name of the decomposition into each set of gates, the shortest in pulses first."""


def in_native_gates(native: Sequence[str]) -> Callable[[Operations], Operations]:
    """Rewrites operations whose two-qubit gates are native: runs of one-qubit gates with known angles are joined.

    Gates with free angles stay as they are; a gate alone that is native already, too. Barriers and delays end a run.
    """
    names = frozenset(native)

    def rewritten(operations: Operations) -> Operations:
        runs: dict[int, list[Gate]] = {}
        out: list[Operation] = []

        def end(qubits: Sequence[int]) -> None:
            for qubit in qubits:
                out.extend(_joined(runs.pop(qubit, []), names))

        for operation in operations:
            if _is_plain(operation):
                assert isinstance(operation, Gate)
                runs.setdefault(operation.qubits[0], []).append(operation)
                continue
            end(_qubits(operation) if _qubits(operation) is not None else tuple(runs))  # type: ignore[arg-type]
            out.append(operation)
        end(tuple(runs))
        return tuple(out)

    return rewritten


def _is_plain(operation: Operation) -> bool:
    return (
        isinstance(operation, Gate)
        and len(operation.qubits) == 1
        and all(isinstance(angle, int | float) for angle in operation.params)
    )


def _qubits(operation: Operation) -> tuple[int, ...] | None:
    """None for control flow, which may touch any."""
    match operation:
        case Gate(_, qubits) | Unitary(_, qubits) | Barrier(qubits):
            return qubits
        case Delay(qubit) | Measure(qubit) | Reset(qubit):
            return (qubit,)
        case _:
            return None


def _joined(run: list[Gate], names: frozenset[str]) -> Iterator[Operation]:
    if not run or (len(run) == 1 and run[0].name in names):
        yield from run
        return
    qubits = run[0].qubits
    for name, angles in _native(tuple((gate.name, gate.params) for gate in run), names):
        yield Gate(name, qubits, angles)


@lru_cache(maxsize=20_000)
def _native(
    gates: tuple[tuple[str, tuple[float, ...]], ...], names: frozenset[str]
) -> tuple[tuple[str, tuple[float, ...]], ...]:
    """The product of one-qubit gates as native ones; random instances have the same few products over and over."""
    matrix = np.eye(2, dtype=np.complex128)
    for name, params in gates:
        matrix = gate_matrix(name, params) @ matrix
    found = []
    for gate in _decomposer(names)(matrix):
        name, angles = gate.operation.name, tuple(float(angle) for angle in gate.operation.params)
        if name == "r" and abs(math.remainder(angles[0], 2 * math.pi)) < 1e-12:
            continue
        found.append((name, angles))
    return tuple(found)


@cache
def _decomposer(names: frozenset[str]) -> Any:
    try:
        from qiskit.synthesis import OneQubitEulerDecomposer
    except ImportError as error:
        raise MissingExtraError.of("qiskit", "mitigation", "mitigation on devices") from error
    basis = next(basis for needed, basis in _EULER if needed <= names)
    return OneQubitEulerDecomposer(basis)
