"""An exact interpreter of circuits for tests: dense, slow, and written apart from every engine it judges.

Matrices are products and exponentials of Pauli matrices, not copies of an engine's tables. Qubit 0 is the least
significant bit of a state index.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

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
    Register,
    Reset,
    Unitary,
    While,
)
from antiphon.domain.observables import Observable

Matrix = npt.NDArray[np.complex128]

NEGLIGIBLE = 1e-13
"""Branches of less probability are dropped; a loop whose remaining weight is below it has ended."""
MAX_TURNS = 400

I2: Matrix = np.eye(2, dtype=complex)
X: Matrix = np.array([[0, 1], [1, 0]], dtype=complex)
Y: Matrix = np.array([[0, -1j], [1j, 0]], dtype=complex)
Z: Matrix = np.array([[1, 0], [0, -1]], dtype=complex)
PAULIS = {"I": I2, "X": X, "Y": Y, "Z": Z}


def evaluate_angle(angle: Angle, params: Sequence[float]) -> float:
    """The value of `angle` at the parameter values `params`."""
    match angle:
        case Affine(constant, terms):
            return constant + sum(coefficient * params[index] for index, coefficient in terms)
        case Call(function, arguments):
            values = [evaluate_angle(argument, params) for argument in arguments]
            return _call(function, values)
        case _:
            return float(angle)


def _call(function: str, values: list[float]) -> float:
    match function:
        case "add":
            return values[0] + values[1]
        case "sub":
            return values[0] - values[1]
        case "mul":
            return values[0] * values[1]
        case "div":
            return values[0] / values[1]
        case "pow":
            return float(values[0] ** values[1])
        case "neg":
            return -values[0]
        case "abs":
            return abs(values[0])
        case _:
            return float(getattr(math, function)(*values))


def holds(condition: Condition, bits: Sequence[int]) -> bool:
    """Whether `condition` is true of the classical bits."""
    match condition:
        case bool():
            return condition
        case Bit(index):
            return bits[index] == 1
        case Not(operand):
            return not holds(operand, bits)
        case AllOf(operands):
            return all(holds(operand, bits) for operand in operands)
        case AnyOf(operands):
            return any(holds(operand, bits) for operand in operands)
        case Parity(operands):
            return sum(holds(operand, bits) for operand in operands) % 2 == 1


def _rotation(theta: float, generator: Matrix) -> Matrix:
    return math.cos(theta / 2) * np.eye(len(generator)) - 1j * math.sin(theta / 2) * generator


def _on(*factors: Matrix) -> Matrix:
    """Tensor product, the first factor on qubits[0], the least significant."""
    product: npt.NDArray[Any] = np.eye(1, dtype=complex)
    for factor in factors:
        product = np.kron(factor, product)
    return product


def _u(theta: float, phi: float, lam: float) -> Matrix:
    z_y_z = _rotation(phi, Z) @ _rotation(theta, Y) @ _rotation(lam, Z)
    return cmath.exp(0.5j * (phi + lam)) * z_y_z


def _controlled(matrix: Matrix) -> Matrix:
    """Control on qubits[0], the least significant; the target's qubits follow."""
    zero, one = np.diag([1, 0]).astype(complex), np.diag([0, 1]).astype(complex)
    return _on(zero, np.eye(len(matrix), dtype=complex)) + np.kron(matrix, one)


