"""Molecules read from the JSON that `bench/make_molecules.py` writes: terms, geometry, energies, and their source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from antiphon.domain.observables import Observable


@dataclass(frozen=True, slots=True)
class Molecule:
    """A molecule as a qubit Hamiltonian, energies in hartree.

    Attributes:
        name: The chemical formula.
        observable: The Hamiltonian. Qubit 0 is the rightmost letter; spin orbitals are numbered by energy, spin up on
            the even qubits and spin down on the odd ones.
        exact_energy: The lowest eigenvalue of `observable`.
        hartree_fock: The Hartree-Fock state as a bit string, qubit 0 rightmost; 1 is an occupied spin orbital.
        hartree_fock_energy: ⟨hartree_fock|observable|hartree_fock⟩.
        nuclear_repulsion: Already included in `observable`, in the term of identities.
        num_electrons: How many spin orbitals are occupied.
        geometry: (element, (x, y, z)) for each nucleus, in ångström.
        basis: The orbital basis set.
        mapping: The map from fermions to qubits.
        source: Library, versions and settings that computed the coefficients.
    """

    name: str
    observable: Observable
    exact_energy: float
    hartree_fock: str
    hartree_fock_energy: float
    nuclear_repulsion: float
    num_electrons: int
    geometry: tuple[tuple[str, tuple[float, float, float]], ...]
    basis: str
    mapping: str
    source: str

    @classmethod
    def from_json(cls, text: str) -> Molecule:
        """The molecule in a file that `bench/make_molecules.py` wrote; coefficients keep every bit of a float64."""
        data = json.loads(text)
        return cls(
            name=data["name"],
            observable=Observable(
                data["num_qubits"], tuple((pauli, float(coefficient)) for pauli, coefficient in data["terms"])
            ),
            exact_energy=data["exact_energy"],
            hartree_fock=data["hartree_fock"],
            hartree_fock_energy=data["hartree_fock_energy"],
            nuclear_repulsion=data["nuclear_repulsion"],
            num_electrons=data["num_electrons"],
            geometry=tuple((element, (x, y, z)) for element, (x, y, z) in data["geometry_angstrom"]),
            basis=data["basis"],
            mapping=data["mapping"],
            source=data["source"],
        )


@cache
def hydrogen() -> Molecule:
    """H2 at a bond length of 0.735 ångström in STO-3G: 4 qubits by Jordan-Wigner, 15 terms, about -1.1373 hartree."""
    return Molecule.from_json((files(__package__) / "h2.json").read_text(encoding="utf-8"))
