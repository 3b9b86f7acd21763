"""Reads a circuit into `Features`: loops unrolled, idle qubits left out, and whether it measures and goes on."""

from __future__ import annotations

from collections.abc import Iterator

from antiphon.adapters.targets.sim.features import Features, name_of, walk
from antiphon.domain.circuits import (
    AssignBit,
    Barrier,
    Circuit,
    Delay,
    For,
    Gate,
    If,
    Measure,
    Operation,
    Reset,
    Unitary,
    While,
    leaves_loop,
)


def features_of(circuit: Circuit, *, keep_delays: bool = False) -> Features:
    """Read `circuit` once; linear in its operations.

    Args:
        circuit: What is read.
        keep_delays: Keep delays, for noise that heeds time.
    """
    flat = tuple(_unroll(circuit.operations, keep_delays=keep_delays))
    if keep_delays:
        flat = tuple(_delays_that_matter(flat))
    used = sorted({qubit for operation in walk(flat) for qubit in _worked_on(operation)})
    dynamic = _first_dynamic(flat)
    if dynamic is not None:
        # A qubit that is only measured still needs a place in the state that is measured while it runs.
        measured = {operation.qubit for operation in walk(flat) if isinstance(operation, Measure)}
        used = sorted({*used, *measured})
    place = {qubit: index for index, qubit in enumerate(used)}
    if dynamic is None:
        return _static(circuit, flat, place)
    every = tuple(walk(flat))
    return Features(
        circuit,
        tuple(used),
        _renumber_all(flat, place),
        (),
        dynamic,
        sum(isinstance(operation, Measure | Reset) for operation in every),
        any(isinstance(operation, While) for operation in every),
        any(isinstance(operation, If | While | For | AssignBit) for operation in every),
        final_resets=False,
    )


def _static(circuit: Circuit, flat: tuple[Operation, ...], place: dict[int, int]) -> Features:
    readout: dict[int, tuple[int, int]] = {}
    worked: set[int] = set()
    final_resets = False
    for operation in flat:
        worked.update(_worked_on(operation))
        if isinstance(operation, Measure):
            # A qubit measured while still |0⟩ reads 0, whatever happens to it later.
            readout[operation.clbit] = place[operation.qubit] if operation.qubit in worked else -1, operation.qubit
        elif isinstance(operation, Reset) and operation.qubit in worked:
            final_resets = True
    kept = tuple(_renumber(operation, place) for operation in flat if isinstance(operation, Gate | Unitary | Delay))
    in_order = sorted(readout.items())
    pairs = tuple((qubit, clbit) for clbit, (qubit, _) in in_order)
    read_from = tuple(source for _, (_, source) in in_order)
    return Features(circuit, tuple(place), kept, pairs, "", 0, False, False, final_resets, read_from)


def _unroll(operations: tuple[Operation, ...], *, keep_delays: bool) -> Iterator[Operation]:
    def inner(block: tuple[Operation, ...]) -> Iterator[Operation]:
        return _unroll(block, keep_delays=keep_delays)

    for operation in operations:
        match operation:
            case Barrier():
                continue
            case Delay():
                if keep_delays:
                    yield operation
            case For(turns) if not any(map(leaves_loop, turns)):
                for turn in turns:
                    yield from inner(turn)
            case For(turns):
                yield For(tuple(tuple(inner(turn)) for turn in turns))
            case If(bool() as known, then, otherwise):
                yield from inner(then if known else otherwise)
            case If(condition, then, otherwise):
                yield If(condition, tuple(inner(then)), tuple(inner(otherwise)))
            case While(False, _):
                continue
            case While(condition, body):
                yield While(condition, tuple(inner(body)))
            case _:
                yield operation


def _delays_that_matter(flat: tuple[Operation, ...]) -> Iterator[Operation]:
    """`flat` without delays of a qubit in |0⟩, which does not relax, and of one whose last measurement was made."""
    last_use = {
        qubit: index
        for index, operation in enumerate(flat)
        for qubit in _touched_in(operation)
        if not isinstance(operation, Delay | Reset)
    }
    live: set[int] = set()
    measured: set[int] = set()
    for index, operation in enumerate(flat):
        match operation:
            case Delay(qubit, _):
                if qubit not in live or (qubit in measured and last_use[qubit] < index):
                    continue
            case Reset(qubit):
                live.discard(qubit)
            case Measure(qubit, _):
                measured.add(qubit)
            case _:
                touched = _touched_in(operation)
                live |= touched
                measured -= touched
        yield operation


def _touched_in(operation: Operation) -> set[int]:
    """Qubits that the operation, or one inside it, acts on."""
    touched: set[int] = set()
    for inner in walk((operation,)):
        match inner:
            case Gate(_, qubits) | Unitary(_, qubits):
                touched.update(qubits)
            case Measure(qubit, _) | Reset(qubit) | Delay(qubit, _):
                touched.add(qubit)
            case _:
                pass
    return touched


def _worked_on(operation: Operation) -> tuple[int, ...]:
    """Qubits whose state the operation may change from |0⟩; measuring or resetting |0⟩ does nothing."""
    return operation.qubits if isinstance(operation, Gate | Unitary) else ()


def _first_dynamic(flat: tuple[Operation, ...]) -> str | None:
    """The first instruction that keeps measurements from being made at the end, in words; None for a static circuit."""
    worked: set[int] = set()
    ended: dict[int, str] = {}
    for index, operation in enumerate(flat):
        match operation:
            case Gate(_, qubits) | Unitary(_, qubits):
                for qubit in qubits:
                    if qubit in ended:
                        use = f"then used again by {name_of(operation)} (operation {index})"
                        return f"qubit {qubit} is {ended[qubit]} and {use}"
                worked.update(qubits)
            case Delay(qubit, _):
                if qubit in ended:  # kept only where the qubit is used or measured again
                    return f"qubit {qubit} is {ended[qubit]} and then waits (operation {index})"
            case Measure(qubit, _):
                if ended.get(qubit) == "reset":
                    return f"qubit {qubit} is reset and then measured (operation {index})"
                if qubit in worked:
                    ended[qubit] = "measured"
            case Reset(qubit):
                if qubit in worked:
                    ended[qubit] = "reset"
            case _:
                return f"operation {index} is a {name_of(operation)}, which acts on measured bits"
    return None


def _renumber(operation: Operation, place: dict[int, int]) -> Operation:
    match operation:
        case Gate(name, qubits, params):
            return Gate(name, tuple(place[qubit] for qubit in qubits), params)
        case Unitary(matrix, qubits):
            return Unitary(matrix, tuple(place[qubit] for qubit in qubits))
        case Measure(qubit, clbit):
            return Measure(place[qubit], clbit)
        case Reset(qubit):
            return Reset(place[qubit]) if qubit in place else Barrier(())
        case Delay(qubit, seconds):
            return Delay(place[qubit], seconds) if qubit in place else Barrier(())
        case If(condition, then, otherwise):
            return If(condition, _renumber_all(then, place), _renumber_all(otherwise, place))
        case While(condition, body):
            return While(condition, _renumber_all(body, place))
        case For(turns):
            return For(tuple(_renumber_all(turn, place) for turn in turns))
        case _:
            return operation


def _renumber_all(operations: tuple[Operation, ...], place: dict[int, int]) -> tuple[Operation, ...]:
    return tuple(_renumber(operation, place) for operation in operations)
