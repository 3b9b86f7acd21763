"""Emulated devices: topology, native gates and noise of published calibrations, run on the simulators' engines."""

from __future__ import annotations

from antiphon.ports.target_driver import TargetDriver


def build_drivers() -> dict[str, TargetDriver]:
    """One driver for each emulated device, by name. Imports no SDK."""
    from antiphon.adapters.targets.emu.declared import declared_drivers

    return dict(declared_drivers())
