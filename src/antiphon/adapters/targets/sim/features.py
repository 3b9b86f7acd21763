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
    Circuit,
    For,
    Gate,
    If,
    Measure,
    Operation,
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
    def before_end(self) -> int:
        """How many operations come before the measurements that end the program."""
        end = len(self.operations)
        while end and isinstance(self.operations[end - 1], Measure):
            end -= 1
        return end

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
