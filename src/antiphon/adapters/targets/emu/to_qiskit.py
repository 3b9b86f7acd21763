"""A circuit as a Qiskit `QuantumCircuit` with its parameters free and its control flow as it is, for Qiskit's compiler.

Parameter number i of the circuit is the Qiskit parameter `p` and i in six digits: Qiskit sorts by name, so that the
order is kept whichever of them survive. Registers keep their names; qubits are a register `q`, or plain where a
classical register has that name.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from qiskit.circuit import ClassicalRegister, Parameter, ParameterExpression, QuantumCircuit, Qubit
from qiskit.circuit.library import get_standard_gate_name_mapping

from antiphon.domain.circuits import (
    Affine,
    Angle,
    AssignBit,
    Barrier,
    Break,
    Call,
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
    leaves_loop,
)
from antiphon.errors import UnsupportedProgramError
from antiphon.frontends.qiskit_expressions import expression_of

_CLASSES = {name: type(gate) for name, gate in get_standard_gate_name_mapping().items()}


def parameter_name(index: int) -> str:
    """The Qiskit name of the circuit's parameter with that index."""
    return f"p{index:06d}"


def parameter_index(name: str) -> int:
    """The inverse of `parameter_name`."""
    return int(name.removeprefix("p"))


def to_qiskit(circuit: Circuit) -> QuantumCircuit:
    """The circuit, operation by operation; `id` gates, which do nothing, are left out."""
    made = QuantumCircuit([Qubit() for _ in range(circuit.num_qubits)])
    for register in circuit.registers:
        if register.size:
            made.add_register(ClassicalRegister(register.size, register.name))
    parameters = [Parameter(parameter_name(index)) for index in range(len(circuit.parameters))]
    _Writer(made, parameters).block(made, circuit.operations)
    return made


class _Writer:
    def __init__(self, outer: QuantumCircuit, parameters: list[Parameter]) -> None:
        self._outer = outer
        self._parameters = parameters

    def block(self, circuit: QuantumCircuit, operations: tuple[Operation, ...]) -> None:
        for operation in operations:
            self._operation(circuit, operation)

    def _operation(self, circuit: QuantumCircuit, operation: Operation) -> None:
        match operation:
            case Gate(name, qubits, params):
                if name != "id":
                    circuit.append(_CLASSES[name](*map(self._angle, params)), self._on(qubits), copy=False)
            case Unitary(matrix, qubits):
                size = 2 ** len(qubits)
                circuit.unitary(np.array(matrix, dtype=complex).reshape(size, size), self._on(qubits))
            case Measure(qubit, clbit):
                circuit.measure(self._outer.qubits[qubit], self._outer.clbits[clbit])
            case Reset(qubit):
                circuit.reset(self._outer.qubits[qubit])
            case Barrier(qubits):
                circuit.barrier(*self._on(qubits))
            case Delay(qubit, seconds):
                circuit.delay(seconds, self._outer.qubits[qubit], unit="s")
            case _:
                self._control(circuit, operation)

    def _control(self, circuit: QuantumCircuit, operation: Operation) -> None:
        match operation:
            case AssignBit(clbit, value):
                circuit.store(self._outer.clbits[clbit], expression_of(value, self._outer.clbits))
            case If(condition, then, otherwise):
                blocks = self._blocks(then, otherwise)
                circuit.if_else(
                    expression_of(condition, self._outer.clbits), *blocks, blocks[0].qubits, blocks[0].clbits
                )
            case While(condition, body):
                (block,) = self._blocks(body)
                circuit.while_loop(expression_of(condition, self._outer.clbits), block, block.qubits, block.clbits)
            case For(turns):
                if not any(map(leaves_loop, turns)):
                    for turn in turns:
                        self.block(circuit, turn)
                    return
                if len(set(turns)) > 1:
                    raise UnsupportedProgramError(
                        "A loop that is left early has turns that differ, which Qiskit's compiler does not take.",
                        next_step="Write the loop so that every turn is the same, or write its turns out.",
                        details={"instruction": "for"},
                    )
                (block,) = self._blocks(turns[0])
                circuit.for_loop(range(len(turns)), None, block, block.qubits, block.clbits)
            case Break():
                circuit.break_loop()
            case Continue():
                circuit.continue_loop()

    def _on(self, qubits: tuple[int, ...]) -> list[Qubit]:
        return [self._outer.qubits[qubit] for qubit in qubits]

    def _blocks(self, *bodies: tuple[Operation, ...]) -> list[QuantumCircuit]:
        """Bodies of one instruction, all on the qubits that any of them uses."""
        used = sorted({qubit for body in bodies for qubit in qubits_of(body)})
        made = []
        for body in bodies:
            block = QuantumCircuit(self._on(tuple(used)), self._outer.clbits)
            for register in self._outer.cregs:
                block.add_register(register)
            self.block(block, body)
            made.append(block)
        return made

    def _angle(self, angle: Angle) -> Any:
        match angle:
            case Affine(constant, terms):
                total: Any = constant
                for index, coefficient in terms:
                    parameter = self._parameters[index]
                    total = total + (parameter if coefficient == 1.0 else coefficient * parameter)
                return total
            case Call(function, arguments):
                values = [self._angle(argument) for argument in arguments]
                return _FUNCTIONS[function](*values)
            case _:
                return angle


def qubits_of(operations: tuple[Operation, ...]) -> Iterator[int]:
    """The qubits that the operations touch, barriers included, some of them more than once."""
    for operation in Circuit(0, (), (), operations).walk():
        match operation:
            case Gate(_, qubits) | Unitary(_, qubits) | Barrier(qubits):
                yield from qubits
            case Measure(qubit) | Reset(qubit) | Delay(qubit):
                yield qubit


def _unary(name: str) -> Callable[[Any], Any]:
    """The method of that name of an expression, the function of `math` for a number."""
    return lambda value: getattr(value, name)() if isinstance(value, ParameterExpression) else _MATH[name](value)


_MATH: Mapping[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "exp": math.exp,
    "log": math.log,
}

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
    "abs": abs,
    "sqrt": lambda value: value**0.5,
    "asin": _unary("arcsin"),
    "acos": _unary("arccos"),
    "atan": _unary("arctan"),
    **{name: _unary(name) for name in ("sin", "cos", "tan", "exp", "log")},
}
