"""Small molecules as observables, computed ahead of time and shipped with their source: a demo is real chemistry."""

from antiphon.molecules.exact import exact_ground_energy
from antiphon.molecules.load import Molecule, hydrogen

__all__ = ["Molecule", "exact_ground_energy", "hydrogen"]
