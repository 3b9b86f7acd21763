"""Which devices are emulated."""

from __future__ import annotations

from antiphon.adapters.targets.emu.driver import EmuDriver

DEVICES = ("emu.heron", "emu.falcon", "emu.manila", "emu.willow", "emu.ion")
"""IBM's Heron, Falcon and a Falcon of five qubits, Google's Willow, and an ion trap, Quantinuum's H2."""


def declared_drivers() -> dict[str, EmuDriver]:
    """One driver for each device, by the name of its target."""
    return {name: EmuDriver(name) for name in DEVICES}
