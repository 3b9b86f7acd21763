"""A Qiskit circuit as a tape: one pass over its instructions, gates outside the table by their own definition."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from qiskit.circuit import (
    AnnotatedOperation,
    Barrier,
    BreakLoopOp,
    Clbit,
    ContinueLoopOp,
    ControlFlowOp,
    ControlledGate,
    Delay,
    Gate,
    Instruction,
    Measure,
    PowerModifier,
    QuantumCircuit,
    Reset,
    Store,
)
from qiskit.circuit.classical import expr
from qiskit.circuit.library import UnitaryGate

from antiphon.domain import circuits as tape
from antiphon.domain.gates import GATES
from antiphon.errors import LimitError, UnsupportedProgramError
from antiphon.frontends.qiskit_angles import read_angle
from antiphon.frontends.qiskit_conditions import InexpressibleError, Scope
from antiphon.frontends.qiskit_control import ControlReader
from antiphon.frontends.unrolling import MAX_OPERATIONS

"""Most operations a tape may have once loops are unrolled and definitions expanded; checked before expanding."""

MAX_MATRIX_QUBITS = 5
"""Wider explicit unitaries are decomposed by Qiskit: a matrix of 4^n entries is no longer a small instruction."""

_RENAMED: Mapping[str, tuple[str, tuple[int, ...], tuple[float, ...]]] = {
    # Old names of gates in the table: (name, which of the gate's parameters, constants inserted before or after).
    "u1": ("p", (0,), ()),
    "cu1": ("cp", (0,), ()),
    "u3": ("u", (0, 1, 2), ()),
    "cu3": ("cu", (0, 1, 2), (0.0,)),
}
_GENERIC = (Gate, Instruction, ControlledGate)
"""What circuit.to_gate() and to_instruction() make; every other class is Qiskit's own or has a fixed definition."""

_SECONDS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9, "ps": 1e12}
"""How many of a unit make a second; dividing by these is exact where multiplying by 1e-9 rounds."""


