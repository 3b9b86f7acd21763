"""Finds a classical bit for every measurement result of a QIR program.

A circuit's bits are its result string, so a result that is measured, looked at and not returned has no bit of its own:
it borrows the bit of a result that is measured later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from antiphon.domain.circuits import (
    AllOf,
    AnyOf,
    Barrier,
    Bit,
    Condition,
    Gate,
    If,
    Measure,
    Not,
    Operation,
    Parity,
    Reset,
)

_MAX_COMPARISONS = 5_000_000


@dataclass(frozen=True, slots=True)
class Placed:
    """Operations over classical bits, and the bit of each result."""

    operations: tuple[Operation, ...]
    bits: dict[int, int]


@dataclass(slots=True)
class _Use:
    """When a result is written and read; a path names the branches around a place."""

    writes: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    reads: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)

    @property
    def start(self) -> int:
        """From when on the bit is taken: from the beginning, unless a write surely comes before every read."""
        if not self.writes:
            return -1
        first, around = self.writes[0]
        surely = all(time > first and path[: len(around)] == around for time, path in self.reads)
        return first if surely else -1

    @property
    def end(self) -> int:
        """Until when the bit is taken."""
        return max(time for time, _ in (*self.writes, *self.reads))


def place_results(operations: Sequence[Operation], recorded: Sequence[int]) -> Placed | None:
    """Results to bits: the i-th recorded one is bit i. None when a result that is not recorded finds no bit.

    Args:
        operations: Operations whose classical bits are result numbers.
        recorded: Result numbers in order of recording.
    """
    operations = _without_unread(operations, set(recorded) | _read(operations))
    uses: dict[int, _Use] = {}
    end = _collect(operations, uses, 0, ())
    for number in recorded:
        uses.setdefault(number, _Use()).reads.append((end, ()))
    bits: dict[int, int] = {}
    for i, number in enumerate(recorded):
        bits.setdefault(number, i)
    # A bit is free until its own result is written; one whose result already has a bit is free until the end.
    free_until = [uses[number].start if bits[number] == i else end for i, number in enumerate(recorded)]
    taken_until = [-2] * len(recorded)
    hidden = sorted((use.start, use.end, number) for number, use in uses.items() if number not in bits)
    if len(hidden) * len(recorded) > _MAX_COMPARISONS:
        return None
    for start, last, number in hidden:
        fitting = [i for i in range(len(recorded)) if free_until[i] > last and taken_until[i] < start]
        if not fitting:
            return None
        best = min(fitting, key=lambda i: free_until[i])
        bits[number], taken_until[best] = best, last
    return Placed(_renamed(operations, bits), bits)


def _renamed(operations: Sequence[Operation], bits: dict[int, int]) -> tuple[Operation, ...]:
    result: list[Operation] = []
    for operation in operations:
        match operation:
            case Measure(qubit, number):
                result.append(Measure(qubit, bits[number]))
            case If(condition, then, otherwise):
                result.append(If(_rewritten(condition, bits), _renamed(then, bits), _renamed(otherwise, bits)))
            case _:
                result.append(operation)
    return tuple(result)


def _rewritten(condition: Condition, bits: dict[int, int]) -> Condition:
    match condition:
        case Bit(number):
            return Bit(bits[number])
        case Not(operand):
            return Not(_rewritten(operand, bits))
        case AllOf(operands) | AnyOf(operands) | Parity(operands):
            return type(condition)(tuple(_rewritten(operand, bits) for operand in operands))
        case _:
            return condition


def results_read(condition: Condition) -> Iterator[int]:
    """The results that a condition looks at."""
    match condition:
        case Bit(number):
            yield number
        case Not(operand):
            yield from results_read(operand)
        case AllOf(operands) | AnyOf(operands) | Parity(operands):
            for operand in operands:
                yield from results_read(operand)
        case _:
            pass


def _collect(operations: Sequence[Operation], uses: dict[int, _Use], time: int, path: tuple[int, ...]) -> int:
    for operation in operations:
        time += 1
        match operation:
            case Measure(_, number):
                uses.setdefault(number, _Use()).writes.append((time, path))
            case If(condition, then, otherwise):
                for number in results_read(condition):
                    uses.setdefault(number, _Use()).reads.append((time, path))
                branch = time
                time = _collect(then, uses, time, (*path, 2 * branch))
                time = _collect(otherwise, uses, time, (*path, 2 * branch + 1))
            case _:
                pass
    return time + 1


def _read(operations: Sequence[Operation]) -> set[int]:
    found: set[int] = set()
    for operation in operations:
        if isinstance(operation, If):
            found |= {*results_read(operation.condition), *_read(operation.then), *_read(operation.otherwise)}
    return found


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
            case Barrier():
                pass
            case If():
                touched |= _qubits(operation)
            case _:
                pass
        kept.append(operation)
    return kept[::-1]


def _qubits(branch: If) -> set[int]:
    found: set[int] = set()
    for operation in (*branch.then, *branch.otherwise):
        match operation:
            case Gate(_, qubits):
                found.update(qubits)
            case Measure(qubit, _) | Reset(qubit):
                found.add(qubit)
            case If():
                found |= _qubits(operation)
            case _:
                pass
    return found
