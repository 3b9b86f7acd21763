"""The size of a circuit: width, depth and gates, counted on the tape as it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.domain.circuits import Barrier, Circuit, For, Gate, If, Measure, Operation, Reset, Unitary, While
from antiphon.domain.gates import GATES


@dataclass(frozen=True, slots=True)
class CircuitFigures:
    """Size of a circuit.

    Attributes:
        width: Qubits that anything is done with.
        depth: Layers of gates, measurements and resets. Of a branch the longer side counts, and it begins after all
            that stands before it, since its bit may come from any qubit; of a loop on measurements one turn counts.
        gates: How often each gate, "measure" and "reset" are in it, both sides of branches counted.
    """

    width: int
    depth: int
    gates: Mapping[str, int]

    @property
    def entangling(self) -> int:
        """How many of its gates join several qubits."""
        return sum(count for name, count in self.gates.items() if name in GATES and GATES[name].num_qubits > 1)

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return {"width": self.width, "depth": self.depth, "gates": dict(self.gates)}


def figures_of(circuit: Circuit) -> CircuitFigures:
    """Count a circuit."""
    gates: Counter[str] = Counter()
    levels: dict[int, int] = {}
    _deepen(circuit.operations, levels, 0, gates)
    return CircuitFigures(len(levels), max(levels.values(), default=0), dict(sorted(gates.items())))


def _deepen(operations: tuple[Operation, ...], levels: dict[int, int], front: int, gates: Counter[str]) -> int:
    """Put operations on top of `levels` (of each qubit), none below `front`; the front after them."""
    for operation in operations:
        match operation:
            case Gate(name, qubits):
                _layer(levels, qubits, front, gates, name)
            case Unitary(_, qubits):
                _layer(levels, qubits, front, gates, "unitary")
            case Measure(qubit):
                _layer(levels, (qubit,), front, gates, "measure")
            case Reset(qubit):
                _layer(levels, (qubit,), front, gates, "reset")
            case Barrier(qubits):
                top = max((levels.get(qubit, 0) for qubit in qubits), default=0)
                levels.update({qubit: top for qubit in qubits if qubit in levels})
            case If(_, then, otherwise):
                front = _branch((then, otherwise), levels, front, gates)
            case While(_, body):
                front = _branch((body,), levels, front, gates)
            case For(bodies):
                for body in bodies:
                    front = _deepen(body, levels, front, gates)
            case _:
                pass
    return front


def _layer(levels: dict[int, int], qubits: tuple[int, ...], front: int, gates: Counter[str], name: str) -> None:
    gates[name] += 1
    top = max(front, *(levels.get(qubit, 0) for qubit in qubits)) + 1
    levels.update(dict.fromkeys(qubits, top))


def _branch(sides: tuple[tuple[Operation, ...], ...], levels: dict[int, int], front: int, gates: Counter[str]) -> int:
    front = max(front, *levels.values()) if levels else front
    before = dict(levels)
    for side in sides:
        after = dict(before)
        _deepen(side, after, front, gates)
        for qubit, level in after.items():
            levels[qubit] = max(levels.get(qubit, 0), level)
    return max(front, *levels.values()) if levels else front
