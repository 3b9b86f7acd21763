"""Compute the molecular Hamiltonians that Antiphon ships and benches: python -m bench.make_molecules.

PennyLane's own Hartree-Fock does the chemistry, so that nothing beside the `sims` extra is needed. Coefficients of LiH
may differ in sign from machine to machine (an orbital's phase is free); its energies may not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.domain.observables import Observable
from antiphon.molecules import exact_ground_energy

ROOT = Path(__file__).resolve().parent.parent
BOND_LENGTHS = {
    # ångström: the usual textbook value for H2, the experimental equilibrium for LiH (NIST CCCBDB, r_e = 1.5949)
    "H2": (("H", "H"), 0.735, ROOT / "src" / "antiphon" / "molecules" / "h2.json"),
    "LiH": (("Li", "H"), 1.5949, ROOT / "bench" / "data" / "lih.json"),
}


def compute(name: str, elements: tuple[str, str], bond_length: float) -> dict[str, Any]:
    """A diatomic molecule in STO-3G, all orbitals, Jordan-Wigner, as the JSON that `Molecule.from_json` reads."""
    import pennylane
    from pennylane import qchem

    coordinates = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, bond_length]])
    molecule = qchem.Molecule(list(elements), coordinates, unit="angstrom", basis_name="sto-3g")
    hamiltonian, num_qubits = qchem.molecular_hamiltonian(molecule, method="dhf", mapping="jordan_wigner")
    terms: dict[str, float] = {}
    for word, coefficient in hamiltonian.pauli_rep.items():
        value = complex(coefficient)
        if abs(value.imag) > 1e-12:
            message = f"{name}: coefficient of {word} is not real: {value}"
            raise ValueError(message)
        # PennyLane numbers wires from the left; qubit 0 is our rightmost letter.
        letters = "".join(word.get(qubit, "I") for qubit in reversed(range(num_qubits)))
        terms[letters] = value.real
    observable = Observable(num_qubits, tuple(sorted(terms.items())))
    occupied = "".join(str(int(bit)) for bit in reversed(qchem.hf_state(molecule.n_electrons, num_qubits)))
    return {
        "name": name,
        "num_qubits": num_qubits,
        "num_electrons": int(molecule.n_electrons),
        "geometry_angstrom": [
            [element, list(map(float, xyz))] for element, xyz in zip(elements, coordinates, strict=True)
        ],
        "charge": 0,
        "multiplicity": 1,
        "basis": "STO-3G",
        "mapping": "Jordan-Wigner",
        "qubit_order": "qubit 0 is the rightmost letter; spin up on even qubits, spin down on odd ones",
        "unit": "hartree",
        "nuclear_repulsion": float(qchem.nuclear_energy(molecule.nuclear_charges, molecule.coordinates)()[0]),
        "nuclear_repulsion_included": True,
        "hartree_fock": occupied,
        "hartree_fock_energy": float(qchem.hf_energy(molecule)()),
        "exact_energy": exact_ground_energy(observable),
        "source": f"pennylane {pennylane.__version__}, qchem.molecular_hamiltonian(method='dhf')",
        "terms": [list(term) for term in observable.terms],
    }


def main() -> None:
    """Write every molecule to its file and print its energies."""
    for name, (elements, bond_length, path) in BOND_LENGTHS.items():
        data = compute(name, elements, bond_length)
        terms = data.pop("terms")
        head = "".join(f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in data.items())
        lines = ",\n  ".join(json.dumps(term) for term in terms)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{\n{head} "terms": [\n  {lines}\n ]\n}}\n', encoding="utf-8")
        print(f"{name}: {len(terms)} terms, exact {data['exact_energy']:.9f}, HF {data['hartree_fock_energy']:.9f}")


if __name__ == "__main__":
    main()
