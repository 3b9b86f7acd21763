"""Dynamical decoupling: pulses in the time that qubits wait, which undo what a slow environment does to them."""

from __future__ import annotations

from collections.abc import Callable

from antiphon.domain.circuits import Delay, Gate, Operation

Operations = tuple[Operation, ...]

PULSES = {"XX": "XX", "YY": "YY", "XY4": "XYXY", "XY8": "XYXYYXYX"}


def decoupled(
    operations: Operations, sequence: str, seconds_of: Callable[[Operation], float]
) -> tuple[Operations, int]:
    """Operations with pulses in every delay that has room for the sequence, and how many delays had.

    Spacing is that of CPMG and of Qiskit's `PadDynamicalDecoupling`: the wait is cut into as many equal parts as there
    are pulses, each with its pulse in the middle.
    """
    letters = PULSES[sequence]
    out: list[Operation] = []
    filled = 0
    for operation in operations:
        if not isinstance(operation, Delay):
            out.append(operation)
            continue
        pulses = [Gate(letter.lower(), (operation.qubit,)) for letter in letters]
        lengths = [seconds_of(pulse) for pulse in pulses]
        each = (operation.seconds - sum(lengths)) / len(pulses)
        if each <= 0.0:
            out.append(operation)
            continue
        filled += 1
        for pulse in pulses:
            out += [Delay(operation.qubit, each / 2), pulse, Delay(operation.qubit, each / 2)]
    return tuple(out), filled
