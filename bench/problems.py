"""The circuits and observables of the suite, as a Qiskit user writes them, and the parameters the loops visit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp, random_clifford

from antiphon.molecules import Molecule, hydrogen

LIH = Path(__file__).resolve().parent / "data" / "lih.json"


@dataclass(frozen=True, slots=True)
class Expectation:
    """⟨observable⟩ of a parametrised circuit: what a variational loop evaluates."""

    circuit: QuantumCircuit
    observable: SparsePauliOp

    def path(self, length: int, seed: int) -> NDArray[np.float64]:
        """Parameter sets as SPSA visits them: pairs at ± a random perturbation of a drifting centre.

        Precomputed and seeded, so that every side evaluates the same sets and nobody is charged for the optimiser.
        """
        rng = np.random.default_rng(seed)
        size = self.circuit.num_parameters
        centre = rng.uniform(-np.pi, np.pi, size)
        sets = np.empty((length, size))
        for i in range(0, length, 2):
            delta = 0.1 * rng.choice((-1.0, 1.0), size)
            sets[i : i + 2] = np.stack((centre + delta, centre - delta))[: length - i]
            centre = centre - rng.normal(scale=0.05) * delta
        return sets


def _from_molecule(molecule: Molecule) -> SparsePauliOp:
    strings, coefficients = zip(*molecule.observable.terms, strict=True)
    return SparsePauliOp(list(strings), list(coefficients))


def vqe_h2() -> Expectation:
    """Hydrogen: 4 qubits, 24 parameters, 15 terms."""
    return Expectation(efficient_su2(4, reps=2), _from_molecule(hydrogen()))


def vqe_lih() -> Expectation:
    """Lithium hydride: 12 qubits, 120 parameters, 631 terms."""
    molecule = Molecule.from_json(LIH.read_text(encoding="utf-8"))
    return Expectation(efficient_su2(12, reps=4), _from_molecule(molecule))


def vqe_tfim() -> Expectation:
    """Transverse-field Ising chain at its critical field: 12 qubits, 120 parameters, 23 terms."""
    n = 12
    bonds = [("ZZ", [i, i + 1], -1.0) for i in range(n - 1)]
    fields = [("X", [i], -1.0) for i in range(n)]
    return Expectation(efficient_su2(n, reps=4), SparsePauliOp.from_sparse_list(bonds + fields, num_qubits=n))


def qaoa() -> Expectation:
    """MaxCut by QAOA, p = 3, on a random 3-regular graph of 16 nodes: 6 parameters, 24 terms, diagonal."""
    n, depth = 16, 3
    edges = sorted(tuple(sorted(edge)) for edge in nx.random_regular_graph(3, n, seed=7).edges)
    gammas, betas = ParameterVector("gamma", depth), ParameterVector("beta", depth)
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    for gamma, beta in zip(gammas, betas, strict=True):
        for a, b in edges:
            circuit.rzz(gamma, a, b)
        circuit.rx(2 * beta, range(n))
    cost = [("ZZ", [a, b], 0.5) for a, b in edges]
    return Expectation(circuit, SparsePauliOp.from_sparse_list(cost, num_qubits=n))


def qaoa_sampling() -> QuantumCircuit:
    """The circuit of `qaoa`, measured."""
    circuit: QuantumCircuit = qaoa().circuit.copy()
    circuit.measure_all()
    return circuit


def ising_quench(n: int, steps: int) -> QuantumCircuit:
    """Trotter steps of an Ising chain in a slanted field from |0…0⟩: each step doubles the bond dimension at most."""
    circuit = QuantumCircuit(n)
    for _ in range(steps):
        circuit.rx(0.4, range(n))
        circuit.rz(0.3, range(n))
        for first in (0, 1):
            for left in range(first, n - 1, 2):
                circuit.rzz(0.5, left, left + 1)
    circuit.measure_all()
    return circuit


def hardware_efficient(n: int, reps: int) -> QuantumCircuit:
    """Efficient SU(2) with free parameters and every qubit measured."""
    circuit = efficient_su2(n, reps=reps)
    circuit.measure_all()
    return circuit


def ghz(n: int) -> QuantumCircuit:
    """(|0…0⟩ + |1…1⟩)/√2, measured."""
    circuit = QuantumCircuit(n)
    circuit.h(0)
    for i in range(n - 1):
        circuit.cx(i, i + 1)
    circuit.measure_all()
    return circuit


def random_clifford_layers(n: int, layers: int, seed: int) -> QuantumCircuit:
    """Layers of a random one-qubit Clifford gate on each qubit, then CX on random disjoint pairs, measured."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(n)
    for _ in range(layers):
        for qubit in range(n):
            one_qubit = random_clifford(1, seed=int(rng.integers(2**31))).to_circuit()
            circuit.compose(one_qubit, [qubit], inplace=True)
        order = rng.permutation(n)
        for a, b in zip(order[0::2], order[1::2], strict=True):
            circuit.cx(int(a), int(b))
    circuit.measure_all()
    return circuit
