"""IQM's quantum computers through iqm-client: a server, or its fake backends in this process."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from iqm.qiskit_iqm import IQMProvider
from vendor_process.compiled import told_circuit
from vendor_process.iqm.device import FAKES, calibration_of, calibration_of_fake, describe, fake, to_native
from vendor_process.iqm.job import LiveJobs, classed, run_on_fake
from vendor_process.local import LocalJobs
from vendor_process.over_jobs import OverJobs
from vendor_process.serving import Json, RefusedError, Request, VendorJob, versions

PACKAGES = ("iqm-client", "qiskit", "qiskit-aer")
LOCAL_DEVICES = ("fake_adonis",)


def connect(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> IqmVendor:
    """Connect in mode "local" (nothing leaves the machine), or "live" with `url`, `quantum_computer` and `token`."""
    warnings.simplefilter("ignore")  # they would be printed once a call
    if settings.get("mode", "local") == "local":
        names = list(settings.get("targets") or LOCAL_DEVICES)
        unknown = sorted(set(names) - set(FAKES))
        if unknown:
            raise RefusedError(f"IQM has no fake backend {unknown[0]!r}; it has {', '.join(FAKES)}")
        return IqmVendor({name: fake(name) for name in names}, LocalJobs(run_on_fake), None)
    if not secrets.get("token") or not settings.get("url"):
        raise RefusedError("a server needs the setting url and the secret token")
    with classed():
        provider = IQMProvider(
            str(settings["url"]), quantum_computer=settings.get("quantum_computer"), token=secrets["token"]
        )
        connected = partial(provider.get_backend, use_metrics=bool(settings.get("metrics", True)))
        backend = connected()
    name = str(settings.get("quantum_computer") or backend.name).lower()
    return IqmVendor({name: backend}, LiveJobs(name, backend), connected)


class IqmVendor(OverJobs):
    """Implements `serving.Compiler`.

    Args:
        connected: Gives the backend of a server with its newest calibration set; None for fake ones.
    """

    packages = PACKAGES

    def __init__(
        self, backends: dict[str, Any], jobs: LocalJobs | LiveJobs, connected: Callable[[], Any] | None
    ) -> None:
        super().__init__(jobs)
        self._backends, self._jobs, self._connected = backends, jobs, connected

    def hello(self) -> Json:
        devices = [describe(name, backend, local=self._connected is None) for name, backend in self._backends.items()]
        return {"vendor": "iqm", "sdk": versions(*PACKAGES), "devices": devices}

    def send(self, request: Request) -> VendorJob:
        backend = self._backend(request.device)
        level = request.options.get("optimization_level", 1)
        circuits = [to_native(program, backend, level) for program in request.programs]
        return self._jobs.send(request, circuits, backend)

    def calibration(self, device: str) -> Json | None:
        self._backend(device)
        if self._connected is None or isinstance(self._jobs, LocalJobs):
            return calibration_of_fake(device)
        with classed():
            backend = self._backends[device] = self._connected()
            self._jobs.renew(backend)
            return calibration_of(device, backend)

    def compile(self, device: str, program: Mapping[str, Any], options: Mapping[str, Any]) -> Json:
        backend = self._backend(device)
        return told_circuit(to_native(program, backend, options.get("optimization_level", 1)), None)

    def _backend(self, name: str) -> Any:
        backend = self._backends.get(name)
        if backend is None:
            raise RefusedError(f"there is no device {name!r}")
        return backend
