"""A target that is a device: its calibrations over time, and what their drift means."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.client.calibration_history import CalibrationHistory, calibration_history
from antiphon.client.connection import Connection, TargetView
from antiphon.client.device_map import DeviceMap, device_map
from antiphon.client.moments import Since, when_of
from antiphon.domain.calibrations import Calibration
from antiphon.domain.policies.changes import DeviceDrift
from antiphon.errors import LimitError
from antiphon.frontends.recognise import to_program


class TargetDevice:
    """The part of a `Target` that is about the device behind it."""

    _connection: Connection
    _view: TargetView

    @property
    def calibration(self) -> Calibration:
        """The calibration in force now: T1, T2, readout and gate errors, and durations.

        Raises:
            LimitError: The target is no device (code "calibration-unknown").
        """
        return self.calibrations(limit=1)[0]

    def calibrations(self, since: Since | None = None, limit: int = 10) -> Sequence[Calibration]:
        """Its calibrations, newest first, and the one that was in force at `since`.

        Args:
            since: Seconds since the epoch, a datetime, or ISO 8601; no zone means UTC. Or how long before now: a
                timedelta, or text such as "2d". None is the last week, or all of a device that has a few dated
                snapshots.
            limit: So many at most, 1 to 100.

        Raises:
            LimitError: The target is no device (code "calibration-unknown").
        """
        return self._connection.calibrations(self._view.info.name, None if since is None else when_of(since), limit)

    def draw_calibrations(self, since: Since | None = None, limit: int = 100) -> CalibrationHistory:
        """How its figures went over its calibrations, as a picture. Notebooks show it; `save` writes it.

        Args:
            since, limit: As for `calibrations`.

        Raises:
            LimitError: The target is no device (code "calibration-unknown").
        """
        return calibration_history(self._view.info.name, self.calibrations(since, limit))

    def drift(self, program: object = None, since: Since | None = None) -> DeviceDrift:
        """What changed since the calibration in force at `since`, and whether `program` would notice. Prints well.

        Args:
            program: As for `submit`; its expected fidelity is given then and now.
            since: As for `calibrations`; None compares with the calibration before the newest.

        Raises:
            LimitError: The target is no device (code "calibration-unknown").
            UnsupportedProgramError: The target does not run the program.
        """
        shape = self._view.info.device
        read = None if program is None else to_program(program, dt_s=None if shape is None else shape.dt_s)
        return self._connection.drift(self._view.info.name, read, None if since is None else when_of(since))

    def draw(self, at: Calibration | None = None) -> DeviceMap:
        """The device as a picture: its qubits and pairs where they are, coloured by their errors. Notebooks show it.

        Args:
            at: The calibration to draw; None is the one in force now.

        Raises:
            LimitError: The target is no device (code "calibration-unknown").
        """
        info, calibration = self._view.info, at or self.calibration
        if info.device is None:
            raise LimitError(
                f"{info.name} says nothing of qubits and pairs, so there is nothing to draw.",
                code="calibration-unknown",
                next_step="Draw a target that is a device: antiphon targets list shows which are.",
            )
        return device_map(info.name, info.device, calibration)
