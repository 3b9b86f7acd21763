"""Calibrations: what was measured of a device at one time, from which its errors and durations follow.

Units: seconds; errors are probabilities. The error of a gate is its average gate infidelity, 1 minus the average gate
fidelity over all input states, which is what randomised benchmarking reports.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True)
class QubitFigures:
    """One qubit.

    Attributes:
        t1: Relaxation time in seconds; infinity where it does not relax in the time of any circuit.
        t2: Dephasing time (Hahn echo) in seconds, at most 2·t1.
        readout_p01: Probability of reading 1 when it is 0.
        readout_p10: Probability of reading 0 when it is 1.
    """

    t1: float
    t2: float
    readout_p01: float
    readout_p10: float


@dataclass(frozen=True, slots=True)
class GateFigures:
    """One gate on certain qubits: average infidelity, and duration in seconds."""

    error: float
    seconds: float


@dataclass(frozen=True, repr=False)
class Calibration:
    """What is known of a device at one time.

    Attributes:
        target: Name of the target.
        taken_at: When it was published, seconds since the epoch.
        qubits: By number.
        gates: By name, then by qubits in order. A gate that is the same in both directions is listed in both.
        measure_s: Duration of a measurement.
        reset_s: Duration of a reset.
        feedforward_s: From the end of a measurement until a gate that depends on it can begin.
        source: Where the figures come from, in words, with the date of the original.
        notes: What was completed, assumed or left out, each a sentence.
        resets_by_measuring: Whether a reset is a measurement, and a flip if it read 1: then a misread one leaves the
            qubit wrong.
        crosstalk: Average infidelity that measuring one qubit costs each other one that is in use.
    """

    target: str
    taken_at: float
    qubits: tuple[QubitFigures, ...]
    gates: Mapping[str, Mapping[tuple[int, ...], GateFigures]]
    measure_s: float
    reset_s: float
    feedforward_s: float
    source: str = ""
    notes: tuple[str, ...] = field(default=())
    resets_by_measuring: bool = False
    crosstalk: float = 0.0

    @cached_property
    def digest(self) -> str:
        """The name of this snapshot: "sha256:" and 64 hexadecimal digits over all figures."""
        return "sha256:" + hashlib.sha256(self.to_bytes()).hexdigest()

    def reset_error(self, qubit: int) -> float:
        """Probability that the qubit is in 1 after a reset, if it was in 0 and 1 equally often; 0 where nobody says."""
        figures = self.qubits[qubit]
        return (figures.readout_p01 + figures.readout_p10) / 2 if self.resets_by_measuring else 0.0

    def to_bytes(self) -> bytes:
        """The snapshot as it is stored: JSON of `to_json`, the same for equal snapshots."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":")).encode()

    def __repr__(self) -> str:
        when = datetime.fromtimestamp(self.taken_at, tz=UTC).isoformat(timespec="minutes")
        return f"<Calibration of {self.target}, {when}: {len(self.qubits)} qubits, {', '.join(sorted(self.gates))}>"

    def to_json(self) -> dict[str, Any]:
        """The snapshot as JSON values; qubits of a gate are joined by commas, infinity is null."""
        return {
            "target": self.target,
            "taken_at": self.taken_at,
            "qubits": [[_finite(q.t1), _finite(q.t2), q.readout_p01, q.readout_p10] for q in self.qubits],
            "gates": {
                name: {",".join(map(str, qubits)): [each.error, each.seconds] for qubits, each in sorted(found.items())}
                for name, found in sorted(self.gates.items())
            },
            "measure_s": self.measure_s,
            "reset_s": self.reset_s,
            "feedforward_s": self.feedforward_s,
            "source": self.source,
            "notes": list(self.notes),
            # Snapshots without these have the digests that they had before there were any.
            **({"resets_by_measuring": True} if self.resets_by_measuring else {}),
            **({"crosstalk": self.crosstalk} if self.crosstalk else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        """The inverse of `to_json`."""
        return cls(
            target=data["target"],
            taken_at=data["taken_at"],
            qubits=tuple(QubitFigures(_number(t1), _number(t2), p01, p10) for t1, t2, p01, p10 in data["qubits"]),
            gates={
                name: {
                    tuple(int(qubit) for qubit in qubits.split(",")): GateFigures(error, seconds)
                    for qubits, (error, seconds) in found.items()
                }
                for name, found in data["gates"].items()
            },
            measure_s=data["measure_s"],
            reset_s=data["reset_s"],
            feedforward_s=data["feedforward_s"],
            source=data.get("source", ""),
            notes=tuple(data.get("notes", ())),
            resets_by_measuring=data.get("resets_by_measuring", False),
            crosstalk=data.get("crosstalk", 0.0),
        )


def _finite(value: float) -> float | None:
    return None if value == float("inf") else value


def _number(value: float | None) -> float:
    return float("inf") if value is None else value