class CircuitReader(ControlReader):
    """Reads one circuit. `operations` may raise `InexpressibleError`; registers and parameters are always there.

    Attributes:
        registers: The circuit's classical registers in order, then one register of one bit for each bit that is in
            none, named _bit0, _bit1, ….
        parameters: Names in the order in which Qiskit takes an array of values.
        loop_parameters: Parameters of for-loops met on the way, in program order.
        variables: Run-time variables met on the way, in program order.
        starts: For each instruction of the circuit, how many operations were on the tape before it.
    """

    def __init__(self, circuit: QuantumCircuit) -> None:
        super().__init__()
        self._circuit = circuit
        self.starts: list[int] = []
        self.parameters = tuple(parameter.name for parameter in circuit.parameters)
        self._index = {name: position for position, name in enumerate(self.parameters)}
        self._definitions: dict[tuple[str, int], QuantumCircuit] = {}
        self._sizes: dict[int, tuple[int, QuantumCircuit]] = {}
        self._clbits: dict[Clbit, int] = {}
        registers: list[tape.Register] = []
        offset = 0
        self._shared_bit = ""
        for register in circuit.cregs:
            registers.append(tape.Register(register.name, register.size, offset))
            for position, bit in enumerate(register):
                if bit in self._clbits:
                    self._shared_bit = f"{register.name}[{position}]"
                self._clbits[bit] = offset + position
            offset += register.size
        loose = [bit for bit in circuit.clbits if bit not in self._clbits]
        for number, bit in enumerate(loose):
            registers.append(tape.Register(f"_bit{number}", 1, offset))
            self._clbits[bit] = offset
            offset += 1
        self.registers = tuple(registers)

    def operations(self) -> tuple[tape.Operation, ...]:
        """The tape. Classical bits from `FIRST_HIDDEN` on are no part of the result; `num_hidden` says how many.

        Raises:
            InexpressibleError: Valid, but the tape has no word for it.
            ProgramError: An angle is not a finite real number, or an instruction is incomplete.
            LimitError: More than `MAX_OPERATIONS` operations.
        """
        if self._shared_bit:
            raise InexpressibleError(f"a classical bit that is in two registers ({self._shared_bit})")
        circuit = self._circuit
        return tuple(self._body(circuit, range(circuit.num_qubits), Scope(self._clbits)))

    def _body(self, circuit: QuantumCircuit, qubits: Sequence[int], scope: Scope) -> list[tape.Operation]:
        self._count(len(circuit.data))
        index_of = dict(zip(circuit.qubits, qubits, strict=True))
        out: list[tape.Operation] = []
        # What must be computed or kept on the way goes to where the instruction goes.
        outer, self.unfolding.operations = self.unfolding.operations, out
        try:
            starts = self.starts if circuit is self._circuit else []
            for instruction in circuit.data:
                starts.append(len(out))
                targets = tuple(index_of[qubit] for qubit in instruction.qubits)
                if instruction.is_standard_gate():
                    self._standard_gate(instruction, targets, scope, out)
                else:
                    self._other(instruction, targets, scope, out)
        finally:
            self.unfolding.operations = outer
        return out

    def _standard_gate(
        self, instruction: Any, targets: tuple[int, ...], scope: Scope, out: list[tape.Operation]
    ) -> None:
        name = instruction.name
        if name in GATES:
            params = instruction.params
            if not params:
                out.append(tape.Gate(name, targets))
                return
            out.append(tape.Gate(name, targets, tuple(self._angle(value, scope, name) for value in params)))
        elif name in _RENAMED:
            name, positions, constants = _RENAMED[name]
            params = [self._angle(instruction.params[position], scope, name) for position in positions]
            out.append(tape.Gate(name, targets, (*params, *constants)))
        elif name != "global_phase":  # no outcome depends on it: a controlled one is another gate
            key = (name, len(targets))  # several widths share a name (mcx)
            definition = self._definitions.get(key)
            if definition is None:
                definition = instruction.operation.definition
                if not instruction.params:
                    self._definitions[key] = definition
            out.extend(self._body(definition, targets, scope))

    def _angle(self, value: Any, scope: Scope, name: str) -> tape.Angle:
        if type(value) is float and math.isfinite(value):
            return value
        return read_angle(value, self._index, scope.constants, f"Gate {name}")

    def _other(self, instruction: Any, targets: tuple[int, ...], scope: Scope, out: list[tape.Operation]) -> None:
        operation = instruction.operation
        match operation:
            case Measure():
                clbit = scope.clbits[instruction.clbits[0]]
                self.unfolding.keep(clbit)
                out.append(tape.Measure(targets[0], clbit))
            case Barrier():
                out.append(tape.Barrier(targets))
            case Reset():
                out.append(tape.Reset(targets[0]))
            case Delay():
                out.append(tape.Delay(targets[0], _seconds(operation, targets[0])))
            case UnitaryGate() if operation.num_qubits <= MAX_MATRIX_QUBITS:
                out.append(_unitary(operation.to_matrix(), targets))
            case BreakLoopOp():
                out.append(tape.Break())
            case ContinueLoopOp():
                out.append(tape.Continue())
            case Store():
                self._store(operation, scope)
            case ControlFlowOp():
                self._control_flow(operation, targets, instruction.clbits, scope)
            case _:
                definition = _definition(operation)
                self._count(self._size(definition))
                out.extend(self._block(definition, targets, instruction.clbits, scope))

    def _block(
        self, block: QuantumCircuit, targets: Sequence[int], clbits: Iterable[Clbit], scope: Scope
    ) -> list[tape.Operation]:
        """A nested circuit: its bits are those of the instruction that holds it, position by position."""
        inner = dict(scope.clbits)
        inner.update(zip(block.clbits, (scope.clbits[bit] for bit in clbits), strict=True))
        return self._body(block, targets, replace(scope, clbits=inner))

    def _size(self, definition: QuantumCircuit) -> int:
        """Operations in `definition` once the users' own definitions in it are expanded; each is looked at once."""
        known = self._sizes.get(id(definition))
        if known is None:
            size = 0
            for instruction in definition.data:
                inner = None
                if not instruction.is_standard_gate() and type(instruction.operation) in _GENERIC:
                    inner = instruction.operation.definition
                size += 1 if inner is None else self._size(inner)
            known = (size, definition)  # kept alive: the key is its address
            self._sizes[id(definition)] = known
        return known[0]

    def _count(self, operations: int, *, loop: int = 0) -> None:
        self._expanded += operations
        if self._expanded > MAX_OPERATIONS:
            what = f"a for-loop of {loop:,} turns" if loop else "its nested definitions and loops"
            raise LimitError(
                f"The circuit has more than {MAX_OPERATIONS:,} operations once it is expanded.",
                cause=f"{what} bring it to at least {self._expanded:,}",
                next_step="Use fewer turns, or a while loop whose condition a measurement sets.",
                details={"max_operations": MAX_OPERATIONS, "at_least": self._expanded},
            )


