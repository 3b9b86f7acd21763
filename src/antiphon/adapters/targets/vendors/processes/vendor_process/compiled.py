"""A circuit that Qiskit compiled for a backend, as the protocol tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Clbit, IfElseOp
from qiskit.circuit.classical import expr
from vendor_process.serving import CannotTellError, Json

NOT_TOLD = frozenset({"id", "barrier"})
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12}


def told_circuit(circuit: QuantumCircuit, dt: float | None) -> Json:
    """The circuit on the backend's qubits, and where the program's are at its start.

    Args:
        dt: Of the backend, in seconds, for delays that are told in it.

    Raises:
        CannotTellError: It has an instruction that the protocol has no word for.
    """
    if circuit.layout is None:
        raise CannotTellError("the compiler tells no layout")
    operations = list(
        _operations(circuit, dt, {qubit: place for place, qubit in enumerate(circuit.qubits)}, _bits(circuit))
    )
    return {
        "qubits": circuit.num_qubits,
        "bits": circuit.num_clbits,
        "operations": operations,
        "layout": circuit.layout.initial_index_layout(filter_ancillas=True),
    }


def _bits(circuit: QuantumCircuit) -> dict[Clbit, int]:
    return {bit: place for place, bit in enumerate(circuit.clbits)}


def _operations(
    circuit: QuantumCircuit, dt: float | None, qubits: Mapping[Any, int], bits: Mapping[Any, int]
) -> Iterator[list[Any]]:
    for each in circuit.data:
        operation, on = each.operation, [qubits[qubit] for qubit in each.qubits]
        match operation.name:
            case "measure":
                yield ["=measure", on[0], bits[each.clbits[0]]]
            case "reset":
                yield ["=reset", on[0]]
            case "delay":
                yield ["=delay", on[0], _seconds(operation, dt)]
            case "if_else":
                yield _branch(operation, dt, on, [bits[bit] for bit in each.clbits], bits)
            case name if name not in NOT_TOLD:
                yield [name, on, *map(float, operation.params)]


def _branch(
    operation: IfElseOp, dt: float | None, on: list[int], clbits: list[int], bits: Mapping[Any, int]
) -> list[Any]:
    bodies = []
    for block in operation.blocks:
        inner_qubits = dict(zip(block.qubits, on, strict=True))
        inner_bits = dict(zip(block.clbits, clbits, strict=True))
        bodies.append(list(_operations(block, dt, inner_qubits, inner_bits)))
    return ["=if", _condition(operation.condition, bits), bodies[0], bodies[1] if len(bodies) > 1 else []]


def _condition(condition: Any, bits: Mapping[Any, int]) -> Any:
    match condition:
        case (Clbit() as bit, value):
            return bits[bit] if value else ["not", bits[bit]]
        case expr.Var(var=Clbit() as bit):
            return bits[bit]
        case expr.Unary(op=expr.Unary.Op.LOGIC_NOT | expr.Unary.Op.BIT_NOT, operand=operand):
            return ["not", _condition(operand, bits)]
    raise CannotTellError(f"the protocol has no word for the condition {condition}")


def _seconds(delay: Any, dt: float | None) -> float:
    if delay.unit == "dt":
        if dt is None:
            raise CannotTellError("the backend does not tell how long a dt is")
        return float(delay.duration) * dt
    return float(delay.duration) * _SECONDS[delay.unit]
