"""The simulator targets sim.auto, sim.statevector, sim.stabilizer, sim.mps and sim.density_matrix."""

from __future__ import annotations

from antiphon.ports.target_driver import TargetDriver


def build_drivers() -> dict[str, TargetDriver]:
    """One driver for each simulator target, by name. Imports no SDK."""
    from antiphon.adapters.targets.sim.declared import declared_drivers

    return declared_drivers()
