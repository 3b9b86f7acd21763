"""Which devices are emulated."""

from __future__ import annotations

from antiphon.adapters.targets.emu.driver import Apart, EmuDriver

DEVICES = ("emu.heron", "emu.falcon", "emu.manila", "emu.willow", "emu.ion")
"""IBM's Heron, Falcon and a Falcon of five qubits, Google's Willow, and an ion trap, Quantinuum's H2."""


def declared_drivers(apart: Apart | None = None) -> dict[str, EmuDriver]:
    """One driver for each device, by the name of its target; with `apart` they compile elsewhere."""
    return {name: EmuDriver(name, apart=apart) for name in DEVICES}
