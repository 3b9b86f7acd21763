"""Devices and their calibrations on an engine of this process."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.domain.calibrations import Calibration
from antiphon.domain.policies.changes import DeviceDrift
from antiphon.domain.programs import Program
from antiphon.domain.spans import When
from antiphon.engine.context import EngineContext
from antiphon.engine.devices import calibrations_of, drift_of


class EmbeddedDevices:
    """Implements `DeviceConnection` on an engine of this process."""

    _ctx: EngineContext

    def calibrations(self, target: str, since: When | None, limit: int) -> Sequence[Calibration]:
        """See `engine.devices`."""
        return calibrations_of(self._ctx, target, since, limit)

    def drift(self, target: str, program: Program | None, since: When | None) -> DeviceDrift:
        """See `engine.devices`."""
        return drift_of(self._ctx, target, program, since)
