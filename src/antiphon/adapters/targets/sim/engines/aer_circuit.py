"""A circuit as a Qiskit `QuantumCircuit` that Aer runs as it stands, without transpiling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from antiphon.adapters.targets.sim.angles import Floats
from antiphon.adapters.targets.sim.clifford import clifford_steps
from antiphon.adapters.targets.sim.features import Features, walk
from antiphon.adapters.targets.sim.matrices import gate_matrix, unitary_matrix
from antiphon.domain.circuits import (
    AssignBit,
    Break,
    Condition,
    Continue,
    For,
    Gate,
    If,
    Measure,
    Operation,
    Reset,
    Unitary,
    While,
)
from antiphon.errors import MissingExtraError, UnsupportedProgramError

NATIVE = frozenset(
    "x y z h s sdg sx sxdg t tdg rx ry rz p u r cx cy cz swap ecr cp rxx ryy rzz rzx ccx".split()  # noqa: SIM905
)
"""Gates that Aer's state vector, density matrix and matrix product state all have, under Qiskit's own names."""


After: TypeAlias = "Callable[[Any, Operation], None]"
"""Appends to a Qiskit circuit what follows an operation, on the circuit's own numbers of qubits."""


def qiskit_circuit(
    features: Features,
    parameters: Floats,
    *,
    clifford: bool = False,
    measured: bool = True,
    after: After | None = None,
) -> Any:
    """The circuit at one parameter set, on its used qubits, with the program's own registers.

    Args:
        features: The circuit read.
        parameters: One parameter set.
        clifford: Write every gate as Clifford primitives, for the stabilizer method.
        measured: Make the final measurements of a static circuit.
        after: Called after every operation is written, to append its noise.
    """
    try:
        import qiskit
    except ImportError as error:
        raise MissingExtraError.of("qiskit", "sims", "Aer") from error
    assigns = any(isinstance(operation, AssignBit) for operation in walk(features.operations))
    early = _jumps_before_measuring(features.operations)
    qubits = [qiskit.circuit.Qubit() for _ in range(features.num_qubits + (assigns or early))]
    circuit = qiskit.QuantumCircuit(qubits)
    for register in features.circuit.registers:
        if register.size:
            circuit.add_register(qiskit.ClassicalRegister(register.size, register.name))
    angles = iter(features.angles_of_gates(parameters))
    writer = _Writer(circuit, features, angles, clifford=clifford, after=after)
    if early and circuit.clbits:
        circuit.measure(features.num_qubits, 0)  # the spare qubit: the bit stays 0
    writer.block(circuit, features.operations[: features.before_end])
    writer.after = None  # what the last measurements do to qubits, nobody sees
    writer.block(circuit, features.operations[features.before_end :])
    if measured:
        for qubit, clbit in features.readout:
            if qubit >= 0:
                circuit.measure(qubit, clbit)
    return circuit


def _jumps_before_measuring(operations: tuple[Operation, ...]) -> bool:
    """Whether a loop or branch stands before every measurement: Aer 0.18 then loses the place that it jumps to."""
    first = next((each for each in operations if isinstance(each, Measure | AssignBit | If | While | For)), None)
    return isinstance(first, If | While | For)


class _Writer:
    def __init__(
        self,
        circuit: Any,
        features: Features,
        angles: Iterator[tuple[float, ...]],
        *,
        clifford: bool,
        after: After | None,
    ) -> None:
        self.outer = circuit
        self.spare = features.num_qubits  # a qubit of its own, through which bits are assigned
        self.angles = angles
        self.clifford = clifford
        self.after = after

    def block(self, circuit: Any, operations: tuple[Operation, ...]) -> None:
        for operation in operations:
            self.operation(circuit, operation)
            if self.after is not None:
                self.after(circuit, operation)

    def operation(self, circuit: Any, operation: Operation) -> None:
        match operation:
            case Gate():
                self.gate(circuit, operation, next(self.angles))
            case Unitary(_, qubits):
                next(self.angles)
                circuit.unitary(unitary_matrix(operation), list(qubits))
            case Measure(qubit, clbit):
                circuit.measure(qubit, clbit)
            case Reset(qubit):
                circuit.reset(qubit)
            case AssignBit(clbit, value):
                self.assign(circuit, clbit, value)
            case If(condition, then, otherwise):
                self.branch(circuit, condition, then, otherwise)
            case While(condition, body):
                circuit.while_loop(self.test(condition), self.inner(body), circuit.qubits, circuit.clbits)
            case For(turns):
                self.turns(circuit, turns)
            case Break():
                circuit.break_loop()
            case Continue():
                circuit.continue_loop()
            case _:
                pass

    def gate(self, circuit: Any, gate: Gate, angles: tuple[float, ...]) -> None:
        if gate.name == "id":
            return
        if self.clifford:
            steps = clifford_steps(gate, angles)
            if steps is None:
                raise UnsupportedProgramError(f"Gate {gate.name!r} is not Clifford at these parameters.")
            for name, qubits in steps:
                getattr(circuit, name)(*qubits)
        elif gate.name in NATIVE:
            getattr(circuit, gate.name)(*angles, *gate.qubits)
        else:
            circuit.unitary(gate_matrix(gate.name, angles), list(gate.qubits))

    def assign(self, circuit: Any, clbit: int, value: Condition) -> None:
        # Aer's density matrix has no store instruction; a spare qubit that is measured does the same everywhere.
        circuit.reset(self.spare)
        flip = circuit.copy_empty_like()
        flip.x(self.spare)
        circuit.if_test(self.test(value), flip, circuit.qubits, circuit.clbits)
        circuit.measure(self.spare, clbit)

    def branch(
        self, circuit: Any, condition: Condition, then: tuple[Operation, ...], otherwise: tuple[Operation, ...]
    ) -> None:
        bodies = [self.inner(then), self.inner(otherwise)]
        if otherwise:
            circuit.if_else(self.test(condition), *bodies, circuit.qubits, circuit.clbits)
        else:
            circuit.if_test(self.test(condition), bodies[0], circuit.qubits, circuit.clbits)

    def turns(self, circuit: Any, turns: tuple[tuple[Operation, ...], ...]) -> None:
        bodies = [self.inner(turn) for turn in turns]
        assert len(set(turns)) == 1, "a loop of differing turns is refused when the work is planned"
        circuit.for_loop(range(len(turns)), None, bodies[0], circuit.qubits, circuit.clbits)

    def inner(self, operations: tuple[Operation, ...]) -> Any:
        body = self.outer.copy_empty_like()
        self.block(body, operations)
        return body

    def test(self, condition: Condition) -> Any:
        from antiphon.frontends.qiskit_expressions import expression_of  # imports Qiskit

        return expression_of(condition, self.outer.clbits)
