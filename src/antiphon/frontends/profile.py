"""The smallest profile that suffices for a circuit: what a target must offer beside gates and final measurements."""

from __future__ import annotations

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
    Reset,
    Unitary,
    While,
)
from antiphon.domain.programs import Profile


def smallest_profile(circuit: Circuit) -> Profile:
    """Base, Adaptive_RI or Adaptive, by the circuit's instructions alone.

    Base: nothing happens to a qubit after its measurement but barriers and delays, no qubit is reset once it was used,
    and there is no control flow. Adaptive_RI: any of these, or bounded loops that run all their turns. Adaptive: a loop
    whose number of turns depends on a measurement.
    """
    kinds = {type(operation) for operation in circuit.walk()}
    if kinds & {While, Break, Continue}:
        return Profile.ADAPTIVE
    if kinds & {If, For, AssignBit}:
        return Profile.ADAPTIVE_RI
    used: set[int] = set()
    measured: set[int] = set()
    written: set[int] = set()
    for operation in circuit.operations:
        match operation:
            case Gate(_, qubits) | Unitary(_, qubits):
                touched: tuple[int, ...] = qubits
            case Measure(qubit, clbit):
                if clbit in written:
                    return Profile.ADAPTIVE_RI
                written.add(clbit)
                touched = (qubit,)
            case Reset(qubit):
                if qubit in used:
                    return Profile.ADAPTIVE_RI
                continue
            case Barrier() | Delay():
                continue
            case _:
                return Profile.ADAPTIVE_RI
        if not measured.isdisjoint(touched):
            return Profile.ADAPTIVE_RI
        used.update(touched)
        if isinstance(operation, Measure):
            measured.add(operation.qubit)
    return Profile.BASE
