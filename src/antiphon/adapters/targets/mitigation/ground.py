"""What a mitigation changes: the circuit that a target would run, without its last measurements, and how to run others.

On a simulator that is the program's own circuit. On a device it is the compiled one, on physical qubits in native
gates: what is folded or twirled there is what runs, and no compiler sees it again. Gates that are put in are written in
native ones, joined with their neighbours, and everything is scheduled anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from antiphon.adapters.targets.sim.angles import AngleTable
from antiphon.domain.circuits import (
    AssignBit,
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
    bits_read,
)
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.programs import Program

Operations = tuple[Operation, ...]


@dataclass(frozen=True)
class Ground:
    """A circuit to vary.

    Attributes:
        program: What the user submitted.
        circuit: For width, registers and parameters; its operations are not looked at.
        operations: Without the measurements at the end.
        place_of: Qubit of the circuit where each qubit of the program is at the end.
        finish: Makes operations that were varied run as they stand; the identity on a simulator.
        pulses: How many of decoupling that puts in.
    """

    program: Program
    circuit: Circuit
    operations: Operations
    place_of: Mapping[int, int]
    finish: Callable[[Operations], Operations]
    pulses: Callable[[Operations], int] = lambda _: 0

    @property
    def is_compiled(self) -> bool:
        """Whether the circuit is a device's and not the program's own."""
        return self.circuit is not self.program.circuit

    @property
    def is_static(self) -> bool:
        """Whether no measurement, reset or branch is left on the way."""
        return not any(isinstance(each, Measure | Reset | If | While | For | AssignBit) for each in self.operations)

    def bound(self, parameters: ParameterSets) -> tuple[Ground, ParameterSets]:
        """The circuit with its only parameter set written in, so that neighbouring gates can be joined."""
        if not self.circuit.parameters or parameters.num_sets != 1 or not self.is_static:
            return self, parameters
        values = np.frombuffer(parameters.data, dtype="<f8")
        circuit = replace(self.circuit, parameters=())
        unshaped = ParameterSets((), parameters.shape, b"")
        return replace(self, circuit=circuit, operations=with_angles(self.operations, values)), unshaped


def simulated(program: Program) -> Ground:
    """The program's circuit as it is."""
    circuit = program.circuit
    assert circuit is not None
    operations = without_last_measurements(circuit.operations)
    return Ground(
        program, circuit, operations, {qubit: qubit for qubit in range(circuit.num_qubits)}, lambda each: each
    )


def without_last_measurements(operations: Operations) -> Operations:
    """Operations without the measurements of qubits and bits that nothing uses afterwards."""
    last = last_measurements(operations)
    return tuple(operation for place, operation in enumerate(operations) if place not in last)


def last_measurements(operations: Operations) -> set[int]:
    """Places of top-level measurements after which neither their qubit nor their bit is used, but by their like."""
    qubits: set[int] = set()
    bits: set[int] = set()
    found: set[int] = set()
    for place in range(len(operations) - 1, -1, -1):
        operation = operations[place]
        if isinstance(operation, Measure):
            if operation.qubit not in qubits and operation.clbit not in bits:
                found.add(place)
            else:
                qubits.add(operation.qubit)
            bits.add(operation.clbit)
            continue
        used_qubits, used_bits = uses((operation,))
        qubits |= used_qubits
        bits |= used_bits
    return found


def uses(operations: Iterable[Operation]) -> tuple[set[int], set[int]]:
    """Qubits on which something happens other than waiting, and classical bits that are read or written."""
    qubits: set[int] = set()
    bits: set[int] = set()
    for operation in Circuit(0, (), (), tuple(operations)).walk():
        match operation:
            case Gate(_, on) | Unitary(_, on):
                qubits.update(on)
            case Reset(qubit):
                qubits.add(qubit)
            case Measure(qubit, clbit):
                qubits.add(qubit)
                bits.add(clbit)
            case If(condition) | While(condition):
                bits.update(bits_read(condition))
            case AssignBit(clbit, value):
                bits.update((clbit, *bits_read(value)))
            case _:
                pass
    return qubits, bits


def with_angles(operations: Operations, values: np.ndarray) -> Operations:
    """Static operations at one parameter set."""
    gates = [operation for operation in operations if isinstance(operation, Gate)]
    numbers = iter(AngleTable([angle for gate in gates for angle in gate.params]).evaluate(values).tolist())
    return tuple(
        Gate(operation.name, operation.qubits, tuple(next(numbers) for _ in operation.params))
        if isinstance(operation, Gate)
        else operation
        for operation in operations
    )


def without_delays(operations: Operations) -> Operations:
    """Operations without the time between them."""
    return tuple(operation for operation in operations if not isinstance(operation, Delay))
