"""A vendor's device as a target: what it declares, and what is refused before a job is queued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from antiphon.adapters.targets.sim.checks import check_pub
from antiphon.adapters.targets.sim.features import Features
from antiphon.adapters.targets.sim.pauli_sampling import check_shots, grouped_on
from antiphon.adapters.targets.sim.task import parameter_array
from antiphon.adapters.targets.vendors.lowering import check_operations
from antiphon.adapters.targets.vendors.pieces import QIR, count_pieces, features_for
from antiphon.domain.devices import DeviceShape
from antiphon.domain.gates import GATES
from antiphon.domain.programs import Profile
from antiphon.domain.results import Execution
from antiphon.domain.targets import Limits, TargetInfo
from antiphon.domain.work import Plan, Pub, Work
from antiphon.errors import ExecutionError, LimitError, UnsupportedProgramError

LONGEST_S = 7 * 86_400.0
SHOT_S = 2e-4
"""A shot on a device takes about so long, with what is between shots."""

_SHARED = {"id": "id", "rzz": "rzz", "prx": "r", "cnot": "cx", "v": "sx", "i": "id"}


class VendorDriver:
    """Plans for one device of a vendor; what runs, runs at the vendor's.

    Args:
        vendor: The vendor's name.
        sdk: Versions of its SDK, by package.
        device: The device as `hello` describes it.
        slots: Jobs at the vendor at a time.
    """

    def __init__(self, vendor: str, sdk: Mapping[str, str], device: Mapping[str, Any], slots: int) -> None:
        self._device = device
        self._info = info_of(vendor, sdk, device, slots)
        self._whole = replace(self._info, profile=Profile.UNRESTRICTED)

    @property
    def info(self) -> TargetInfo:
        """What the target declares; constant while the driver lives."""
        return self._info

    @property
    def as_sent(self) -> Mapping[str, Any] | None:
        """Options with which circuits run as they were sent, on the qubits of their numbers; None: not for certain."""
        found = self._device.get("as_sent")
        return None if found is None else dict(found)

    def plan(self, work: Work) -> Plan:
        """Check `work` against the device.

        Raises:
            UnsupportedProgramError: An instruction, profile or option that cannot be sent.
            ProgramError, LimitError: As the simulators', and fewer or more shots and programs than the device takes.
        """
        info = self._info
        for name in work.options:
            if name not in info.options:
                raise UnsupportedProgramError(
                    f"{info.name} has no option {name!r}.",
                    code="option-unknown",
                    next_step=f"It has {', '.join(info.options) or 'none'}.",
                )
        for pub in work.pubs:
            self._check(pub)
        number = count_pieces(work)
        if number > info.limits.max_programs:
            raise LimitError(
                f"The job would be {number} programs at {info.name}, which takes {info.limits.max_programs}.",
                code="programs-exceeded",
                cause="each parameter set is a program, and each group of an observable",
                next_step="Split it into several jobs.",
                details={"programs": number, "limit": info.limits.max_programs},
            )
        shots = sum((pub.shots or 0) * pub.parameters.num_sets for pub in work.pubs)
        return Plan(
            engine=(info.name,) * len(work.pubs),
            reason=(f"runs at {info.provider}",) * len(work.pubs),
            cost=1.0 + SHOT_S * shots,
            memory_bytes=0,
            safe_inline=False,
            num_calls=number,
            details={"programs_sent": number},
        )

    def execute(self, work: Work, plan: Plan) -> Execution:  # noqa: ARG002 - the port's signature
        """Nothing of a vendor's runs here.

        Raises:
            ExecutionError: Always.
        """
        raise ExecutionError(f"{self._info.name} runs at its vendor's, not here.", code="target-elsewhere")

    def _check(self, pub: Pub) -> None:
        info = self._info
        features = features_for(pub.program)
        # Measurements that can be made at the end are sent so, whatever the program's profile.
        static = features is not None and not features.dynamic
        check_pub(pub, features, parameter_array(pub), self._whole if static else info)
        least = int(self._device.get("min_shots", 1))
        if pub.shots is None:
            raise LimitError(
                f"{info.name} gives no exact values.", code="shots-missing", next_step="Give shots, for example 1000."
            )
        if pub.shots < least:
            raise LimitError(
                f"{pub.shots} shots are fewer than {info.name} takes.",
                code="shots-too-few",
                next_step=f"Give {least} or more.",
            )
        if features is None:
            self._check_opaque(pub)
            return
        check_operations(features, info.name, delays=bool(self._device.get("delays")))
        if pub.observables is not None:
            self._check_estimate(pub, features)

    def _check_opaque(self, pub: Pub) -> None:
        program, info = pub.program, self._info
        if "qir" not in self._device["formats"] or program.format not in QIR or pub.observables is not None:
            raise UnsupportedProgramError(
                f"{info.name} cannot be sent this program.",
                code="program-opaque",
                cause=program.opaque_because,
                next_step="Write it with gates, measurements and branches on bits, or run it on sim.auto.",
            )
        if pub.parameters.names:
            raise UnsupportedProgramError(
                f"{info.name} takes no parameters of QIR.", next_step="Bind them before you submit."
            )

    def _check_estimate(self, pub: Pub, features: Features) -> None:
        if features.dynamic:
            raise UnsupportedProgramError(
                f"Expectation values on {self._info.name} need measurements at the end alone.",
                code="estimate-dynamic",
                cause=features.dynamic,
                next_step="Take out what is measured on the way, or sample and evaluate the counts.",
            )
        for observable in pub.observables or ():
            check_shots(len(grouped_on(observable, features.qubits).groups), pub.shots or 0)


def info_of(vendor: str, sdk: Mapping[str, str], device: Mapping[str, Any], slots: int) -> TargetInfo:
    """What a device declares, as a target."""
    programs = int(device["max_programs"])
    packages = "+".join(f"{name}-{version}" for name, version in sorted(sdk.items()))
    return TargetInfo(
        name=f"{vendor}.{device['name']}",
        provider=vendor,
        kind=device["kind"],
        version=f"{device.get('version', '')}+{packages}".lstrip("+"),
        profile=Profile(device["profile"]),
        limits=Limits(
            max_qubits=device["qubits"],
            max_shots=device["max_shots"],
            max_programs=programs,
            max_parameter_sets=programs,
            max_operations=100_000,
            max_seconds=LONGEST_S,
        ),
        seeded=bool(device.get("seeded")),
        options=dict(device.get("options") or {}),
        description=device["description"],
        status=device.get("status", "Available"),
        slots=slots,
        device=_shape(device),
    )


def _shape(device: Mapping[str, Any]) -> DeviceShape | None:
    if "native_gates" not in device:
        return None
    names = [_SHARED.get(name, name) for name in device["native_gates"]]
    return DeviceShape(
        family=device.get("family", ""),
        native_gates=tuple(name for name in dict.fromkeys(names) if name in GATES),
        coupling=tuple((control, target) for control, target in device.get("coupling") or ()),
        mid_circuit=bool(device.get("mid_circuit")),
        dt_s=device.get("dt_s"),
    )
