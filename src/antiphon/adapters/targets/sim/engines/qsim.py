"""Wide static circuits on qsim, whose fused gates are fastest from about 22 qubits; single precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.angles import AngleTable, Floats
from antiphon.adapters.targets.sim.features import Features
from antiphon.adapters.targets.sim.lowering import Primitive, lower
from antiphon.adapters.targets.sim.matrices import gate_matrix, unitary_matrix
from antiphon.adapters.targets.sim.readout import Readout, draw
from antiphon.adapters.targets.sim.task import Ran, Task
from antiphon.domain.circuits import Gate, Unitary
from antiphon.errors import MissingExtraError


def sample(task: Task) -> Ran:
    """Counts of every parameter set."""
    features = task.features
    readout = Readout(features.circuit.registers, features.readout)
    rng = task.generator()
    counts = []
    for index in range(len(task.parameters)):
        amplitudes = _amplitudes(features, task.parameters[index])
        probabilities = amplitudes.real**2 + amplitudes.imag**2
        del amplitudes
        counts.append(readout.counts_of_outcomes(*draw(probabilities, task.shots, rng)))
    return Ran("state vector with fused gates", "single", len(counts), counts=tuple(counts))


def _amplitudes(features: Features, parameters: Floats) -> NDArray[np.complex64]:
    try:
        import cirq
        import qsimcirq
    except ImportError as error:
        raise MissingExtraError.of("qsimcirq", "sims", "The state-vector engine qsim") from error
    qubits = cirq.LineQubit.range(features.num_qubits)
    steps: list[Primitive | Unitary] = []
    for gate in features.gates:
        steps.extend(lower(gate) if isinstance(gate, Gate) else [gate])
    angles = [step[2] for step in steps if not isinstance(step, Unitary) and step[2] is not None]
    values = iter(AngleTable(angles).evaluate(parameters).tolist())
    operations = [_operation(cirq, step, values, qubits) for step in steps]
    options = qsimcirq.qsim_simulator.QSimOptions(max_fused_gate_size=2, verbosity=0)
    simulator = qsimcirq.qsim_simulator.QSimSimulator(options)
    # Cirq counts basis states from the first qubit as the most significant bit.
    final = simulator.simulate(cirq.Circuit(operations), qubit_order=list(reversed(qubits)))
    state: NDArray[np.complex64] = final.final_state_vector
    return state


def _operation(cirq: Any, step: Primitive | Unitary, values: Any, qubits: list[Any]) -> Any:
    if isinstance(step, Unitary):
        matrix, places = unitary_matrix(step), step.qubits
    else:
        name, places, angle = step
        if name in ("ccx", "cswap"):
            gate = cirq.CCX if name == "ccx" else cirq.CSWAP
            return gate(*(qubits[place] for place in places))
        matrix = gate_matrix(name, () if angle is None else (next(values),))
    # A matrix of Cirq has its first qubit most significant.
    return cirq.MatrixGate(matrix).on(*(qubits[place] for place in reversed(places)))
