"""Azure Quantum, or an Antiphon server that speaks its protocol, through Microsoft's own client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.credentials import AzureKeyCredential
from azure.quantum import Workspace
from vendor_process.azure.device import describe, to_qir
from vendor_process.azure.job import AzureJobs, classed
from vendor_process.over_jobs import OverJobs
from vendor_process.serving import Json, RefusedError, Request, VendorJob, versions

PACKAGES = ("azure-quantum", "qdk")
NOBODY = "00000000-0000-0000-0000-000000000000"
ANTIPHON_SETTLES_S = 2.0
AZURE_SETTLES_S = 60.0
"""A job that was taken shows at once on an Antiphon server; of Azure it is not promised."""
REGION = "eastus"
"""An Antiphon server takes any; the client insists on a real one, and sends nothing there."""


def connect(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> AzureVendor:
    """Connect to `url` (an Antiphon server) or to `resource_id` with `location` (Azure itself)."""
    settle_s = ANTIPHON_SETTLES_S if settings.get("mode") == "antiphon" else AZURE_SETTLES_S
    return AzureVendor(_workspace(settings, secrets), settings.get("targets"), settle_s)


def _workspace(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Workspace:
    key = secrets.get("api_key")
    given: dict[str, Any] = {"credential": AzureKeyCredential(key)} if key else {}
    if settings.get("mode") == "antiphon":
        if not key:
            raise RefusedError("an Antiphon server needs the secret api_key")
        name = settings.get("workspace", "default")
        group = f"/subscriptions/{NOBODY}/resourceGroups/antiphon"
        given |= {
            "resource_id": f"{group}/providers/Microsoft.Quantum/Workspaces/{name}",
            "location": REGION,
            "_quantum_endpoint": str(settings["url"]).rstrip("/") + "/",
            "_workspace_kind": "V2",
        }
    else:
        given |= {name: settings[name] for name in ("resource_id", "location") if name in settings}
    return Workspace(**given)


class AzureVendor(OverJobs):
    """Implements `serving.Vendor`."""

    packages = PACKAGES

    def __init__(self, workspace: Workspace, targets: list[str] | None, settle_s: float) -> None:
        self._workspace = workspace
        self._wanted = targets
        self._settle_s = settle_s
        self._jobs = AzureJobs(workspace)
        super().__init__(self._jobs)
        self._devices: dict[str, Json] = {}

    def hello(self) -> Json:
        with classed():
            # get_targets makes classes of its own of them, and hides those that it has none for.
            status = self._workspace._get_target_status()
        found = [
            describe(provider, each, settle_s=self._settle_s)
            for provider, each in status
            if self._wanted is None or each.id in self._wanted
        ]
        self._devices = {device["name"]: device for device in found}
        return {"vendor": "azure", "sdk": versions(*PACKAGES), "devices": found}

    def send(self, request: Request) -> VendorJob:
        device = self._devices.get(request.device)
        if device is None:
            raise RefusedError(f"the workspace has no target {request.device!r}")
        programs = [to_qir(program, device["profile"]) for program in request.programs]
        return self._jobs.send(request, programs, device["provider"])

    def calibration(self, device: str) -> Json | None:
        del device  # Azure publishes none
        return None
