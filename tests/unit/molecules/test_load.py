import math
from functools import reduce

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.molecules import Molecule, hydrogen

PAULIS = {
    "I": np.eye(2, dtype=complex),
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]).astype(complex),
}


def matrix(molecule: Molecule) -> NDArray[np.complex128]:
    """Built by Kronecker products, leftmost letter first, independently of the package's own diagonalisation."""
    return np.asarray(
        sum(c * reduce(np.kron, [PAULIS[letter] for letter in pauli]) for pauli, c in molecule.observable.terms)
    )


def test_hydrogen_has_the_energies_of_the_literature() -> None:
    molecule = hydrogen()
    # Full configuration interaction and Hartree-Fock in STO-3G at 0.735 Å.
    assert molecule.exact_energy == pytest.approx(-1.137306, abs=1e-6)
    assert molecule.hartree_fock_energy == pytest.approx(-1.116999, abs=1e-6)


def test_the_terms_are_a_hermitian_matrix_with_the_stated_ground_energy() -> None:
    h = matrix(hydrogen())
    assert np.allclose(h, h.conj().T, atol=1e-15)
    assert np.linalg.eigvalsh(h)[0] == pytest.approx(hydrogen().exact_energy, abs=1e-12)


def test_the_hartree_fock_string_is_the_state_of_the_hartree_fock_energy() -> None:
    molecule = hydrogen()
    index = int(molecule.hartree_fock, 2)
    assert matrix(molecule)[index, index].real == pytest.approx(molecule.hartree_fock_energy, abs=1e-10)
    assert molecule.hartree_fock.count("1") == molecule.num_electrons == 2


def test_the_terms_are_canonical() -> None:
    observable = hydrogen().observable
    strings = [pauli for pauli, _ in observable.terms]
    assert strings == sorted(set(strings))
    assert {len(pauli) for pauli in strings} == {observable.num_qubits} == {4}
    assert len(strings) == 15
    assert all(math.isfinite(value) for _, value in observable.terms)


def test_the_nuclear_repulsion_is_the_coulomb_energy_of_the_stated_geometry() -> None:
    molecule = hydrogen()
    (_, a), (_, b) = molecule.geometry
    angstrom_in_bohr = 1.8897261246
    assert molecule.nuclear_repulsion == pytest.approx(1 / (math.dist(a, b) * angstrom_in_bohr), abs=1e-6)


@pytest.mark.chemistry
@pytest.mark.filterwarnings("ignore")  # PennyLane's own, at import
def test_pennylane_computes_the_same_coefficients_again() -> None:
    pytest.importorskip("pennylane")
    from pennylane import qchem

    (elements, positions) = zip(*hydrogen().geometry, strict=True)
    molecule = qchem.Molecule(list(elements), np.array(positions), unit="angstrom", basis_name="sto-3g")
    hamiltonian, num_qubits = qchem.molecular_hamiltonian(molecule, method="dhf", mapping="jordan_wigner")
    computed = {
        "".join(word.get(qubit, "I") for qubit in reversed(range(num_qubits))): complex(value)
        for word, value in hamiltonian.pauli_rep.items()
    }
    shipped = dict(hydrogen().observable.terms)
    assert computed.keys() == shipped.keys()
    assert all(abs(computed[pauli] - shipped[pauli]) < 1e-8 for pauli in shipped)
