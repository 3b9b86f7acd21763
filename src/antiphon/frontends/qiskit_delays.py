"""Delays of Qiskit circuits, wherever they are: in blocks of control flow and in definitions too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import ControlFlowOp, Delay
from qiskit.circuit.classical import expr


def in_seconds(circuit: QuantumCircuit, dt_s: float) -> QuantumCircuit:
    """The circuit with each delay that is given in dt, a device's unit of time, in seconds; itself if it has none.

    Args:
        dt_s: How long that unit is.
    """
    if not _holds(circuit, _is_in_dt):
        return circuit

    def changed(delay: Delay) -> Delay:
        return Delay(_units(delay) * dt_s, "s") if _is_in_dt(delay) else delay

    return with_delays(circuit, changed)


def with_delays(circuit: QuantumCircuit, change: Callable[[Delay], Delay]) -> QuantumCircuit:
    """A copy of the circuit in which each delay is what `change` makes of it."""
    if not _holds(circuit, lambda _: True):
        return circuit.copy()
    # Built anew: Qiskit 2.6 panics when control flow is replaced in the data of a copy.
    changed = circuit.copy_empty_like()
    for instruction in circuit.data:
        changed.append(_changed(instruction.operation, change), instruction.qubits, instruction.clbits)
    return changed


def _changed(operation: Any, change: Callable[[Delay], Delay]) -> Any:
    if isinstance(operation, Delay):
        return change(operation)
    if isinstance(operation, ControlFlowOp):
        if not any(_holds(block, lambda _: True) for block in operation.blocks):
            return operation
        return operation.replace_blocks([with_delays(block, change) for block in operation.blocks])
    definition = getattr(operation, "_definition", None)
    if definition is None or not _holds(definition, lambda _: True):
        return operation
    changed = operation.copy()
    changed.definition = with_delays(definition, change)
    return changed


def _holds(circuit: QuantumCircuit, wanted: Callable[[Delay], bool]) -> bool:
    for instruction in circuit.data:
        if instruction.is_standard_gate():
            continue
        operation = instruction.operation
        if isinstance(operation, Delay):
            if wanted(operation):
                return True
            continue
        inner = list(operation.blocks) if isinstance(operation, ControlFlowOp) else []
        definition = getattr(operation, "_definition", None)
        if any(_holds(each, wanted) for each in [*inner, *([definition] if definition else [])]):
            return True
    return False


def _is_in_dt(delay: Delay) -> bool:
    return _units(delay) is not None


def _units(delay: Delay) -> Any:
    """How many dt it takes, or None where it is in another unit, or not known before it runs."""
    duration, unit = delay.duration, delay.unit
    if unit == "expr" and isinstance(duration, expr.Value):
        duration, unit = duration.value.value(), duration.value.unit()
    return duration if unit == "dt" and isinstance(duration, int | float) else None
