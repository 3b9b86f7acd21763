"""Target names of other providers that samples and tutorials use, and what stands behind each here: one line a target.

Nothing here reaches a provider's machine. Each name is run by our own simulator `sim.auto`, and its metadata says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from antiphon.domain.noise import NoiseModel
from antiphon.domain.programs import Profile

DEFAULT_SHOTS = 500
"""What the Azure clients ask for when the user does not say."""

STEADY = NoiseModel(depolarizing_1q=1e-4, depolarizing_2q=2e-3)
"""Round numbers of the order that trapped-ion makers publish: no device's calibration."""

COARSE = NoiseModel(depolarizing_1q=1e-3, depolarizing_2q=1e-2)
"""Round numbers of the order that superconducting makers publish: no device's calibration."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One name of another provider.

    Attributes:
        id: The target's name on the wire.
        num_qubits: The most a program may use under this name: what the provider states, or less.
        profile: The largest QIR profile that is taken under this name.
        noise: Depolarising noise after each gate, or None for an exact simulation.
        device: Whether the provider's own target of this name is a device, so that this one stands in for it.
        note: What differs from the provider's own, for the metadata.
    """

    id: str
    num_qubits: int
    profile: Profile
    noise: NoiseModel | None = None
    device: bool = False
    note: str = ""

    @property
    def provider(self) -> str:
        """The provider's id: the first part of the name."""
        return self.id.partition(".")[0]


_CHECKER = "The provider's own only checks syntax; here the program is run."
PULSES = "No target here runs Pulser sequences yet."

NOT_EMULATED: Mapping[str, str] = {"pasqal": PULSES}
"""Providers whose names are not served, and why not."""

_EXACT = (
    "Results in IonQ's own format hold exact probabilities, as the provider's do, for up to 18 measured qubits, and "
    "the frequencies of the shots beyond."
)
_FREQUENCIES = "Results in IonQ's own format hold the frequencies of the shots, as a device's do."
_BASE, _RI, _RIF = Profile.BASE, Profile.ADAPTIVE_RI, Profile.ADAPTIVE_RIF

# Qubit numbers: those of the genuine clients' own backend tables (azure-quantum 3.13.0).
DECLARED: Mapping[str, Declared] = {
    one.id: one
    for one in (
        Declared("ionq.simulator", 29, _BASE, note=_EXACT),
        Declared("ionq.qpu.aria-1", 25, _BASE, device=True, note=_FREQUENCIES),
        Declared("ionq.qpu.forte-1", 35, _BASE, device=True, note=_FREQUENCIES),
        Declared("ionq.qpu.forte-enterprise-1", 35, _BASE, device=True, note=_FREQUENCIES),
        Declared("quantinuum.sim.h2-1sc", 56, _RI, note=_CHECKER),
        Declared("quantinuum.sim.h2-2sc", 56, _RI, note=_CHECKER),
        Declared("quantinuum.sim.helios-1sc", 98, _RIF, note=_CHECKER),
        Declared("quantinuum.sim.h2-1e", 56, _RI, STEADY),
        Declared("quantinuum.sim.h2-2e", 56, _RI, STEADY),
        Declared("quantinuum.sim.helios-1e", 98, _RIF, STEADY),
        Declared("quantinuum.qpu.h2-1", 56, _RI, device=True),
        Declared("quantinuum.qpu.h2-2", 56, _RI, device=True),
        Declared("quantinuum.qpu.helios-1", 98, _RIF, device=True),
        Declared("rigetti.sim.qvm", 20, _BASE),
        Declared("rigetti.qpu.cepheus-1-108q", 108, _BASE, device=True),
        Declared("qci.simulator", 29, _RI),
        Declared("qci.simulator.noisy", 29, _RI, COARSE),
        Declared("qci.machine1", 11, _RI, device=True),
    )
}
