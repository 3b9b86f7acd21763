"""What a device must do to be given a life: plan and run under whichever calibration it is told."""

from __future__ import annotations

from typing import Protocol

from antiphon.domain.calibrations import Calibration
from antiphon.domain.results import Execution
from antiphon.domain.work import Plan, Work
from antiphon.ports.device_driver import DeviceDriver


class PlainDevice(DeviceDriver, Protocol):
    """A device that does not change by itself.

    The details of its plans say under "programs" of each pub how long a shot takes ("shot_s").
    """

    def plan_under(self, work: Work, calibration: Calibration) -> Plan:
        """As `plan`, compiled for that calibration."""
        ...

    def execute(self, work: Work, plan: Plan) -> Execution:
        """As every driver; with `RUN_UNDER` in the plan's details it has the noise of that calibration."""
        ...
