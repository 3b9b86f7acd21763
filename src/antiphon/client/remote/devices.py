"""Devices and their calibrations of an engine behind HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from antiphon.client.remote.http import HttpSession
from antiphon.client.wire.devices import calibration_from_json, drift_from_json
from antiphon.client.wire.requests import program_to_json
from antiphon.client.wire.times import to_iso
from antiphon.domain.calibrations import Calibration
from antiphon.domain.policies.changes import DeviceDrift
from antiphon.domain.programs import Program
from antiphon.domain.spans import Ago, When


class RemoteDevices:
    """Implements `DeviceConnection` on a server."""

    _http: HttpSession

    def calibrations(self, target: str, since: When | None, limit: int) -> Sequence[Calibration]:
        """See `engine.devices`."""
        return self._http.get(
            f"/v1/targets/{quote(target, safe='')}/calibrations",
            lambda body: [calibration_from_json(each) for each in body["calibrations"]],
            {"since": _text(since), "limit": str(limit)},
        )

    def drift(self, target: str, program: Program | None, since: When | None) -> DeviceDrift:
        """See `engine.devices`."""
        body = {
            "program": None if program is None else program_to_json(program),
            "since": _text(since),
        }
        return self._http.post(f"/v1/targets/{quote(target, safe='')}/drift", drift_from_json, body)


def _text(since: When | None) -> str | None:
    """ISO 8601, or a length of time that the server counts back by its own clock."""
    return str(since) if isinstance(since, Ago) else None if since is None else to_iso(since)
