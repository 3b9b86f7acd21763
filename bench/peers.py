"""The same loop written by hand on the tools that Antiphon replaces, each as its own documentation recommends.

Whatever can be prepared once is prepared once and outside the timing: transpiling, building the estimator, the QNode.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.cirq_sides import cirq_expectation
from bench.problems import Expectation

Evaluate: TypeAlias = Callable[[NDArray[np.float64]], float]
"""One expectation value at one parameter set."""

AER = "Aer EstimatorV2"
STATEVECTOR = "StatevectorEstimator"
LIGHTNING = "PennyLane lightning"
CIRQ = "cirq.Simulator"


def aer_estimator(problem: Expectation) -> Evaluate:
    """`qiskit_aer.primitives.EstimatorV2`, exact: transpiled once for the simulator, one estimator for the loop."""
    from qiskit.transpiler import generate_preset_pass_manager
    from qiskit_aer import AerSimulator
    from qiskit_aer.primitives import EstimatorV2

    passes = generate_preset_pass_manager(optimization_level=1, backend=AerSimulator())
    circuit = passes.run(problem.circuit)
    observable = problem.observable.apply_layout(circuit.layout)
    estimator = EstimatorV2(options={"backend_options": {"max_parallel_threads": 1}})

    def evaluate(parameters: NDArray[np.float64]) -> float:
        return float(estimator.run([(circuit, observable, parameters)]).result()[0].data.evs)

    return evaluate


def statevector_estimator(problem: Expectation) -> Evaluate:
    """`qiskit.primitives.StatevectorEstimator`, Qiskit's reference, exact."""
    from qiskit.primitives import StatevectorEstimator

    estimator = StatevectorEstimator()

    def evaluate(parameters: NDArray[np.float64]) -> float:
        return float(estimator.run([(problem.circuit, problem.observable, parameters)]).result()[0].data.evs)

    return evaluate


def lightning_qnode(problem: Expectation) -> Evaluate:
    """A QNode on `lightning.qubit` without gradients, gate for gate the same circuit."""
    import pennylane as qml

    tape = _tape(problem)
    n = problem.circuit.num_qubits
    words = [
        qml.pauli.PauliWord({n - 1 - place: letter for place, letter in enumerate(label) if letter != "I"})
        for label in problem.observable.paulis.to_labels()
    ]
    coefficients = problem.observable.coeffs.real
    hamiltonian = qml.pauli.PauliSentence(dict(zip(words, coefficients, strict=True))).operation(wire_order=range(n))
    gates = {"ry": qml.RY, "rz": qml.RZ, "rx": qml.RX, "rzz": qml.IsingZZ, "cx": qml.CNOT, "h": qml.Hadamard}

    def ansatz(parameters: NDArray[np.float64]) -> Any:
        for name, wires, angle in tape:
            if angle is None:
                gates[name](wires=wires)
            else:
                index, factor = angle
                gates[name](factor * parameters[index], wires=wires)
        return qml.expval(hamiltonian)

    qnode = qml.QNode(ansatz, qml.device("lightning.qubit", wires=n), diff_method=None)
    return lambda parameters: float(qnode(parameters))


def _tape(problem: Expectation) -> list[tuple[str, list[int], tuple[int, float] | None]]:
    """The circuit as (gate, qubits, (index of its parameter, factor)); every angle is a multiple of a parameter."""
    circuit = problem.circuit
    position = {parameter: index for index, parameter in enumerate(circuit.parameters)}
    tape: list[tuple[str, list[int], tuple[int, float] | None]] = []
    for instruction in circuit.data:
        if instruction.operation.name == "barrier":
            continue
        angle = None
        if instruction.operation.params:
            (expression,) = instruction.operation.params
            (parameter,) = expression.parameters
            angle = (position[parameter], float(expression.bind({parameter: 1.0})))
        qubits = [circuit.find_bit(qubit).index for qubit in instruction.qubits]
        tape.append((instruction.operation.name, qubits, angle))
    return tape


PEERS: Mapping[str, Callable[[Expectation], Evaluate]] = {
    AER: aer_estimator,
    LIGHTNING: lightning_qnode,
    STATEVECTOR: statevector_estimator,
    CIRQ: cirq_expectation,
}


def same_value(a: float, b: float, tolerance: float = 1e-6) -> bool:
    """True when two exact expectation values agree."""
    return math.isclose(a, b, rel_tol=0.0, abs_tol=tolerance)
