"""Targets as Azure's clients see them: our own under `antiphon`, and other providers' names (`declared`)."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from antiphon.domain.programs import Profile
from antiphon.domain.targets import TargetInfo
from antiphon.errors import NotFoundError
from antiphon.ports.target_driver import TargetDriver
from antiphon.server.azure.declared import DECLARED, DEFAULT_SHOTS, NOT_EMULATED, Declared

BEHIND_ALIASES = "sim.auto"
"""The engine target that runs every alias."""

EXACT = "exact_probabilities"
"""The option of a target of the engine that asks for them."""


@dataclass(frozen=True, slots=True)
class AzureTarget:
    """One target on the wire.

    Attributes:
        id: Its name on the wire, as it is spelled in listings.
        provider: The provider's id, lower case.
        engine_target: The target of the engine that runs its jobs.
        num_qubits: The most a program may use.
        profile: The largest QIR profile it takes.
        alias: Whether the name is another provider's.
        options: Options of the engine target that belong to it (its noise).
        default_shots: Shots of a job that does not say.
        metadata: What a listing says beside the standard fields: how a name of another provider is emulated.
        availability: `Available`, `Degraded` or `Unavailable`, as the engine says.
        exact: Whether a result in IonQ's own format holds exact probabilities where it can, as those of simulators do
            and those of devices do not.
    """

    id: str
    provider: str
    engine_target: str
    num_qubits: int
    profile: Profile
    alias: bool
    options: Mapping[str, Any] = field(default_factory=dict)
    default_shots: int = DEFAULT_SHOTS
    metadata: Mapping[str, Any] = field(default_factory=dict)
    availability: str = "Available"
    exact: bool = False


class AzureTargets:
    """All targets of a server, in the order of listings: our own first.

    Args:
        drivers: The engine's targets by name.
        aliases: Whether other providers' names are served too.
    """

    def __init__(self, drivers: Mapping[str, TargetDriver], *, aliases: bool) -> None:
        own = [_own(driver.info) for driver in drivers.values()]
        behind = drivers.get(BEHIND_ALIASES)
        taken = {target.id.lower() for target in own}
        named = [_alias(one, behind.info) for one in DECLARED.values() if aliases and behind and one.id not in taken]
        self._targets = {target.id.lower(): target for target in (*own, *named)}

    def find(self, target_id: str, provider: str | None = None) -> AzureTarget:
        """The target of a name, whatever its case; with a provider, only if it is that provider's.

        Raises:
            NotFoundError: There is none; the next step names those that are spelled alike.
        """
        target = self._targets.get(target_id.lower())
        if target is not None and (provider is None or provider.lower() == target.provider):
            return target
        if target is not None:
            raise NotFoundError(
                f"The target {target.id} is offered by {target.provider!r}, not by {provider!r}.",
                code="target-unknown",
                next_step=f"Give the provider {target.provider!r}.",
                details={"target": target.id, "provider": target.provider},
            )
        why_not = NOT_EMULATED.get(target_id.lower().partition(".")[0])
        if why_not is not None:
            raise NotFoundError(
                f"There is no target {target_id!r} here.",
                code="target-unknown",
                cause=why_not,
                next_step="Submit a program of gates to e.g. sim.auto: as QIR, from Q#, Qiskit or Cirq.",
                details={"target": target_id, "close": []},
            )
        close = [
            self._targets[name].id
            for name in difflib.get_close_matches(target_id.lower(), self._targets, n=3, cutoff=0.6)
        ]
        raise NotFoundError(
            f"There is no target {target_id!r} here.",
            code="target-unknown",
            next_step=f"Did you mean {' or '.join(close)}?" if close else "List the targets with get_targets().",
            details={"target": target_id, "close": close},
        )

    def provider_status(
        self,
        depths: Mapping[str, tuple[int, int]],
        waits: Mapping[str, float] | None = None,
        high: Mapping[str, float] | None = None,
    ) -> list[dict[str, Any]]:
        """The wire's `ProviderStatus` objects.

        Args:
            depths: Jobs that wait and run, by target of the engine: all names that it runs share its queue.
            waits: Seconds that a job of standard priority waits, by target of the engine; 0 for an empty queue.
            high: The same for high priority.
        """
        by_provider: dict[str, list[dict[str, Any]]] = {}
        for target in self._targets.values():
            wait = (waits or {}).get(target.engine_target, 0.0)
            sooner = min(wait, (high or {}).get(target.engine_target, wait))
            queue = depths.get(target.engine_target, (0, 0))
            by_provider.setdefault(target.provider, []).append(_status(target, queue, wait, sooner))
        return [
            {"id": provider, "currentAvailability": _overall(targets), "targets": targets}
            for provider, targets in by_provider.items()
        ]


def _own(info: TargetInfo) -> AzureTarget:
    return AzureTarget(
        id=info.name,
        provider=info.provider.lower(),
        engine_target=info.name,
        num_qubits=info.limits.max_qubits,
        profile=info.profile,
        alias=False,
        metadata={"kind": info.kind, "description": info.description, "version": info.version, "emulation": False},
        availability=info.status,
        exact=EXACT in info.options,
    )


def _alias(declared: Declared, behind: TargetInfo) -> AzureTarget:
    description = (
        f"An emulation by {behind.name}: nothing is sent to {declared.provider}, and no device's connectivity, "
        "timing or calibration is reproduced."
    )
    noise = declared.noise
    return AzureTarget(
        id=declared.id,
        provider=declared.provider,
        engine_target=behind.name,
        num_qubits=min(declared.num_qubits, behind.limits.max_qubits),
        profile=declared.profile,
        alias=True,
        options={} if noise is None else {"noise": noise.to_json()},
        metadata={
            "kind": "emulator" if declared.device or noise is not None else "simulator",
            "description": description,
            "version": behind.version,
            "emulation": True,
            "emulatedBy": behind.name,
            "noise": noise.to_json() if noise is not None else None,
            **({"note": declared.note} if declared.note else {}),
        },
        availability=behind.status,
        exact=EXACT in behind.options and not declared.device,
    )


def _status(target: AzureTarget, queue: tuple[int, int], wait: float, sooner: float) -> dict[str, Any]:
    waiting, running = queue
    return {
        "id": target.id,
        "currentAvailability": target.availability,
        "averageQueueTime": _whole(wait),
        "averageQueueTimeStandardPriority": _whole(wait),
        "averageQueueTimeHighPriority": _whole(sooner),
        "statusPage": None,
        "numQubits": target.num_qubits,
        "targetProfile": _wire_profile(target.profile),
        "metadata": {**target.metadata, "queueDepth": waiting, "running": running, "profile": target.profile.value},
    }


def _whole(seconds: float) -> int:
    """Whole seconds, upwards; 0 for the milliseconds that an idle target takes to start a job."""
    return math.ceil(seconds) if seconds >= 0.5 else 0


def _wire_profile(profile: Profile) -> str:
    # Clients compile to what is listed, and can write QIR for no profile above this one.
    return (profile if profile.rank <= Profile.ADAPTIVE_RIF.rank else Profile.ADAPTIVE_RIF).value


def _overall(targets: list[dict[str, Any]]) -> str:
    found = {target["currentAvailability"] for target in targets}
    return found.pop() if len(found) == 1 else "Degraded"
