"""When things happen: a compiled circuit with the time that its qubits wait written in as delays.

Every operation starts as late as those after it allow, so that a qubit leaves |0⟩ no earlier than it must. Control flow
divides the circuit: at a branch or loop the whole device is at one time, because which of its bodies runs, and so how
long it takes, is not known before. A measurement whose bit is asked there ends early enough for the decision to be
made; all qubits that are still needed wait that long. Qubits in |0⟩, before their first operation and after a reset,
and those that nothing is done with any more, wait for free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from antiphon.domain.calibrations import Calibration
from antiphon.domain.circuits import (
    AssignBit,
    Barrier,
    Break,
    Circuit,
    Continue,
    Delay,
    For,
    Gate,
    If,
    Measure,
    Operation,
    Reset,
    Unitary,
    While,
    bits_read,
)

SHORTEST_S = 1e-12
"""Shorter waits are rounding."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Operations with their delays.

    Attributes:
        operations: In an order that keeps every dependency.
        seconds: From the first to the last, on the longest path; a loop on measurements is counted once.
        waits: Seconds that each qubit waits for classical decisions, on the path where they sum to the most.
    """

    operations: tuple[Operation, ...]
    seconds: float
    waits: Mapping[int, float] = field(default_factory=dict)


def schedule(operations: tuple[Operation, ...], calibration: Calibration) -> Scheduled:
    """The operations, all of them native to the device, with delays on the qubits that wait."""
    block = _Scheduler(calibration).block(operations, frozenset(), frozenset(), frozenset(), {})
    return Scheduled(block.operations, block.seconds, block.waits)


@dataclass(frozen=True, slots=True)
class _Block:
    """A block scheduled: what it is, how long it takes, and the state it leaves.

    `awake` are the qubits that may not be in |0⟩ at its end; `pending` says how long after its end bits are decided.
    """

    operations: tuple[Operation, ...]
    seconds: float
    waits: dict[int, float]
    awake: frozenset[int]
    pending: dict[int, float]


class _Scheduler:
    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration

    def block(
        self,
        operations: tuple[Operation, ...],
        needed: frozenset[int],
        awake: frozenset[int],
        asked: frozenset[int],
        pending: Mapping[int, float],
    ) -> _Block:
        """Schedule a block.

        Args:
            needed: Qubits whose state matters after the block.
            awake: Qubits that may not be in |0⟩ when it begins.
            asked: Bits that are read when it ends.
            pending: How long after its beginning bits are decided.
        """
        parts = list(_parts(operations))
        needs = _needs_after(parts, needed)
        out: list[Operation] = []
        seconds, waits, held = 0.0, dict[int, float](), dict(pending)
        for place, part in enumerate(parts):
            follows = parts[place + 1] if place + 1 < len(parts) else None
            read = asked if follows is None else _asked_by(follows)
            if isinstance(part, tuple):
                # Where the device waits for one decision, those asked for later are made in the same time.
                waits_here = any(isinstance(each, Measure) and each.clbit in read for each in part)
                later = frozenset(bit for each in parts[place + 1 :] for bit in _read_in(each) if waits_here)
                done = self._segment(part, needs[place], awake, read, later, held)
            else:
                done = self._control(part, needs[place], awake, read, held)
            out += done.operations
            seconds += done.seconds
            awake, held = done.awake, done.pending
            _add(waits, done.waits)
        return _Block(tuple(out), seconds, waits, awake, held)

    def _segment(
        self,
        operations: tuple[Operation, ...],
        needed: frozenset[int],
        awake: frozenset[int],
        asked: frozenset[int],
        later: frozenset[int],
        pending: Mapping[int, float],
    ) -> _Block:
        """Schedule operations without control flow."""
        late = max((left for bit, left in pending.items() if bit in asked), default=0.0)
        backwards = _Backwards(self._calibration, needed, asked, later, late)
        after = [backwards.add(operation) for operation in reversed(operations)][::-1]
        out: list[Operation] = backwards.before(awake)
        for operation, gaps in zip(operations, after, strict=True):
            out.append(operation)
            out += gaps
        length = backwards.length
        held = {bit: max(0.0, left - length) for bit, left in pending.items()} | backwards.pending
        return _Block(tuple(out), length, backwards.waits, _awake_after(operations, awake), held)

    def _control(
        self,
        operation: Operation,
        needed: frozenset[int],
        awake: frozenset[int],
        asked: frozenset[int],
        pending: Mapping[int, float],
    ) -> _Block:
        match operation:
            case If(condition, then, otherwise):
                bodies = [self.block(body, needed, awake, asked, pending) for body in (then, otherwise)]
                made: Operation = If(condition, bodies[0].operations, bodies[1].operations)
            case While(condition, body):
                inside = frozenset(_qubits_in(body))
                read = asked | frozenset(bits_read(condition))
                bodies = [self.block(body, needed | inside, awake | inside, read, pending)]
                made = While(condition, bodies[0].operations)
            case For(turns):
                inside = frozenset(qubit for turn in turns for qubit in _qubits_in(turn))
                bodies = [
                    self.block(turn, needed | inside, awake | inside, asked, pending) for turn in dict.fromkeys(turns)
                ]
                by_turn = dict(zip(dict.fromkeys(turns), bodies, strict=True))
                made = For(tuple(by_turn[turn].operations for turn in turns))
                return _Block(
                    (made,),
                    sum(by_turn[turn].seconds for turn in turns),
                    _summed(by_turn[turn].waits for turn in turns),
                    awake | inside,
                    _latest(bodies),
                )
            case _:
                return _Block((operation,), 0.0, {}, awake, dict(pending))
        return _Block(
            (made,),
            max(body.seconds for body in bodies),
            max((body.waits for body in bodies), key=lambda waits: sum(waits.values())),
            frozenset().union(*(body.awake for body in bodies)),
            _latest(bodies),
        )


class _Backwards:
    """Operations without control flow, added from the last to the first; times are told from the end.

    Attributes:
        length: Seconds from the first operation to the end.
        pending: How long after the end the bits that are measured here are decided.
    """

    def __init__(
        self,
        calibration: Calibration,
        needed: frozenset[int],
        asked: frozenset[int],
        later: frozenset[int],
        length: float,
    ) -> None:
        self._calibration = calibration
        self._decision_s = length  # how long before the end the measurement of what is asked begins
        self._matters = set(needed)  # qubits whose state matters after what is added next
        self._asked = {*asked, *later}
        self._now = set(asked)
        self._begins: dict[int, float] = {}
        self._idle: list[tuple[int, float, float]] = []
        self.length = length
        self.pending: dict[int, float] = {}

    def add(self, operation: Operation) -> list[Delay]:
        """Put the operation before all others; the waits that then follow it."""
        if isinstance(operation, AssignBit):
            for wanted in (self._asked, self._now):
                if operation.clbit in wanted:
                    wanted.discard(operation.clbit)
                    wanted.update(bits_read(operation.value))
            return []
        qubits = _touched(operation)
        end = self._end(operation, qubits)
        # A barrier has no state to keep, and what a reset leaves keeps itself.
        gaps = [] if isinstance(operation, Reset) else [gap for qubit in qubits for gap in self._gap(qubit, end)]
        if isinstance(operation, Reset):
            self._matters.discard(operation.qubit)
        elif not isinstance(operation, Barrier):
            self._matters.update(qubits)
        begin = end + self._seconds(operation)
        self._begins.update(dict.fromkeys(qubits, begin))
        self.length = max(self.length, begin)
        return gaps

    @property
    def waits(self) -> dict[int, float]:
        """Seconds that each qubit waits while what is asked at the end is measured and decided."""
        found: dict[int, float] = {}
        for qubit, begin, end in self._idle:
            during = min(end, self._decision_s) - begin
            if during > 0.0:
                found[qubit] = found.get(qubit, 0.0) + during
        return found

    def before(self, awake: frozenset[int]) -> list[Operation]:
        """The waits of qubits that are not in |0⟩ when it all begins."""
        return [gap for qubit in sorted(awake & self._matters) for gap in self._gap(qubit, self.length)]

    def _end(self, operation: Operation, qubits: tuple[int, ...]) -> float:
        end = max((self._begins.get(qubit, 0.0) for qubit in qubits), default=0.0)
        if isinstance(operation, Measure):
            feedforward = self._calibration.feedforward_s
            if operation.clbit in self._asked:
                self._asked.discard(operation.clbit)
                end = max(end, feedforward)
            if operation.clbit in self._now:
                self._now.discard(operation.clbit)
                self._decision_s = max(self._decision_s, self._calibration.measure_s + feedforward)
            self.pending.setdefault(operation.clbit, max(0.0, feedforward - end))
        return end

    def _gap(self, qubit: int, end: float) -> list[Delay]:
        begin = self._begins.get(qubit, 0.0)
        if end - begin <= SHORTEST_S or qubit not in self._matters:
            return []
        self._idle.append((qubit, begin, end))
        return [Delay(qubit, end - begin)]

    def _seconds(self, operation: Operation) -> float:
        match operation:
            case Gate(name, qubits):
                found = self._calibration.gates.get(name, {}).get(qubits)
                return 0.0 if found is None else found.seconds
            case Measure():
                return self._calibration.measure_s
            case Reset():
                return self._calibration.reset_s
            case Delay(_, seconds):
                return seconds
            case _:
                return 0.0


def _parts(operations: tuple[Operation, ...]) -> Iterator[tuple[Operation, ...] | Operation]:
    """Runs of operations without control flow, as tuples, and what stands between them."""
    run: list[Operation] = []
    for operation in operations:
        if isinstance(operation, If | While | For | Break | Continue):
            yield tuple(run)
            yield operation
            run = []
        else:
            run.append(operation)
    yield tuple(run)


def _needs_after(parts: list[tuple[Operation, ...] | Operation], needed: frozenset[int]) -> list[frozenset[int]]:
    """The qubits whose state matters after each part."""
    found = [needed]
    for part in reversed(parts[1:]):
        matters = set(found[-1])
        if isinstance(part, tuple):
            for operation in reversed(part):
                if isinstance(operation, Reset):
                    matters.discard(operation.qubit)
                elif not isinstance(operation, Barrier):
                    matters.update(_touched(operation))
        else:
            matters.update(_qubits_in((part,)))
        found.append(frozenset(matters))
    return found[::-1]


def _awake_after(operations: tuple[Operation, ...], awake: frozenset[int]) -> frozenset[int]:
    found = set(awake)
    for operation in operations:
        if isinstance(operation, Reset):
            found.discard(operation.qubit)
        elif isinstance(operation, Gate | Unitary):
            found.update(operation.qubits)
    return frozenset(found)


def _asked_by(part: tuple[Operation, ...] | Operation) -> frozenset[int]:
    """The bits that are read before the part begins."""
    match part:
        case If(condition) | While(condition):
            return frozenset(bits_read(condition))
        case _:
            return frozenset()


def _read_in(part: tuple[Operation, ...] | Operation) -> Iterator[int]:
    """The bits that conditions in the part read."""
    walked = Circuit(0, (), (), part if isinstance(part, tuple) else (part,)).walk()
    for operation in walked:
        if isinstance(operation, If | While):
            yield from bits_read(operation.condition)
        elif isinstance(operation, AssignBit):
            yield from bits_read(operation.value)


def _touched(operation: Operation) -> tuple[int, ...]:
    match operation:
        case Gate(_, qubits) | Unitary(_, qubits) | Barrier(qubits):
            return qubits
        case Measure(qubit) | Reset(qubit) | Delay(qubit):
            return (qubit,)
        case _:
            return ()


def _qubits_in(operations: tuple[Operation, ...]) -> set[int]:
    walked = Circuit(0, (), (), operations).walk()
    return {qubit for operation in walked if not isinstance(operation, Barrier) for qubit in _touched(operation)}


def _add(total: dict[int, float], more: Mapping[int, float]) -> None:
    for qubit, seconds in more.items():
        total[qubit] = total.get(qubit, 0.0) + seconds


def _summed(each: Iterable[Mapping[int, float]]) -> dict[int, float]:
    total: dict[int, float] = {}
    for waits in each:
        _add(total, waits)
    return total


def _latest(blocks: Iterable[_Block]) -> dict[int, float]:
    pending: dict[int, float] = {}
    for block in blocks:
        for bit, left in block.pending.items():
            pending[bit] = max(pending.get(bit, 0.0), left)
    return pending
