"""The part of the protocol between the client's objects and an engine that is about devices and their calibrations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from antiphon.domain.calibrations import Calibration
from antiphon.domain.policies.changes import DeviceDrift
from antiphon.domain.programs import Program
from antiphon.domain.spans import When


class DeviceConnection(Protocol):
    """What is known of devices over time."""

    def calibrations(self, target: str, since: When | None, limit: int) -> Sequence[Calibration]: ...  # noqa: D102
    def drift(self, target: str, program: Program | None, since: When | None) -> DeviceDrift: ...  # noqa: D102