def gate_matrix(name: str, params: Sequence[float] = ()) -> Matrix:  # noqa: C901 - one case a gate
    """The matrix of a gate of `domain.gates`, qubits[0] least significant."""
    a = list(params)
    swap = (_on(I2, I2) + _on(X, X) + _on(Y, Y) + _on(Z, Z)) / 2
    match name:
        case "id":
            return I2
        case "x" | "y" | "z":
            return PAULIS[name.upper()]
        case "h":
            return (X + Z) / math.sqrt(2)
        case "s" | "sdg" | "t" | "tdg":
            return np.diag(
                [1, {"s": 1j, "sdg": -1j}.get(name, cmath.exp(0.25j * math.pi * (1 if name == "t" else -1)))]
            )
        case "sx":
            return ((1 + 1j) * I2 + (1 - 1j) * X) / 2
        case "sxdg":
            return ((1 - 1j) * I2 + (1 + 1j) * X) / 2
        case "rx" | "ry" | "rz":
            return _rotation(a[0], PAULIS[name[1].upper()])
        case "p":
            return np.diag([1, cmath.exp(1j * a[0])])
        case "u":
            return _u(a[0], a[1], a[2])
        case "r":
            return _rotation(a[0], math.cos(a[1]) * X + math.sin(a[1]) * Y)
        case "cx" | "cy" | "cz" | "ch" | "csx" | "cp" | "crx" | "cry" | "crz":
            return _controlled(gate_matrix(name[1:], a))
        case "cu":
            return _controlled(cmath.exp(1j * a[3]) * _u(a[0], a[1], a[2]))
        case "rxx" | "ryy" | "rzz" | "rzx":
            return _rotation(a[0], _on(PAULIS[name[1].upper()], PAULIS[name[2].upper()]))
        case "swap":
            return swap
        case "iswap":
            return _rotation(-math.pi / 2, _on(X, X)) @ _rotation(-math.pi / 2, _on(Y, Y))
        case "ecr":
            return (_on(X, I2) - _on(Y, X)) / math.sqrt(2)
        case "dcx":
            return swap @ _controlled(X) @ swap @ _controlled(X)
        case "ccx":
            return _controlled(_controlled(X))
        case "ccz":
            return _controlled(_controlled(Z))
        case "cswap":
            return _controlled(swap)
    raise AssertionError(f"no gate {name}")


@dataclass(frozen=True)
class _Branch:
    state: Matrix  # not normalised: its squared norm is the branch's probability
    bits: tuple[int, ...]
    signal: str = ""

    @property
    def weight(self) -> float:
        return float(np.vdot(self.state, self.state).real)


def apply(state: Matrix, matrix: Matrix, qubits: Sequence[int]) -> Matrix:
    """`matrix` on `qubits` of a state vector, qubits[0] least significant in the matrix."""
    n = int(math.log2(state.size))
    tensor = state.reshape((2,) * n)
    axes = [n - 1 - qubit for qubit in reversed(qubits)]
    moved = np.moveaxis(tensor, axes, range(len(axes)))
    out = (matrix @ moved.reshape(matrix.shape[0], -1)).reshape(moved.shape)
    result: Matrix = np.ascontiguousarray(np.moveaxis(out, range(len(axes)), axes)).reshape(-1)
    return result


def _project(branch: _Branch, qubit: int) -> Iterator[tuple[int, Matrix]]:
    for value in (0, 1):
        projector = np.diag([1 - value, value]).astype(complex)
        state = apply(branch.state, projector, (qubit,))
        if np.vdot(state, state).real > NEGLIGIBLE:
            yield value, state


def _step(operation: Operation, branch: _Branch, params: Sequence[float]) -> list[_Branch]:
    match operation:
        case Gate(name, qubits, angles):
            values = [evaluate_angle(angle, params) for angle in angles]
            return [replace(branch, state=apply(branch.state, gate_matrix(name, values), qubits))]
        case Unitary(entries, qubits):
            matrix = np.array(entries, dtype=complex).reshape(2 ** len(qubits), -1)
            return [replace(branch, state=apply(branch.state, matrix, qubits))]
        case Measure(qubit, clbit):
            return [
                replace(branch, state=state, bits=(*branch.bits[:clbit], value, *branch.bits[clbit + 1 :]))
                for value, state in _project(branch, qubit)
            ]
        case Reset(qubit):
            return [
                replace(branch, state=apply(state, X, (qubit,)) if value else state)
                for value, state in _project(branch, qubit)
            ]
        case Barrier() | Delay():
            return [branch]
        case AssignBit(clbit, value):
            bit = int(holds(value, branch.bits))
            return [replace(branch, bits=(*branch.bits[:clbit], bit, *branch.bits[clbit + 1 :]))]
        case If(condition, then, otherwise):
            return _run(then if holds(condition, branch.bits) else otherwise, branch, params)
        case For(bodies):
            return _loop(iter(bodies), True, branch, params)
        case While(condition, body):
            return _loop(iter([body] * MAX_TURNS), condition, branch, params, bounded=False)
        case Break():
            return [replace(branch, signal="break")]
        case Continue():
            return [replace(branch, signal="continue")]


