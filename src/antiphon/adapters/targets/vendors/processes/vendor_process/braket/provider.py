"""Amazon Braket through its SDK: devices of the service, or its simulator in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vendor_process.braket.device import describe_live, describe_local, to_braket
from vendor_process.braket.job import LiveTasks, classed, open_session, simulate
from vendor_process.local import LocalJobs
from vendor_process.over_jobs import OverJobs
from vendor_process.serving import Json, RefusedError, Request, VendorJob, versions

PACKAGES = ("amazon-braket-sdk", "amazon-braket-default-simulator")
LOCAL_DEVICES = ("braket_sv",)


def connect(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> BraketVendor:
    """Connect in mode "local", or "live" with `region`, `bucket` and, if AWS is not to find it itself, a key."""
    if settings.get("mode", "local") == "local":
        return BraketVendor(list(settings.get("targets") or LOCAL_DEVICES), LocalJobs(simulate), None)
    with classed():
        session = open_session(settings, secrets)
    tasks = LiveTasks(session, str(settings["bucket"]), str(settings.get("prefix", "antiphon")))
    return BraketVendor(settings.get("targets"), tasks, session)


class BraketVendor(OverJobs):
    """Implements `serving.Vendor`."""

    packages = PACKAGES

    def __init__(self, targets: list[str] | None, tasks: LocalJobs | LiveTasks, session: Any | None) -> None:
        super().__init__(tasks)
        self._targets = targets
        self._tasks = tasks
        self._session = session
        self._arns: dict[str, str] = {}

    def hello(self) -> Json:
        if self._session is None:
            devices = [describe_local(name) for name in self._targets or ()]
        else:
            with classed():
                found = [
                    describe_live(each, self._session) for each in self._session.search_devices(arns=self._targets)
                ]
            devices = [device for device in found if device is not None]
        self._arns = {device["name"]: device["arn"] for device in devices}
        return {"vendor": "braket", "sdk": versions(*PACKAGES), "devices": devices}

    def send(self, request: Request) -> VendorJob:
        arn = self._arns.get(request.device)
        if arn is None:
            raise RefusedError(f"there is no device {request.device!r}")
        return self._tasks.send(request, [to_braket(program) for program in request.programs], arn)

    def calibration(self, device: str) -> Json | None:
        del device  # its shape is each maker's own
        return None
