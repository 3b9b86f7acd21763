"""Devices: what a target that behaves like hardware can do natively, and what a program would meet on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Counted(StrEnum):
    """What a device's limit counts, and over what."""

    SHOTS = "shots"
    PROGRAMS = "programs"
    EXECUTIONS = "executions"
    LAYERS = "layers"
    TWO_QUBIT_GATES = "two-qubit-gates"
    INSTRUCTIONS = "instructions"
    SECONDS = "seconds"

    @property
    def words(self) -> str:
        """What it is, for people."""
        return _COUNTED[self]


_COUNTED = {
    Counted.SHOTS: "shots of each program",
    Counted.PROGRAMS: "programs of a job",
    Counted.EXECUTIONS: "executions of a job (programs, times parameter sets, times shots)",
    Counted.LAYERS: "layers of a program, on its longest path",
    Counted.TWO_QUBIT_GATES: "two-qubit gates of a program",
    Counted.INSTRUCTIONS: "instructions of the control system for one qubit of a program",
    Counted.SECONDS: "a shot of a program, on its longest path",
}


@dataclass(frozen=True, slots=True)
class DeviceLimit:
    """The most of something that a device takes, counted in programs as compiled for it.

    Attributes:
        of: What is counted.
        most: The most that is taken.
        source: Who publishes it, and where; of an assumption, why it is this figure.
        published: False for an assumption.
        weights: For `INSTRUCTIONS`: how many an operation makes on each of its qubits, by gate name, "measure", "reset"
            and "delay"; 1 for one that is not in it.
    """

    of: Counted
    most: float
    source: str
    published: bool = True
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def most_text(self) -> str:
        """The figure with its unit: "26,800,000", "40 µs"."""
        return self.text(self.most)

    def text(self, value: float) -> str:
        """`value` as this limit's figures are written."""
        if self.of is not Counted.SECONDS:
            return f"{value:,.0f}"
        unit, size = next((each for each in _TIMES if abs(value) >= each[1]), _TIMES[-1])
        return f"{value / size:.4g} {unit}"

    def to_json(self) -> dict[str, Any]:
        """The limit as JSON values."""
        return {
            "of": self.of.value,
            "most": self.most,
            "source": self.source,
            "published": self.published,
            "weights": dict(self.weights),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DeviceLimit:
        """The inverse of `to_json`."""
        return cls(Counted(data["of"]), data["most"], data["source"], data["published"], data.get("weights", {}))


_TIMES = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))


@dataclass(frozen=True, slots=True)
class DeviceShape:
    """Topology, native gates and limits.

    Attributes:
        family: "superconducting" or "ion-trap", say; for people.
        native_gates: Names of the table in `gates` that it runs without decomposition.
        coupling: Pairs that a native two-qubit gate joins, each as (control, target); empty means all to all.
        limits: What it takes beside its width; at most one of each kind.
        mid_circuit: Whether it measures on the way, resets, and goes on.
        positions: Where each qubit is drawn, (right, down) in units of the grid; empty where nobody says.
        shot_pause_s: Between the end of a shot and the start of the next, for the qubits to relax.
        shot_pause_source: Who publishes it, and where; of an assumption, that it is one.
        dt_s: The time unit of its control system, in which Qiskit gives delays; None where it has none.
    """

    family: str
    native_gates: tuple[str, ...]
    coupling: tuple[tuple[int, int], ...] = ()
    limits: tuple[DeviceLimit, ...] = ()
    mid_circuit: bool = True
    positions: tuple[tuple[float, float], ...] = ()
    shot_pause_s: float = 0.0
    shot_pause_source: str = ""
    dt_s: float | None = None

    def limit(self, of: Counted) -> DeviceLimit | None:
        """The limit of that kind, or None."""
        return next((each for each in self.limits if each.of is of), None)

    def to_json(self) -> dict[str, Any]:
        """The shape as JSON values."""
        return {
            "family": self.family,
            "native_gates": list(self.native_gates),
            "coupling": [list(pair) for pair in self.coupling],
            "limits": [each.to_json() for each in self.limits],
            "mid_circuit": self.mid_circuit,
            "positions": [list(each) for each in self.positions],
            "shot_pause_s": self.shot_pause_s,
            "shot_pause_source": self.shot_pause_source,
            "dt_s": self.dt_s,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DeviceShape:
        """The inverse of `to_json`."""
        return cls(
            family=data["family"],
            native_gates=tuple(data["native_gates"]),
            coupling=tuple((control, target) for control, target in data["coupling"]),
            limits=tuple(DeviceLimit.from_json(each) for each in data.get("limits", ())),
            mid_circuit=data["mid_circuit"],
            positions=tuple((right, down) for right, down in data.get("positions", ())),
            shot_pause_s=data.get("shot_pause_s", 0.0),
            shot_pause_source=data.get("shot_pause_source", ""),
            dt_s=data.get("dt_s"),
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