def _loop(
    bodies: Iterator[tuple[Operation, ...]],
    condition: Condition,
    branch: _Branch,
    params: Sequence[float],
    *,
    bounded: bool = True,
) -> list[_Branch]:
    running, done = [branch], []
    for body in bodies:
        done += [b for b in running if not holds(condition, b.bits)]
        running = [b for b in running if holds(condition, b.bits)]
        after = [out for b in running for out in _run(body, b, params)]
        done += [replace(b, signal="") for b in after if b.signal == "break"]
        running = [replace(b, signal="") for b in after if b.signal != "break"]
        if not running:
            return done
    if bounded:
        return done + running
    done += [b for b in running if not holds(condition, b.bits)]
    left = sum(b.weight for b in running if holds(condition, b.bits))
    assert left < 1e-9, f"a loop goes on after {MAX_TURNS} turns with probability {left}"
    return done


def _run(operations: Sequence[Operation], branch: _Branch, params: Sequence[float]) -> list[_Branch]:
    branches, stopped = [branch], []
    for operation in operations:
        following = [out for b in branches for out in _step(operation, b, params)]
        stopped += [b for b in following if b.signal]
        branches = [b for b in following if not b.signal and b.weight > NEGLIGIBLE]
    return branches + stopped


def _branches(circuit: Circuit, params: Sequence[float]) -> list[_Branch]:
    assert circuit.num_qubits <= 12, "the reference simulator is for small circuits"
    start: Matrix = np.zeros(2**circuit.num_qubits, dtype=complex)
    start[0] = 1
    return _run(circuit.operations, _Branch(start, (0,) * circuit.num_clbits), params)


def bitstring(bits: Sequence[int], registers: Sequence[Register]) -> str:
    """The result string: bit 0 of a register rightmost, registers separated by a space, the last one leftmost."""
    parts = ["".join(str(bits[r.offset + i]) for i in reversed(range(r.size))) for r in registers]
    return " ".join(reversed(parts))


def distribution(circuit: Circuit, params: Sequence[float] = ()) -> dict[str, float]:
    """Exact probability of every result string of `circuit`, over all measurement branches."""
    result: dict[str, float] = {}
    for branch in _branches(circuit, params):
        key = bitstring(branch.bits, circuit.registers)
        result[key] = result.get(key, 0.0) + branch.weight
    return {key: value for key, value in sorted(result.items()) if value > NEGLIGIBLE}


def state_vector(circuit: Circuit, params: Sequence[float] = ()) -> Matrix:
    """The final state of a circuit that does not branch."""
    (branch,) = _branches(circuit, params)
    return branch.state


def expectation(circuit: Circuit, observable: Observable, params: Sequence[float] = ()) -> float:
    """⟨observable⟩ in the final state, over all measurement branches."""
    total = 0.0
    for branch in _branches(circuit, params):
        for pauli, coefficient in observable.terms:
            state = branch.state
            for qubit, letter in enumerate(reversed(pauli)):
                state = apply(state, PAULIS[letter], (qubit,))
            total += coefficient * float(np.vdot(branch.state, state).real)
    return total


def total_variation(observed: dict[str, float] | dict[str, int], expected: dict[str, float]) -> float:
    """Total variation distance; `observed` may be counts."""
    total = sum(observed.values())
    keys = set(observed) | set(expected)
    return 0.5 * sum(abs(observed.get(key, 0) / total - expected.get(key, 0.0)) for key in keys)
