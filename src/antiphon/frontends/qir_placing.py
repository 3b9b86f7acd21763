"""Finds the registers of a QIR program's circuit: returned results first, and what is only looked at behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.domain.circuits import AssignBit, Barrier, Gate, If, Measure, Operation, Register, Reset, While
from antiphon.domain.decisions import Choice, Decision, Word, bits_asked, choices
from antiphon.domain.returned import HIDDEN, Returned, ReturnedGroup, ReturnedValue, Returns
from antiphon.frontends.conditions import bits_read_by, bits_written_by, with_bits
from antiphon.frontends.qir_outputs import Leaf, Output, registers_of
from antiphon.frontends.unread import without_unread


@dataclass(frozen=True, slots=True)
class Placed:
    """Registers and operations of a circuit, and how its bits become what the program returns."""

    registers: tuple[Register, ...]
    operations: tuple[Operation, ...]
    returns: Returns | None


def placed(operations: Sequence[Operation], output: Output, recorded: Sequence[Decision]) -> Placed:
    """Give every bit its place.

    Args:
        operations: On bits numbered in any way.
        output: What is recorded; the number of a leaf is its place in `recorded`.
        recorded: The values.
    """
    operations = without_unread(operations, bits_asked(*recorded))
    wanted = bits_asked(*recorded) | bits_read_by(operations)
    operations = _without_unread(operations, wanted)
    registers = registers_of(output)
    places: dict[int, int] = {}
    is_plain = registers is not None
    for place, decision in enumerate(recorded):
        if registers is not None and _is_bit(decision) and decision.bit not in places:  # type: ignore[attr-defined]
            places[decision.bit] = place  # type: ignore[attr-defined]
        elif decision is not False:
            is_plain = False
    num_shown = 0 if registers is None else len(recorded)
    hidden = sorted(wanted - places.keys())
    places |= {bit: num_shown + index for index, bit in enumerate(hidden)}
    # What is measured only because of what it does to the qubit needs one bit for all.
    spare = num_shown + len(hidden)
    unread = bits_written_by(operations) - wanted
    num_hidden = len(hidden) + bool(unread)
    moved = with_bits(operations, lambda bit: places.get(bit, spare))
    shown = registers or ()
    if is_plain and not num_hidden:
        return Placed(shown, moved, None)
    every = (*shown, Register(HIDDEN, num_hidden, num_shown)) if num_hidden else shown
    known: dict[Choice, Decision] = {}
    decisions = [_moved(decision, places, known) for decision in recorded]
    if registers is not None:
        return Placed(every, moved, Returns(shown, tuple(decisions)))
    return Placed(every, moved, Returns(value=_returned(output, decisions)))


def _is_bit(decision: Decision) -> bool:
    return isinstance(decision, Choice) and decision.zero is False and decision.one is True


def _moved(decision: Decision, places: dict[int, int], known: dict[Choice, Decision]) -> Decision:
    if isinstance(decision, Word):
        return Word(tuple(_moved(digit, places, known) for digit in decision.digits), decision.signed)
    for choice in sorted(choices(decision), key=lambda one: -one.bit):
        if choice not in known:
            zero, one = (known[p] if isinstance(p, Choice) else p for p in (choice.zero, choice.one))
            known[choice] = Choice(places[choice.bit], zero, one)
    return known[decision] if isinstance(decision, Choice) else decision


def _returned(output: Output, decisions: Sequence[Decision]) -> Returned:
    if isinstance(output, Leaf):
        assert output.number is not None
        return ReturnedValue(output.kind, decisions[output.number])
    return ReturnedGroup(output.kind, tuple(_returned(part, decisions) for part in output.parts))


def _without_unread(operations: Sequence[Operation], wanted: set[int]) -> list[Operation]:
    """Leave out measurements that nobody reads and resets, where nothing else follows on their qubit.

    They change no outcome. Only those outside branches are considered.
    """
    touched: set[int] = set()
    kept: list[Operation] = []
    for operation in reversed(operations):
        match operation:
            case Measure(qubit, number) if number not in wanted and qubit not in touched:
                continue
            case Reset(qubit):
                if qubit not in touched:
                    continue  # the program is over for this qubit
                touched.discard(qubit)
            case Gate(_, qubits):
                touched.update(qubits)
            case Measure(qubit, _):
                touched.add(qubit)
            case If() | While():
                inside = (*operation.then, *operation.otherwise) if isinstance(operation, If) else operation.body
                touched |= _qubits(inside)
            case Barrier() | AssignBit():
                pass
            case _:
                pass
        kept.append(operation)
    return kept[::-1]


def _qubits(operations: Sequence[Operation]) -> set[int]:
    found: set[int] = set()
    for operation in operations:
        match operation:
            case Gate(_, qubits):
                found.update(qubits)
            case Measure(qubit, _) | Reset(qubit):
                found.add(qubit)
            case If(_, then, otherwise):
                found |= _qubits(then) | _qubits(otherwise)
            case While(_, body):
                found |= _qubits(body)
            case _:
                pass
    return found
