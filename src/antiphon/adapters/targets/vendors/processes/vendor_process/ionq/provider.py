"""IonQ through its own client for Qiskit: the service, or what answers at `url` as it does."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from qiskit_ionq.ionq_backend import IonQBackend
from qiskit_ionq.ionq_client import IonQClient
from vendor_process.ionq.device import SIMULATOR, SIMULATOR_QUBITS, calibration_of, describe, to_circuit
from vendor_process.ionq.job import LiveJobs, Service
from vendor_process.over_jobs import OverJobs
from vendor_process.serving import Json, RefusedError, Request, VendorJob, versions

PACKAGES = ("qiskit-ionq", "qiskit")
URL = "https://api.ionq.co/v0.4"
SETTLES_S = 60.0
"""How soon a job that was taken is listed is not promised."""


def connect(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> IonqVendor:
    """Connect to IonQ, or to `url`, with the secret `api_key`."""
    warnings.simplefilter("ignore")  # they would be printed once a call
    if not secrets.get("api_key"):
        raise RefusedError("IonQ needs the secret api_key")
    url = str(settings.get("url", URL)).rstrip("/")
    return IonqVendor(
        IonQClient(secrets["api_key"], url), settings.get("targets"), float(settings.get("settle_s", SETTLES_S))
    )


class IonqVendor(OverJobs):
    """Implements `serving.Vendor`."""

    packages = PACKAGES

    def __init__(self, client: IonQClient, targets: list[str] | None, settle_s: float) -> None:
        self._wanted, self._settle_s = targets, settle_s
        self._service = Service(client)
        self._jobs = LiveJobs(self._service)
        super().__init__(self._jobs)
        self._backends: dict[str, IonQBackend] = {}

    def hello(self) -> Json:
        self._service.get("whoami")  # the list of backends is shown to anybody
        told = self._service.get("backends")
        if not any(each["backend"] == SIMULATOR for each in told):
            told = [{"backend": SIMULATOR, "qubits": SIMULATOR_QUBITS}, *told]
        devices = [
            describe(each, self._settle_s) for each in told if self._wanted is None or each["backend"] in self._wanted
        ]
        self._backends = {device["name"]: _backend(device) for device in devices}
        return {"vendor": "ionq", "sdk": versions(*PACKAGES), "devices": devices}

    def send(self, request: Request) -> VendorJob:
        backend = self._backends.get(request.device)
        if backend is None:
            raise RefusedError(f"there is no device {request.device!r}")
        return self._jobs.send(request, [to_circuit(program) for program in request.programs], backend)

    def fetch(self, job_id: str) -> Json:
        found = super().fetch(job_id)
        return {**found, "calibration": self.calibration(found.pop("backend"))}

    def calibration(self, device: str) -> Json | None:
        if device == SIMULATOR:
            return None
        told = self._service.get("backends", device, "characterizations", params={"limit": 1})
        return calibration_of(next(iter(told.get("characterizations") or ()), None))


def _backend(device: Json) -> IonQBackend:
    """The client's own, made without its provider, which would ask the service at its usual address for qubits."""
    return IonQBackend(
        provider=None,
        name=f"ionq_{device['name']}",
        description=device["description"],
        gateset="qis",
        num_qubits=device["qubits"],
        simulator=device["name"] == SIMULATOR,
        max_shots=device["max_shots"],
    )