def _unitary(matrix: Any, targets: tuple[int, ...]) -> tape.Unitary:
    return tape.Unitary(tuple(np.asarray(matrix, dtype=complex).ravel().tolist()), targets)


def _seconds(delay: Delay, qubit: int) -> float:
    duration, unit = delay.duration, delay.unit
    if unit == "expr" and isinstance(duration, expr.Value):
        duration, unit = duration.value.value(), duration.value.unit()
    if unit == "dt":
        raise UnsupportedProgramError(
            f"A delay on qubit {qubit} is {duration} dt long, and the length of a dt is not part of the circuit.",
            cause="It was given in dt, or came from a QPY file, in which Qiskit forgets the unit of a delay.",
            next_step='Give the delay in seconds, e.g. circuit.delay(100, qubit, unit="ns"), or submit the circuit '
            "itself to a device that has a dt, such as emu.heron.",
            details={"instruction": "delay", "qubit": qubit},
        )
    if unit not in _SECONDS or not isinstance(duration, int | float):
        raise InexpressibleError(f"a delay of {duration} {unit}, known only at run time")
    return float(duration) / _SECONDS[unit]


def _definition(operation: Any) -> QuantumCircuit:
    """What an instruction outside the table means, in simpler instructions."""
    definition = getattr(operation, "definition", None)
    if definition is not None:
        return definition
    if not type(operation).__module__.startswith("qiskit."):
        # A class of the user's own does not survive QPY; only what its definition says does.
        raise _undefined(operation.name)
    synthesised = _synthesise(operation)
    if synthesised is None:
        raise _undefined(operation.name)
    return synthesised


def _undefined(name: str) -> UnsupportedProgramError:
    # No engine could do better: QPY keeps the name and the definition, and there is none.
    return UnsupportedProgramError(
        f"Nothing says what the instruction {name!r} does.",
        cause="It has no definition in simpler gates; noise channels and a simulator's own instructions have none.",
        next_step="Give it a definition (gate.definition = circuit), or take it out; noise is the option noise, and "
        "expectation values come from estimate.",
        details={"instruction": name},
    )


def _synthesise(operation: Any) -> QuantumCircuit | None:
    """Annotated operations, Cliffords and their like, by Qiskit's own high-level synthesis."""
    from qiskit.exceptions import QiskitError
    from qiskit.transpiler import PassManager
    from qiskit.transpiler.passes import HighLevelSynthesis

    if isinstance(operation, AnnotatedOperation):
        # QPY turns a whole power into a float, for which the synthesis takes another way: the same word for both.
        modifiers = [
            PowerModifier(int(modifier.power))
            if isinstance(modifier, PowerModifier) and modifier.power == int(modifier.power)
            else modifier
            for modifier in operation.modifiers
        ]
        operation = AnnotatedOperation(operation.base_op, modifiers)
    holder = QuantumCircuit(operation.num_qubits, operation.num_clbits)
    holder.append(operation, holder.qubits, holder.clbits)
    try:
        result = PassManager([HighLevelSynthesis(basis_gates=[*GATES, "unitary"])]).run(holder)
    except QiskitError:
        return None
    unchanged = any(entry.operation == operation for entry in result.data)
    return None if unchanged or result.num_qubits != holder.num_qubits else result
