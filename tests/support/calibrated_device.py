"""A device that runs as the noise-free simulator does, with calibrations that a test publishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from antiphon.adapters.targets.sim import build_drivers
from antiphon.domain.calibrations import Calibration, GateFigures, QubitFigures
from antiphon.domain.devices import Assessment, DeviceShape
from antiphon.domain.programs import Program
from antiphon.domain.results import Execution
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import Plan, Work
from antiphon.ports.provider import TargetPlugin

TARGET = "tests.device"


def calibration(taken_at: float, *, error: float = 1e-3, t1: float = 1e-4, target: str = TARGET) -> Calibration:
    """Two qubits, joined."""
    pair = GateFigures(10 * error, 1e-7)
    return Calibration(
        target,
        taken_at,
        (QubitFigures(t1, t1, 0.01, 0.02),) * 2,
        {"sx": {(0,): GateFigures(error, 3e-8), (1,): GateFigures(error, 3e-8)}, "cz": {(0, 1): pair, (1, 0): pair}},
        1e-6,
        2e-6,
        5e-7,
    )


class CalibratedDevice:
    """Implements `ports.device_driver.DeviceDriver`; `published` is oldest first."""

    def __init__(self, published: Sequence[Calibration], *, name: str = TARGET, fidelity: float = 0.9) -> None:
        self._sim = build_drivers()["sim.auto"]
        self.published = list(published)
        self.fidelity = fidelity
        self.info: TargetInfo = replace(
            self._sim.info,
            name=name,
            kind="emulator",
            device=DeviceShape("tests", ("sx", "cz"), ((0, 1), (1, 0))),
            options={},
        )

    def plan(self, work: Work) -> Plan:
        return self._sim.plan(work)

    def execute(self, work: Work, plan: Plan) -> Execution:
        return replace(self._sim.execute(work, plan), calibration=self.published[-1])

    def calibration(self, at: float) -> Calibration:
        return [each for each in self.published if each.taken_at <= at][-1]

    def calibrations(self, since: float, until: float) -> Sequence[Calibration]:
        newest_first = [each for each in reversed(self.published) if each.taken_at <= until]
        before = [each for each in newest_first if each.taken_at < since][:1]
        return [each for each in newest_first if each.taken_at >= since] + before

    def assess(self, program: Program, calibration: Calibration) -> Assessment:
        error = calibration.gates["cz"][0, 1].error
        return Assessment(
            target=self.info.name,
            calibration=calibration.digest,
            layout=tuple(range(program.num_qubits)),
            depth=3,
            gates={"cz": 1},
            seconds=1e-6,
            fidelity=self.fidelity * (1 - error),
        )

    def plugin(self) -> TargetPlugin:
        return TargetPlugin({self.info.name: self}, {})


class ScheduledCalibrations(CalibratedDevice):
    """It also knows when it is calibrated next."""

    next_at = 0.0

    def next_calibration(self, at: float) -> float:  # noqa: ARG002 - the port's signature
        return self.next_at
