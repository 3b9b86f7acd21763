"""A circuit as JSON values and back, exact to the bit: what the cache of compiled circuits keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from antiphon.domain.circuits import (
    Affine,
    AllOf,
    Angle,
    AnyOf,
    AssignBit,
    Barrier,
    Bit,
    Break,
    Call,
    Circuit,
    Condition,
    Continue,
    Delay,
    For,
    Gate,
    If,
    Measure,
    Not,
    Operation,
    Parity,
    Register,
    Reset,
    Unitary,
    While,
)


def circuit_to_json(circuit: Circuit) -> dict[str, Any]:
    """The circuit as JSON values. A gate is a list of its name, qubits and angles; every other word has its own.

    Raises:
        TypeError: It holds something that has no word here.
    """
    return {
        "num_qubits": circuit.num_qubits,
        "registers": [[register.name, register.size, register.offset] for register in circuit.registers],
        "parameters": list(circuit.parameters),
        "operations": [_operation(operation) for operation in circuit.operations],
    }


def circuit_from_json(data: dict[str, Any]) -> Circuit:
    """The inverse of `circuit_to_json`.

    Raises:
        KeyError, TypeError, ValueError, IndexError: It is not what that wrote.
    """
    return Circuit(
        data["num_qubits"],
        tuple(Register(name, size, offset) for name, size, offset in data["registers"]),
        tuple(data["parameters"]),
        tuple(_read_operation(each) for each in data["operations"]),
    )


def _operation(operation: Operation) -> list[Any]:
    match operation:
        case Gate(name, qubits, params):
            return [name, list(qubits), *map(_angle, params)]
        case Measure(qubit, clbit):
            return ["=measure", qubit, clbit]
        case Reset(qubit):
            return ["=reset", qubit]
        case Delay(qubit, seconds):
            return ["=delay", qubit, seconds]
        case Barrier(qubits):
            return ["=barrier", list(qubits)]
        case Unitary(matrix, qubits):
            return ["=unitary", list(qubits), [[entry.real, entry.imag] for entry in matrix]]
        case AssignBit(clbit, value):
            return ["=assign", clbit, _condition(value)]
        case If(condition, then, otherwise):
            return ["=if", _condition(condition), _body(then), _body(otherwise)]
        case While(condition, body):
            return ["=while", _condition(condition), _body(body)]
        case For(bodies):
            return ["=for", *map(_body, bodies)]
        case Break():
            return ["=break"]
        case Continue():
            return ["=continue"]
    raise TypeError(type(operation).__name__)


def _body(operations: Sequence[Operation]) -> list[Any]:
    return [_operation(operation) for operation in operations]


def _read_body(data: list[Any]) -> tuple[Operation, ...]:
    return tuple(_read_operation(each) for each in data)


def _read_operation(data: list[Any]) -> Operation:
    match data:
        case ["=measure", qubit, clbit]:
            return Measure(qubit, clbit)
        case ["=reset", qubit]:
            return Reset(qubit)
        case ["=delay", qubit, seconds]:
            return Delay(qubit, seconds)
        case ["=barrier", qubits]:
            return Barrier(tuple(qubits))
        case ["=unitary", qubits, entries]:
            return Unitary(tuple(complex(real, imag) for real, imag in entries), tuple(qubits))
        case ["=assign", clbit, value]:
            return AssignBit(clbit, _read_condition(value))
        case ["=if", condition, then, otherwise]:
            return If(_read_condition(condition), _read_body(then), _read_body(otherwise))
        case ["=while", condition, body]:
            return While(_read_condition(condition), _read_body(body))
        case ["=for", *bodies]:
            return For(tuple(_read_body(body) for body in bodies))
        case ["=break"]:
            return Break()
        case ["=continue"]:
            return Continue()
        case [str(name), list(qubits), *params] if not name.startswith("="):
            return Gate(name, tuple(qubits), tuple(_read_angle(each) for each in params))
    raise ValueError(data)


def _angle(angle: Angle) -> Any:
    match angle:
        case Affine(constant, terms):
            return {"constant": constant, "terms": [list(term) for term in terms]}
        case Call(function, arguments):
            return {"call": function, "of": [_angle(each) for each in arguments]}
        case _:
            return float(angle)


def _read_angle(data: Any) -> Angle:
    match data:
        case {"constant": constant, "terms": terms}:
            return Affine(constant, tuple((index, coefficient) for index, coefficient in terms))
        case {"call": function, "of": arguments}:
            return Call(function, tuple(_read_angle(each) for each in arguments))
        case float() | int():
            return float(data)
    raise ValueError(data)


def _condition(condition: Condition) -> Any:
    match condition:
        case bool():
            return condition
        case Bit(index):
            return index
        case Not(operand):
            return ["not", _condition(operand)]
        case AllOf(operands):
            return ["all", *map(_condition, operands)]
        case AnyOf(operands):
            return ["any", *map(_condition, operands)]
        case Parity(operands):
            return ["odd", *map(_condition, operands)]
    raise TypeError(type(condition).__name__)


def _read_condition(data: Any) -> Condition:
    match data:
        case bool():
            return data
        case int():
            return Bit(data)
        case ["not", operand]:
            return Not(_read_condition(operand))
        case ["all", *operands]:
            return AllOf(tuple(map(_read_condition, operands)))
        case ["any", *operands]:
            return AnyOf(tuple(map(_read_condition, operands)))
        case ["odd", *operands]:
            return Parity(tuple(map(_read_condition, operands)))
    raise ValueError(data)
