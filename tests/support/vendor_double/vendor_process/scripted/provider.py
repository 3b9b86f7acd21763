"""A vendor without an SDK, which does what its settings and its calls' options say: it dies, hangs, refuses, prints."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vendor_process.local import LocalJobs
from vendor_process.serving import (
    AmbiguousError,
    CannotTellError,
    Json,
    RefusedError,
    Request,
    TransientError,
    VendorJob,
)


def connect(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> ScriptedVendor:
    if settings.get("no_hello") == "refused":
        raise RefusedError("wrong key")
    if settings.get("no_hello") == "dies":
        os._exit(3)
    if settings.get("no_hello") == "hangs":
        time.sleep(60)
    return ScriptedVendor(Path(settings["folder"]), secrets)


def _zeros(request: Request, programs: Sequence[Mapping[str, Any]], on: None) -> Json:
    return {"results": [{"bits": {"0": program["shots"]}} for program in programs]}


class ScriptedVendor:
    """What it took is a line in the file `taken`, so that tests count it whatever dies."""

    def __init__(self, folder: Path, secrets: Mapping[str, str]) -> None:
        self._folder, self._secrets = folder, secrets
        self._jobs = LocalJobs(_zeros)

    def hello(self) -> Json:
        print("an SDK greets its users on stdout")
        device = {
            "name": "one",
            "kind": "simulator",
            "qubits": 3,
            "profile": "Base",
            "max_shots": 1000,
            "max_programs": 4,
            "formats": ["openqasm3"],
            "description": "Scripted.",
            "poll_s": 0.05,
            "settle_s": 0.1,
        }
        return {"vendor": "scripted", "sdk": {}, "devices": [device], "secrets": sorted(self._secrets)}

    def send(self, request: Request) -> VendorJob:
        what = request.options.get("what", "")
        if what == "dies before":
            os._exit(9)
        with (self._folder / "taken").open("a") as file:
            file.write(f"{request.key}\n")
        if what == "dies after":
            os._exit(9)
        if what == "hangs":
            time.sleep(60)
        if what == "raises":
            raise ValueError("the SDK is confused")
        if what == "garbage":
            os.write(3, b"not json\n")
        for kind in (RefusedError, TransientError, AmbiguousError):
            if what == kind.kind:
                raise kind(f"it is {what}", retry_after_s=7.0 if kind is TransientError else None)
        return self._jobs.send(request, request.programs, None)

    def find(self, key: str, since: float) -> VendorJob | None:
        if since < 0:
            raise CannotTellError("no listing")
        return self._jobs.find(key, since)

    def look(self, job_id: str) -> VendorJob:
        if job_id == "slow":
            time.sleep(60)
        if job_id == "dies":
            os._exit(9)
        if job_id == "environment":
            return VendorJob(id=",".join(sorted(os.environ)), state="running")
        if job_id.startswith("nap"):
            time.sleep(float(job_id.removeprefix("nap")))
            return VendorJob(id=job_id, state="running")
        return self._jobs.look(job_id)

    def fetch(self, job_id: str) -> Json:
        return self._jobs.fetch(job_id)

    def cancel(self, job_id: str) -> None:
        self._jobs.cancel(job_id)

    def calibration(self, device: str) -> Json | None:
        raise CannotTellError(f"nothing is known of {device}")
