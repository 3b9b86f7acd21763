"""IBM's backends through qiskit-ibm-runtime: the live service, or its local mode with the fake backends."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

os.environ.setdefault("USAGE_DATA_OPT_OUT", "True")  # nothing leaves the machine unasked

from qiskit_ibm_runtime import QiskitRuntimeService
from vendor_process.compiled import told_circuit
from vendor_process.ibm.device import calibration_of, describe, to_isa
from vendor_process.ibm.job import LiveJobs, classed, run_on_fake
from vendor_process.local import LocalJobs
from vendor_process.over_jobs import OverJobs
from vendor_process.serving import Json, RefusedError, Request, VendorJob, versions

PACKAGES = ("qiskit-ibm-runtime", "qiskit", "qiskit-aer")
LOCAL_DEVICES = ("fake_manila",)


def connect(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> IbmVendor:
    """Connect in mode "local" (no account, nothing leaves the machine) or "live" (`token`, and `instance` if given)."""
    warnings.simplefilter("ignore")  # they would be printed once a call; the lock file says which version it is
    local = settings.get("mode", "local") == "local"
    with classed():
        if local:
            service = QiskitRuntimeService(channel="local")
        else:
            if not secrets.get("token"):
                raise RefusedError("the live service needs the secret token")
            service = QiskitRuntimeService(
                channel=settings.get("channel", "ibm_quantum_platform"),
                token=secrets["token"],
                instance=settings.get("instance"),
            )
    return IbmVendor(service, settings.get("targets"), local=local)


class IbmVendor(OverJobs):
    """Implements `serving.Compiler`."""

    packages = PACKAGES

    def __init__(self, service: Any, targets: list[str] | None, *, local: bool) -> None:
        self._service = service
        self._local = local
        self._targets = targets or (list(LOCAL_DEVICES) if local else None)
        self._backends: dict[str, Any] = {}
        self._jobs: LocalJobs | LiveJobs = LocalJobs(run_on_fake) if local else LiveJobs(service)
        super().__init__(self._jobs)

    def hello(self) -> Json:
        with classed():
            names = self._targets or [backend.name for backend in self._service.backends(operational=True)]
            devices = [describe(self._backend(name), local=self._local) for name in names]
        return {"vendor": "ibm", "sdk": versions(*PACKAGES), "devices": devices}

    def send(self, request: Request) -> VendorJob:
        backend = self._backend(request.device)
        level = request.options.get("optimization_level", 1)
        circuits = [to_isa(program, backend, level) for program in request.programs]
        return self._jobs.send(request, circuits, backend)

    def calibration(self, device: str) -> Json | None:
        with classed():
            return calibration_of(self._backend(device), refresh=not self._local)

    def compile(self, device: str, program: Mapping[str, Any], options: Mapping[str, Any]) -> Json:
        backend = self._backend(device)
        return told_circuit(to_isa(program, backend, options.get("optimization_level", 1)), backend.dt)

    def _backend(self, name: str) -> Any:
        if name not in self._backends:
            with classed():
                self._backends[name] = self._service.backend(name)
        return self._backends[name]
