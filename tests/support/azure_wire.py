"""The Azure protocol by hand: what the genuine clients send, one request at a time."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

API_VERSION = "2026-01-15-preview"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
WAIT_S = 60.0

BELL = b"""OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
h q[0];
cx q[0],q[1];
measure q -> c;
"""


@dataclass
class AzureWire:
    """One client of one workspace.

    Attributes:
        http: Carries the key and the server's address.
    """

    http: httpx2.Client
    workspace: str = "default"
    blobs: httpx2.Client = field(init=False)
    """A client without any key: the storage is opened by signatures alone."""

    def __post_init__(self) -> None:
        self.blobs = httpx2.Client(trust_env=False, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.blobs.close()

    @property
    def root(self) -> str:
        return (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Quantum/workspaces/{self.workspace}"
        )

    def call(self, method: str, path: str, body: Any = None, **params: Any) -> httpx2.Response:
        """Any request below the workspace."""
        return self.http.request(method, self.root + path, json=body, params={"api-version": API_VERSION, **params})

    def sas(self, container: str, blob: str | None = None) -> str:
        """A signed URL."""
        body = {"containerName": container} | ({"blobName": blob} if blob else {})
        answer = self.call("POST", "/storage/sasUri", body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["sasUri"])

    def upload(self, job_id: str, data: bytes, content_type: str = "application/qasm") -> str:
        """The input of a job to be; the container's signed URL."""
        container = self.sas(f"job-{job_id}")
        address, _, query = container.partition("?")
        headers = {"x-ms-blob-type": "BlockBlob", "x-ms-blob-content-type": content_type, "If-None-Match": "*"}
        answer = self.blobs.put(f"{address}/inputData?{query}", content=data, headers=headers)
        assert answer.status_code == 201, answer.text
        return container

    def job_body(self, container: str, **changes: Any) -> dict[str, Any]:
        """What is sent for a job."""
        return {
            "name": "bell",
            "containerUri": container,
            "inputDataUri": container.partition("?")[0] + "/inputData",
            "inputDataFormat": "honeywell.openqasm.v1",
            "outputDataFormat": "honeywell.quantum-results.v1",
            "providerId": "Antiphon",
            "target": "sim.auto",
            "inputParams": {"shots": 100},
            "itemType": "Job",
            **changes,
        }

    def submit(self, job_id: str | None = None, source: bytes = BELL, **changes: Any) -> httpx2.Response:
        """Upload and submit; the answer to the PUT."""
        job_id = job_id or str(uuid.uuid4())
        container = self.upload(job_id, source)
        return self.call("PUT", f"/jobs/{job_id}", self.job_body(container, **changes))

    def job(self, job_id: str) -> dict[str, Any]:
        """A job as it stands."""
        answer = self.call("GET", f"/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ended(self, job_id: str) -> dict[str, Any]:
        """A job once it has ended."""
        until = time.monotonic() + WAIT_S
        while (job := self.job(job_id))["status"] not in {"Succeeded", "Failed", "Cancelled"}:
            assert time.monotonic() < until, f"still {job['status']}"
            time.sleep(0.02)
        return job

    def run(self, **changes: Any) -> dict[str, Any]:
        """A job from submit to its end."""
        answer = self.submit(**changes)
        assert answer.status_code == 201, answer.text
        return self.ended(answer.json()["id"])

    def open_session(self, **changes: Any) -> dict[str, Any]:
        """A new session."""
        body = {"name": "vqe", "providerId": "antiphon", "target": "sim.auto", "itemType": "Session", **changes}
        answer = self.call("PUT", f"/sessions/{uuid.uuid4()}", body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def session(self, session_id: str) -> dict[str, Any]:
        """A session as it stands."""
        return dict(self.call("GET", f"/sessions/{session_id}").json())

    def close_session(self, session_id: str) -> dict[str, Any]:
        """Close it."""
        answer = self.call("POST", f"/sessions/{session_id}:close")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def names(self, path: str, **params: Any) -> list[str]:
        """Names of a list's items, all pages."""
        return [item["name"] for item in self.items(path, **params)]

    def items(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """A list's items, all pages."""
        answer = self.call("GET", path, **params)
        found: list[dict[str, Any]] = []
        while True:
            assert answer.status_code == 200, answer.text
            found += answer.json()["value"]
            link = answer.json()["nextLink"]
            if link is None:
                return found
            answer = self.http.get(link)
