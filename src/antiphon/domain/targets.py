"""Targets: what a place to run declares about itself, so that a program is checked before it is queued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from antiphon.domain.devices import DeviceShape
from antiphon.domain.programs import Profile
from antiphon.errors import UnsupportedProgramError


@dataclass(frozen=True, slots=True)
class Limits:
    """The most a target takes in one job."""

    max_qubits: int
    max_shots: int = 10_000_000
    max_programs: int = 10_000
    max_parameter_sets: int = 1_000_000
    max_operations: int = 5_000_000
    max_seconds: float = 3_600.0


@dataclass(frozen=True, slots=True)
class TargetInfo:
    """A target as it describes itself.

    Attributes:
        name: Unique in the workspace, "provider-family.kind", e.g. "sim.auto".
        provider: Who offers it.
        kind: "simulator", "emulator" (behaves like a device) or "qpu".
        version: Changes whenever the same seeded program could give another result.
        profile: The largest profile it runs.
        limits: Checked before a job is queued.
        estimates: True when it returns expectation values itself.
        takes_noise: True when it applies a `NoiseModel`.
        seeded: False where a seed decides nothing, as in nature: a job that runs again agrees within its shots alone.
        options: Names of the options it understands, each with one line of help.
        description: One sentence for people.
        status: Whether it takes and runs jobs: "Available", "Degraded" or "Unavailable"; `status_reason` says why and
            until when, where a target tells that.
        slots: How many jobs it runs at a time; None where only workers limit that. An operator may change it
            (`QueuePolicy`).
        device: Topology and native gates of what behaves like hardware; None for a plain simulator.
    """

    name: str
    provider: str
    kind: str
    version: str
    profile: Profile
    limits: Limits
    estimates: bool = True
    takes_noise: bool = False
    seeded: bool = True
    options: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    status: str = "Available"
    slots: int | None = None
    device: DeviceShape | None = None
    status_reason: str = ""

    def as_it_stands(self, status: str, reason: str = "") -> TargetInfo:
        """The same target, available or not."""
        if (status, reason) == (self.status, self.status_reason):
            return self
        return replace(self, status=status, status_reason=reason)

    def to_json(self) -> dict[str, Any]:
        """The description as JSON values."""
        return {
            "name": self.name,
            "provider": self.provider,
            "kind": self.kind,
            "version": self.version,
            "num_qubits": self.limits.max_qubits,
            "profile": self.profile.value,
            "status": self.status,
            "status_reason": self.status_reason,
            "max_shots": self.limits.max_shots,
            "estimates": self.estimates,
            "takes_noise": self.takes_noise,
            "seeded": self.seeded,
            "options": dict(self.options),
            "description": self.description,
            **({} if self.device is None else {"device": self.device.to_json()}),
        }


def option_refusal(target: str, option: str, cause: str, next_step: str) -> UnsupportedProgramError:
    """An option that a target cannot take as given."""
    return UnsupportedProgramError(
        f"{target} cannot take the option {option!r} as given.",
        code="option-invalid",
        cause=cause,
        next_step=next_step,
        details={"target": target, "option": option},
    )
