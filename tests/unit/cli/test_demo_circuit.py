from __future__ import annotations

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp, Statevector

from antiphon.cli.demo_circuit import coupled_cluster
from antiphon.molecules import hydrogen

MOLECULE = hydrogen()
HAMILTONIAN = SparsePauliOp.from_list(list(MOLECULE.observable.terms))


def state(angles: list[float]) -> Statevector:
    return Statevector(coupled_cluster(MOLECULE.hartree_fock).assign_parameters(angles))


def energy(angles: list[float]) -> float:
    return float(state(angles).expectation_value(HAMILTONIAN).real)


def test_without_excitations_it_is_hartree_fock() -> None:
    assert energy([0.0, 0.0, 0.0]) == pytest.approx(MOLECULE.hartree_fock_energy, abs=1e-10)


def test_the_double_excitation_reaches_the_exact_energy_and_the_singles_leave_it() -> None:
    doubles = min(energy([0.0, 0.0, float(angle)]) for angle in np.linspace(-0.3, 0.3, 601))
    assert doubles == pytest.approx(MOLECULE.exact_energy, abs=1e-6)
    assert energy([1.0, 0.0, 0.0]) > MOLECULE.exact_energy + 0.1


def test_every_state_has_two_electrons_and_no_spin() -> None:
    probabilities = state([0.7, -0.4, 1.1]).probabilities_dict()
    occupied = [key for key, probability in probabilities.items() if probability > 1e-12]
    assert len(occupied) > 1
    for key in occupied:
        up = [key[::-1][qubit] for qubit in (0, 2)]
        down = [key[::-1][qubit] for qubit in (1, 3)]
        assert (up.count("1"), down.count("1")) == (1, 1)
