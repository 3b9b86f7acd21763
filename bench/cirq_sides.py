"""Cirq's own simulators on the same circuits, written the way a Cirq user has them: symbols, a resolver, a key."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import cirq
import numpy as np
import sympy
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from bench.problems import Expectation

KEY = "m"

_FIXED = {
    "h": cirq.H,
    "x": cirq.X,
    "y": cirq.Y,
    "z": cirq.Z,
    "s": cirq.S,
    "sdg": cirq.S**-1,
    "sx": cirq.X**0.5,
    "sxdg": cirq.X**-0.5,
    "cx": cirq.CNOT,
}
_ROTATIONS: Mapping[str, Callable[[Any], cirq.Gate]] = {
    "rx": cirq.rx,
    "ry": cirq.ry,
    "rz": cirq.rz,
    "rzz": lambda angle: cirq.ZZPowGate(exponent=angle / math.pi, global_shift=-0.5),
}


def cirq_circuit(circuit: QuantumCircuit, noise: Mapping[str, float] | None = None) -> cirq.Circuit:
    """`circuit` gate for gate, measured under `KEY` with its last qubit first, as Qiskit's strings have it.

    `noise` has the names of `antiphon.NoiseModel`; its depolarising channels go after each gate, the readout's flips
    (one chance for both outcomes) before the measurement. An angle is a multiple of one parameter or a number.
    """
    qubits = cirq.LineQubit.range(circuit.num_qubits)
    moments = []
    for instruction in circuit.data:
        if instruction.operation.name in ("barrier", "measure"):
            continue
        on = [qubits[circuit.find_bit(qubit).index] for qubit in instruction.qubits]
        moments.append(_gate(instruction.operation)(*on))
        if noise:
            moments.append(_depolarised(noise[f"depolarizing_{len(on)}q"], len(on))(*on))
    if noise:
        moments.extend(cirq.bit_flip(noise["readout_p01"])(qubit) for qubit in qubits)
    return cirq.Circuit(moments, cirq.measure(*reversed(qubits), key=KEY))


def _gate(operation: Any) -> cirq.Gate:
    if not operation.params:
        return _FIXED[operation.name]
    (expression,) = operation.params
    if not hasattr(expression, "parameters"):
        return _ROTATIONS[operation.name](float(expression))
    (parameter,) = expression.parameters
    return _ROTATIONS[operation.name](float(expression.bind({parameter: 1.0})) * sympy.Symbol(parameter.name))


def _depolarised(p: float, width: int) -> cirq.Gate:
    # Ours is (1-p)ρ + p·I/d; Cirq's number is the chance that one of the Paulis other than I strikes.
    return cirq.depolarize(p * (1 - 0.25**width), n_qubits=width)


def cirq_counts(
    circuit: QuantumCircuit, simulator: type[Any], shots: int, noise: Mapping[str, float] | None = None
) -> Callable[[Any, int], Mapping[str, int]]:
    """Counts by `simulator(seed=…).run`, parameters resolved for each call."""
    native = cirq_circuit(circuit, noise)
    names = [parameter.name for parameter in circuit.parameters]

    def run(parameters: Any, seed: int) -> Mapping[str, int]:
        resolver = {} if parameters is None else dict(zip(names, map(float, parameters), strict=True))
        found = simulator(seed=seed).run(native, resolver, repetitions=shots)
        return counts_of_rows(found.measurements[KEY])

    return run


def counts_of_rows(rows: NDArray[Any]) -> dict[str, int]:
    """Counts from measured bits of shape (shots, bits); the strings have them in the order of the rows."""
    texts = np.ascontiguousarray(rows.astype(np.uint8) + ord("0")).view(f"S{rows.shape[1]}").ravel()
    found, times = np.unique(texts, return_counts=True)
    return {text.decode(): int(count) for text, count in zip(found, times, strict=True)}


def cirq_expectation(problem: Expectation) -> Callable[[NDArray[np.float64]], float]:
    """`cirq.Simulator().simulate_expectation_values` of the Pauli sum."""
    bare = problem.circuit.copy()
    native = cirq_circuit(bare)[:-1]
    qubits = cirq.LineQubit.range(bare.num_qubits)
    letters = {"X": cirq.X, "Y": cirq.Y, "Z": cirq.Z}
    total = cirq.PauliSum()
    for label, weight in problem.observable.to_list():
        factors = {qubits[place]: letters[letter] for place, letter in enumerate(reversed(label)) if letter != "I"}
        total += cirq.PauliString(factors, coefficient=weight)
    names = [parameter.name for parameter in bare.parameters]
    simulator = cirq.Simulator(dtype=np.complex128)

    def evaluate(parameters: NDArray[np.float64]) -> float:
        resolver = dict(zip(names, map(float, parameters), strict=True))
        (value,) = simulator.simulate_expectation_values(native, total, resolver)
        return float(value.real)

    return evaluate
