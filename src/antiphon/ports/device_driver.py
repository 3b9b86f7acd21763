"""The contract over targets that behave like hardware: beside running work they know their calibrations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from antiphon.domain.calibrations import Calibration
from antiphon.domain.devices import Assessment
from antiphon.domain.programs import Program
from antiphon.ports.target_driver import TargetDriver

RUN_UNDER = "run_under"
"""In the details of a plan that is executed: the calibration to run under, as JSON values, instead of the one that the
plan was compiled for. The circuit stays the one that was compiled."""


@runtime_checkable
class DeviceDriver(TargetDriver, Protocol):
    """A target with topology, native gates and calibrations; `info.device` is not None."""

    def calibration(self, at: float) -> Calibration:
        """The calibration published last before `at` (seconds since the epoch)."""
        ...

    def calibrations(self, since: float, until: float) -> Sequence[Calibration]:
        """All calibrations published in that time, newest first, and the one in force when it began."""
        ...

    def assess(self, program: Program, calibration: Calibration) -> Assessment:
        """What the program would meet under that calibration; compiles it if it was not.

        Raises:
            UnsupportedProgramError, LimitError: As `plan` would.
        """
        ...


@runtime_checkable
class ScheduledDevice(DeviceDriver, Protocol):
    """A device that knows when it is calibrated next."""

    def next_calibration(self, at: float) -> float:
        """When the next calibration after `at` is published, in seconds since the epoch."""
        ...
