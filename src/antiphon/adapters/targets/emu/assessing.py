"""What a compiled program meets on its device: gates, depth, duration, expected fidelity, loss while it waits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from antiphon.adapters.targets.emu.cache import Kept
from antiphon.domain.calibrations import Calibration, QubitFigures
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
    While,
)
from antiphon.domain.device_noise import relaxed_fidelity
from antiphon.domain.devices import Assessment
from antiphon.domain.noise import Relaxation

WORTH_A_WARNING = 0.01
"""Part of the fidelity lost in waiting for decisions from which a user is told."""


def assess_compiled(kept: Kept, calibration: Calibration) -> Assessment:
    """The assessment of a compiled circuit under a calibration, the one it was compiled for or another.

    Fidelity is the product over gates of 1 minus their process infidelity, over waits of the process fidelity of
    relaxation, and over measurements and resets of 1 minus their mean error; a measurement on the way also counts with
    what it does to qubits that go on. Of two branches the worse counts, of a loop on measurements one turn. A single
    qubit that is left alone until it is measured is counted with all its T1 and T2.
    """
    walk = _Walk(calibration)
    waits = dict(kept.waits)
    losses = {qubit: 1.0 - walk.relaxed(qubit, seconds) for qubit, seconds in waits.items()}
    loss = 1.0 - math.prod(1.0 - each for each in losses.values())
    return Assessment(
        target=calibration.target,
        calibration=calibration.digest,
        layout=kept.layout,
        depth=depth_of(kept.circuit.operations),
        gates=dict(sorted(Counter(op.name for op in kept.circuit.walk() if isinstance(op, Gate)).items())),
        seconds=kept.duration,
        fidelity=math.exp(walk.program(kept.circuit.operations)),
        feedforward_s=sum(waits.values()),
        feedforward_loss=loss,
        warnings=_warnings(losses, loss, waits, kept.layout, calibration),
    )


def _warnings(
    losses: dict[int, float], loss: float, waits: dict[int, float], layout: tuple[int, ...], calibration: Calibration
) -> tuple[str, ...]:
    if loss < WORTH_A_WARNING:
        return ()
    worst = max(losses, key=lambda qubit: losses[qubit])
    own = f", which is qubit {layout.index(worst)} of the program at the start" if worst in layout else ""
    said = (
        f"Qubits that are still needed wait {_time(sum(waits.values()))} in all for classical decisions, in which "
        f"{100 * loss:.1f} % of the fidelity is expected to be lost: {100 * losses[worst]:.1f} % on physical qubit "
        f"{worst}{own}, which waits {_time(waits[worst])} and has {_times(calibration.qubits[worst])}."
    )
    return (said,)


def depth_of(operations: Iterable[Operation]) -> int:
    """Layers of native gates, measurements and resets, on the longest path; virtual rz take none."""
    return max(_levels(operations, {}).values(), default=0)


def _levels(operations: Iterable[Operation], levels: dict[int, int]) -> dict[int, int]:
    for operation in operations:
        match operation:
            case Gate("rz", _) | Delay() | AssignBit() | Break() | Continue():
                continue
            case Gate(_, qubits):
                _step(levels, qubits, 1)
            case Measure(qubit) | Reset(qubit):
                _step(levels, (qubit,), 1)
            case Barrier(qubits):
                _step(levels, qubits, 0)
            case If(_, then, otherwise):
                _step(levels, tuple(levels), 0)
                branches = [_levels(body, dict(levels)) for body in (then, otherwise)]
                for branch in branches:
                    levels.update({qubit: max(level, levels.get(qubit, 0)) for qubit, level in branch.items()})
            case While(_, body):
                _step(levels, tuple(levels), 0)
                _levels(body, levels)
            case For(bodies):
                for body in bodies:
                    _levels(body, levels)
    return levels


def _step(levels: dict[int, int], qubits: tuple[int, ...], by: int) -> None:
    level = max((levels.get(qubit, 0) for qubit in qubits), default=0) + by
    levels.update(dict.fromkeys(qubits, level))


class _Walk:
    """Logarithms of fidelities under one calibration."""

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration

    def program(self, operations: Sequence[Operation]) -> float:
        """Of a whole program, whose last measurements are made at once."""
        end = len(operations)
        while end and isinstance(operations[end - 1], Measure):
            end -= 1
        ending = operations[end:]
        after = frozenset(each.qubit for each in ending if isinstance(each, Measure))
        return self.block(operations[:end], after) + math.fsum(self._operation(each, frozenset()) for each in ending)

    def block(self, operations: Sequence[Operation], after: frozenset[int]) -> float:
        """Of a block after which those qubits are used."""
        found = 0.0
        for operation in reversed(operations):
            found += self._operation(operation, after)
            match operation:
                case Gate(_, qubits):
                    after = after.union(qubits)
                case Delay():
                    pass
                case Reset(qubit):
                    after -= {qubit}
                case _:
                    after |= _used_in(operation)
        return found

    def relaxed(self, qubit: int, seconds: float) -> float:
        figures = self._calibration.qubits[qubit]
        return relaxed_fidelity(Relaxation(qubit, seconds, figures.t1, figures.t2))

    def _operation(self, operation: Operation, after: frozenset[int]) -> float:
        match operation:
            case Gate(name, qubits):
                found = self._calibration.gates.get(name, {}).get(qubits)
                dimension = 2 ** len(qubits)
                return 0.0 if found is None else _log(1.0 - (dimension + 1) / dimension * found.error)
            case Measure(qubit):
                return self._measured(qubit, after)
            case Reset(qubit):
                return _log(1.0 - self._calibration.reset_error(qubit))
            case Delay(qubit, seconds):
                return _log(self.relaxed(qubit, seconds))
            case If(_, then, otherwise):
                return min(self.block(then, after), self.block(otherwise, after))
            case While(_, body):
                return self.block(body, after | _used_in(operation))
            case For(bodies):
                return math.fsum(self.block(body, after | _used_in(operation)) for body in bodies)
            case _:
                return 0.0

    def _measured(self, qubit: int, after: frozenset[int]) -> float:
        figures = self._calibration.qubits[qubit]
        found = _log(1.0 - (figures.readout_p01 + figures.readout_p10) / 2)
        if qubit in after:  # it is in 0 or 1 by then, so that there is no phase to lose
            found += _log(1.0 - -math.expm1(-self._calibration.measure_s / figures.t1) / 2)
        # The process infidelity of a qubit is 3/2 of the average one.
        return found + len(after - {qubit}) * _log(1.0 - 1.5 * self._calibration.crosstalk)


def _used_in(operation: Operation) -> frozenset[int]:
    """Qubits that the operation, or one inside it, measures or has a gate on."""
    found: set[int] = set()
    for each in Circuit(0, (), (), (operation,)).walk():
        match each:
            case Gate(_, qubits):
                found.update(qubits)
            case Measure(qubit):
                found.add(qubit)
            case _:
                pass
    return frozenset(found)


def _log(fidelity: float) -> float:
    return math.log(max(fidelity, 1e-300))


def _times(figures: QubitFigures) -> str:
    return " and ".join(
        f"{name} {_time(value)}" for name, value in (("T1", figures.t1), ("T2", figures.t2)) if math.isfinite(value)
    )


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def two_qubit_gates(circuit: Circuit) -> int:
    """Gates on two qubits in the circuit, each place counted once."""
    return sum(1 for operation in circuit.walk() if isinstance(operation, Gate) and len(operation.qubits) == 2)
