"""Write a circuit down as OpenQASM 3: what was compiled, in a form people and other tools can read.

Angles are written with every digit (repr round-trips float64). Free parameters become `input float`. Explicit unitaries
have no OpenQASM form and are written as a `// unitary` comment with their digest: the text is for records, while the
submitted artefact remains what runs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from antiphon.domain.circuits import (
    Affine,
    AllOf,
    Angle,
    AnyOf,
    AssignBit,
    Barrier,
    Bit,
    Break,
    Call,
    Circuit,
    Condition,
    Continue,
    Delay,
    For,
    Gate,
    If,
    Measure,
    Not,
    Operation,
    Parity,
    Reset,
    Unitary,
    While,
)

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}
_FUNCTIONS = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}
_STDGATES = frozenset(
    "id x y z h s sdg t tdg sx rx ry rz p cx cy cz ch cp crx cry crz cu swap ccx cswap".split()  # noqa: SIM905 - a list of words reads best as words
)


def to_openqasm3(circuit: Circuit) -> str:
    """The circuit as OpenQASM 3 text.

    Gates outside the OpenQASM 3 standard library (rzz, iswap, …) are called by their Qiskit names and listed in a
    comment at the top.
    """
    return _Writer(circuit).text()


class _Writer:
    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        originals = [*circuit.parameters, *(register.name for register in circuit.registers)]
        names = _identifiers(originals)
        self._parameters = names[: len(circuit.parameters)]
        self._registers = names[len(circuit.parameters) :]
        self._bits = [
            f"{name}[{index}]"
            for name, register in zip(self._registers, circuit.registers, strict=True)
            for index in range(register.size)
        ]
        self._remarks = [
            "" if name == original else f" // {original}" for name, original in zip(names, originals, strict=True)
        ]

    def text(self) -> str:
        circuit = self._circuit
        foreign = sorted({op.name for op in circuit.walk() if isinstance(op, Gate)} - _STDGATES)
        lines = ["OPENQASM 3.0;", 'include "stdgates.inc";']
        if foreign:
            lines.append(f"// gates beyond stdgates.inc: {', '.join(foreign)}")
        declared = [f"input float {name};" for name in self._parameters]
        declared += [
            f"bit[{register.size}] {name};" for name, register in zip(self._registers, circuit.registers, strict=True)
        ]
        lines += [line + remark for line, remark in zip(declared, self._remarks, strict=True)]
        if circuit.num_qubits:
            lines.append(f"qubit[{circuit.num_qubits}] q;")
        lines += self._block(circuit.operations, "")
        return "\n".join(lines) + "\n"

    def _block(self, operations: Iterable[Operation], indent: str) -> list[str]:
        lines: list[str] = []
        for operation in operations:
            lines += [indent + line for line in self._operation(operation)]
        return lines

    def _operation(self, operation: Operation) -> list[str]:
        match operation:
            case Gate(name, qubits, params):
                angles = f"({', '.join(self._angle(angle) for angle in params)})" if params else ""
                return [f"{name}{angles} {_qubits(qubits)};"]
            case Unitary(matrix, qubits):
                digest = hashlib.sha256(repr(matrix).encode()).hexdigest()[:16]
                return [f"// unitary {digest} on {_qubits(qubits)}"]
            case Measure(qubit, clbit):
                return [f"{self._bits[clbit]} = measure q[{qubit}];"]
            case Reset(qubit):
                return [f"reset q[{qubit}];"]
            case Barrier(qubits):
                return [f"barrier {_qubits(qubits)};"]
            case Delay(qubit, seconds):
                return [f"delay[{seconds!r}s] q[{qubit}];"]
            case AssignBit(clbit, value):
                return [f"{self._bits[clbit]} = {self._condition(value)};"]
            case If(condition, then, otherwise):
                lines = [f"if ({self._condition(condition)}) {{", *self._block(then, "  ")]
                return [*lines, "} else {", *self._block(otherwise, "  "), "}"] if otherwise else [*lines, "}"]
            case While(condition, body):
                return [f"while ({self._condition(condition)}) {{", *self._block(body, "  "), "}"]
            case For(bodies):
                return self._for(bodies)
            case Break():
                return ["break;"]
            case Continue():
                return ["continue;"]

    def _for(self, bodies: tuple[tuple[Operation, ...], ...]) -> list[str]:
        if len(set(bodies)) == 1:
            return [f"for int _i in [1:{len(bodies)}] {{", *self._block(bodies[0], "  "), "}"]
        # The turns differ: the index was substituted, so each turn is a case of its own.
        lines = [f"for int _i in [0:{len(bodies) - 1}] {{", "  switch (_i) {"]
        for index, body in enumerate(bodies):
            lines += [f"    case {index} {{", *self._block(body, "      "), "    }"]
        return [*lines, "  }", "}"]

    def _angle(self, angle: Angle) -> str:
        match angle:
            case Affine(constant, terms):
                parts = [f"{coefficient!r}*{self._parameters[index]}" for index, coefficient in terms]
                return " + ".join([*parts, repr(constant)] if constant or not parts else parts)
            case Call("neg", (operand,)):
                return f"-({self._angle(operand)})"
            case Call(function, arguments) if function in _INFIX:
                return f"({f' {_INFIX[function]} '.join(self._angle(argument) for argument in arguments)})"
            case Call(function, arguments):
                name = _FUNCTIONS.get(function, function)
                return f"{name}({', '.join(self._angle(argument) for argument in arguments)})"
            case _:
                return repr(angle)

    def _condition(self, condition: Condition) -> str:
        match condition:
            case bool():
                return "true" if condition else "false"
            case Bit(index):
                return self._bits[index]
            case Not(operand):
                return f"!({self._condition(operand)})"
            case AllOf(operands):
                return " && ".join(f"({self._condition(operand)})" for operand in operands) or "true"
            case AnyOf(operands):
                return " || ".join(f"({self._condition(operand)})" for operand in operands) or "false"
            case Parity(operands):
                return " ^ ".join(f"({self._condition(operand)})" for operand in operands) or "false"


def _identifiers(names: list[str]) -> list[str]:
    """Distinct OpenQASM identifiers, each as near to its name as can be; `q` is the qubits' own."""
    taken = {"q"}
    found = []
    for name in names:
        clean = re.sub(r"\W", "_", name) or "_"
        clean = f"_{clean}" if clean[0].isdigit() else clean
        unique, number = clean, 0
        while unique in taken:
            number += 1
            unique = f"{clean}_{number}"
        taken.add(unique)
        found.append(unique)
    return found


def _qubits(qubits: tuple[int, ...]) -> str:
    return ", ".join(f"q[{qubit}]" for qubit in qubits)
