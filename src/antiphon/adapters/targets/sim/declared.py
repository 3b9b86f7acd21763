"""What each simulator target declares, and the rule it chooses engines by."""

from __future__ import annotations

from antiphon.adapters.targets.sim import choose, limits
from antiphon.adapters.targets.sim.driver import Rule, SimDriver
from antiphon.adapters.targets.sim.settings import OPTION_HELP
from antiphon.domain.programs import Profile
from antiphon.domain.targets import Limits, TargetInfo
from antiphon.ports.target_driver import TargetDriver

REVISION = 3
"""Raised whenever the same seeded program could give another outcome on these targets."""

_TABLEAU_QUBITS = 10_000


def declared_drivers() -> dict[str, TargetDriver]:
    """One driver for each simulator target, by name."""
    state_width = limits.widest(min(limits.QSIM_BYTES, limits.SAMPLE_BYTES["single"]))
    density_width = limits.widest(limits.DENSITY_BYTES, per_qubit=2)
    drivers = [
        _driver(
            "sim.auto",
            "Chooses the fastest engine for the program and says which and why.",
            choose.automatic,
            ("noise", "max_bond_dimension", "truncation_threshold", "engine", "precision", "exact_probabilities"),
            max_qubits=_TABLEAU_QUBITS,
            profile=Profile.UNRESTRICTED,
            reads_parameters=True,
            takes_noise=True,
        ),
        _driver(
            "sim.statevector",
            "The exact state vector, without noise; programs may measure, branch and loop.",
            lambda demand, _: choose.statevector(demand),
            ("engine", "precision", "exact_probabilities"),
            max_qubits=state_width,
            profile=Profile.UNRESTRICTED,
        ),
        _driver(
            "sim.stabilizer",
            "Clifford circuits on thousands of qubits.",
            choose.stabilizer,
            ("engine",),
            max_qubits=_TABLEAU_QUBITS,
            reads_parameters=True,
        ),
        _driver(
            "sim.mps",
            "A matrix product state: many qubits with little entanglement.",
            lambda demand, _: choose.matrix_product_state(demand),
            ("max_bond_dimension", "truncation_threshold", "engine"),
            max_qubits=1_000,
        ),
        _driver(
            "sim.density_matrix",
            "The exact density matrix, with noise.",
            lambda demand, _: choose.density_matrix(demand),
            ("noise", "engine"),
            max_qubits=density_width,
            profile=Profile.UNRESTRICTED,
            takes_noise=True,
        ),
    ]
    return {driver.info.name: driver for driver in drivers}


def _driver(
    name: str,
    description: str,
    rule: Rule,
    options: tuple[str, ...],
    *,
    max_qubits: int,
    profile: Profile = Profile.ADAPTIVE,
    reads_parameters: bool = False,
    takes_noise: bool = False,
) -> SimDriver:
    info = TargetInfo(
        name=name,
        provider="antiphon",
        kind="simulator",
        version=f"sim-{REVISION}",
        profile=profile,
        limits=Limits(max_qubits=max_qubits),
        takes_noise=takes_noise,
        options={option: OPTION_HELP[option] for option in options},
        description=description,
    )
    return SimDriver(info, rule, reads_parameters=reads_parameters)
