"""Which classical bits conditions and operations look at and write."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from antiphon.domain.circuits import (
    AllOf,
    AnyOf,
    AssignBit,
    Bit,
    Condition,
    For,
    If,
    Measure,
    Not,
    Operation,
    Parity,
    While,
    bits_read,
)


def bits_read_by(operations: Iterable[Operation]) -> set[int]:
    """The bits that operations look at, nested ones included."""
    found: set[int] = set()
    for operation in operations:
        match operation:
            case AssignBit(_, value):
                found |= bits_read(value)
            case If(condition, then, otherwise):
                found |= bits_read(condition) | bits_read_by(then) | bits_read_by(otherwise)
            case While(condition, body):
                found |= bits_read(condition) | bits_read_by(body)
            case For(bodies):
                for body in bodies:
                    found |= bits_read_by(body)
            case _:
                pass
    return found


def bits_written_by(operations: Iterable[Operation]) -> set[int]:
    """The bits that operations measure into or assign, nested ones included."""
    found: set[int] = set()
    for operation in operations:
        match operation:
            case AssignBit(clbit, _) | Measure(_, clbit):
                found.add(clbit)
            case If(_, then, otherwise):
                found |= bits_written_by(then) | bits_written_by(otherwise)
            case While(_, body):
                found |= bits_written_by(body)
            case For(bodies):
                for body in bodies:
                    found |= bits_written_by(body)
            case _:
                pass
    return found


def with_bits(operations: Iterable[Operation], place: Callable[[int], int]) -> tuple[Operation, ...]:
    """The operations on classical bits of other numbers."""
    result: list[Operation] = []
    for operation in operations:
        match operation:
            case Measure(qubit, clbit):
                result.append(Measure(qubit, place(clbit)))
            case AssignBit(clbit, value):
                result.append(AssignBit(place(clbit), condition_with_bits(value, place)))
            case If(condition, then, otherwise):
                ways = with_bits(then, place), with_bits(otherwise, place)
                result.append(If(condition_with_bits(condition, place), *ways))
            case While(condition, body):
                result.append(While(condition_with_bits(condition, place), with_bits(body, place)))
            case For(bodies):
                result.append(For(tuple(with_bits(body, place) for body in bodies)))
            case _:
                result.append(operation)
    return tuple(result)


def condition_with_bits(condition: Condition, place: Callable[[int], int]) -> Condition:
    """The condition on bits of other numbers."""
    match condition:
        case Bit(index):
            return Bit(place(index))
        case Not(operand):
            return Not(condition_with_bits(operand, place))
        case AllOf(operands) | AnyOf(operands) | Parity(operands):
            return type(condition)(tuple(condition_with_bits(operand, place) for operand in operands))
        case _:
            return condition
