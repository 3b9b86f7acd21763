"""Devices: what a target that behaves like hardware can do natively, and what a program would meet on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class DeviceShape:
    """Topology and native gates.

    Attributes:
        family: "superconducting" or "ion-trap", say; for people.
        native_gates: Names of the table in `gates` that it runs without decomposition.
        coupling: Pairs that a native two-qubit gate joins, each as (control, target); empty means all to all.
        max_depth: Most layers of native gates in one program; None for no limit.
        mid_circuit: Whether it measures on the way, resets, and goes on.
    """

    family: str
    native_gates: tuple[str, ...]
    coupling: tuple[tuple[int, int], ...] = ()
    max_depth: int | None = None
    mid_circuit: bool = True

    def to_json(self) -> dict[str, Any]:
        """The shape as JSON values."""
        return {
            "family": self.family,
            "native_gates": list(self.native_gates),
            "coupling": [list(pair) for pair in self.coupling],
            "max_depth": self.max_depth,
            "mid_circuit": self.mid_circuit,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DeviceShape:
        """The inverse of `to_json`."""
        return cls(
            family=data["family"],
            native_gates=tuple(data["native_gates"]),
            coupling=tuple((control, target) for control, target in data["coupling"]),
            max_depth=data["max_depth"],
            mid_circuit=data["mid_circuit"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What one program meets on one device under one calibration, known before it runs.

    Attributes:
        target: Name of the target.
        calibration: Digest of the calibration it was assessed under.
        layout: Physical qubit of each qubit of the program, at the start.
        depth: Layers of native gates.
        gates: How many of each native gate, after compilation.
        seconds: Duration of one shot; of its longest path if it branches, a loop on measurements counted once.
        fidelity: Estimated probability that a shot sees no error: the product over gates, idle times and measurements.
        feedforward_s: Time that qubits which are still needed spend waiting for classical decisions, summed over them.
        feedforward_loss: Part of the fidelity lost in that time, 0 … 1.
        warnings: What the user should know before it is queued, each a sentence.
    """

    target: str
    calibration: str
    layout: tuple[int, ...]
    depth: int
    gates: Mapping[str, int]
    seconds: float
    fidelity: float
    feedforward_s: float = 0.0
    feedforward_loss: float = 0.0
    warnings: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """The assessment as JSON values."""
        return {**asdict(self), "layout": list(self.layout), "gates": dict(self.gates), "warnings": list(self.warnings)}
