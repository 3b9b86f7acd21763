"""What a circuit is, as far as the choice of an engine needs it: static, Clifford, entangling, and which qubits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from antiphon.adapters.targets.sim.angles import AngleTable, Floats
from antiphon.adapters.targets.sim.clifford import is_clifford
from antiphon.domain.circuits import (
    Angle,
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
)
from antiphon.domain.gates import GATES

GateLike: TypeAlias = "Gate | Unitary"

_SCHMIDT_BITS = {"swap": 2, "iswap": 2, "dcx": 2, "cswap": 2}
# log2 of the operator Schmidt rank across a cut; every other gate of the table is at most a sum of two products.


@dataclass(frozen=True)
class Features:
    """A circuit on its used qubits alone, renumbered 0 … num_qubits-1 in order.

    Attributes:
        circuit: The circuit as submitted.
        qubits: Used qubits, by their number in the circuit; idle ones stay |0⟩ and are left out.
        operations: The circuit's operations on the renumbered qubits, counted loops without break unrolled, barriers
            dropped; for a static circuit without measurements and resets. Delays are dropped too unless they were
            asked for; then those are kept that can matter.
        readout: For a static circuit, (qubit, clbit) of the measurements that count; qubit is -1 for an idle one.
        read_from: For a static circuit, the qubit of each pair of `readout` by its number in the circuit.
        dynamic: "" when all measurements can be made at the end; else the first instruction that forbids it, in words.
        num_mid: Measurements and resets before the end (each body of a loop counted once).
        has_while: A loop that ends on a measurement is among the operations.
        has_control: A branch, a `while`, or an assignment of a bit is among the operations.
        final_resets: Resets at the end were dropped; no counts depend on them, expectation values do.
    """

    circuit: Circuit
    qubits: tuple[int, ...]
    operations: tuple[Operation, ...]
    readout: tuple[tuple[int, int], ...]
    dynamic: str
    num_mid: int
    has_while: bool
    has_control: bool
    final_resets: bool
    read_from: tuple[int, ...] = ()

    @property
    def num_qubits(self) -> int:
        """How many qubits are used."""
        return len(self.qubits)

    @property
    def measures(self) -> bool:
        """Whether any measurement is made."""
        return bool(self.readout) or any(isinstance(operation, Measure) for operation in walk(self.operations))

    @cached_property
    def has_uneven_loop(self) -> bool:
        """Whether a counted loop that `break` or `continue` may leave has turns that differ."""
        return any(isinstance(item, For) and len(set(item.bodies)) > 1 for item in walk(self.operations))

    @cached_property
    def gates(self) -> tuple[GateLike, ...]:
        """Every gate, nested ones included, in order."""
        return tuple(operation for operation in walk(self.operations) if isinstance(operation, Gate | Unitary))

    @cached_property
    def angle_table(self) -> AngleTable:
        """All angles of `gates` one after the other."""
        angles: list[Angle] = []
        for gate in self.gates:
            if isinstance(gate, Gate):
                angles.extend(gate.params)
        return AngleTable(angles)

    @cached_property
    def is_parametric(self) -> bool:
        """Whether some angle depends on a parameter."""
        return any(not isinstance(angle, int | float) for angle in self.angle_table.angles)

    def angles_of_gates(self, parameters: Floats) -> list[tuple[float, ...]]:
        """The angles of each of `gates` for one parameter set."""
        values = self.angle_table.evaluate(parameters).tolist()
        angles, start = [], 0
        for gate in self.gates:
            stop = start + (len(gate.params) if isinstance(gate, Gate) else 0)
            angles.append(tuple(values[start:stop]))
            start = stop
        return angles

    def first_non_clifford(self, parameters: Floats) -> tuple[int, GateLike, tuple[float, ...]] | None:
        """Position among `gates`, gate and angles of the first that is not Clifford at these parameters, or None."""
        for position, (gate, angles) in enumerate(zip(self.gates, self.angles_of_gates(parameters), strict=True)):
            if isinstance(gate, Unitary) or not is_clifford(gate, angles):
                return position, gate, angles
        return None

    def is_clifford_at(self, parameters: Floats) -> bool:
        """Whether every gate is Clifford at every set of `parameters`, of shape (sets, parameters)."""
        return self.may_be_clifford and all(self.first_non_clifford(row) is None for row in parameters)

    @cached_property
    def may_be_clifford(self) -> bool:
        """False when some gate is not Clifford whatever the parameters."""
        table = (gate for gate in self.gates)
        return all(
            isinstance(gate, Gate)
            and (
                GATES[gate.name].clifford
                or any(not isinstance(angle, int | float) for angle in gate.params)
                or (bool(gate.params) and is_clifford(gate, tuple(_float(angle) for angle in gate.params)))
            )
            for gate in table
        )

    @cached_property
    def log2_bond(self) -> int:
        """A bound on log2 of the bond dimension of a matrix product state in the order of the qubits.

        Each gate that crosses a cut multiplies the Schmidt rank there by at most its operator Schmidt rank, and no cut
        holds more than its smaller side.
        """
        crossing = [0] * max(self.num_qubits - 1, 0)
        for gate in self.gates:
            if len(gate.qubits) > 1:
                bits = _SCHMIDT_BITS.get(gate.name, 1) if isinstance(gate, Gate) else 2 * (len(gate.qubits) - 1)
                for cut in range(min(gate.qubits), max(gate.qubits)):
                    crossing[cut] += bits
        return max((min(bits, cut + 1, self.num_qubits - cut - 1) for cut, bits in enumerate(crossing)), default=0)


def _float(angle: Angle) -> float:
    assert isinstance(angle, int | float)
    return float(angle)


def walk(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Every operation, nested ones included, in program order."""
    for operation in operations:
        yield operation
        for body in bodies(operation):
            yield from walk(body)


def bodies(operation: Operation) -> tuple[tuple[Operation, ...], ...]:
    """The blocks inside a control-flow operation; none for any other."""
    match operation:
        case If(_, then, otherwise):
            return (then, otherwise)
        case While(_, body):
            return (body,)
        case For(turns):
            return turns
        case _:
            return ()


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
            case For(turns) if not any(_leaves_loop(turn) for turn in turns):
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


def _leaves_loop(operations: tuple[Operation, ...]) -> bool:
    """Whether a `Break` or `Continue` in the block belongs to the loop around it."""
    for operation in operations:
        if isinstance(operation, Break | Continue):
            return True
        if isinstance(operation, If) and (_leaves_loop(operation.then) or _leaves_loop(operation.otherwise)):
            return True
    return False


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


def name_of(operation: Operation) -> str:
    """The operation in a user's words, for messages."""
    match operation:
        case Gate(name):
            return f"gate {name!r}"
        case Unitary():
            return "an explicit unitary"
        case AssignBit():
            return "classical assignment"
        case If() | For() | While():
            return f"{type(operation).__name__.lower()} block"
        case _:
            return type(operation).__name__.lower()


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
