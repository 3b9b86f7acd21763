"""What a real server writes to stderr while it is used and abused: a line for each thing, and no secret in any."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from programs import BELL
from real_server import RealServer, real_server

SECRET = "hushhushhushhush"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    secret = {"ANTIPHON_SERVER_SECRET": "correct-horse-battery-staple-9"}
    with real_server(tmp_path_factory.mktemp("logged"), "--azure", "--log-level", "debug", env=secret) as found:
        yield found


def lines(server: RealServer) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in server.log().splitlines()]
    assert all({"time", "level", "logger", "event"} <= set(line) for line in found)
    return found


def ended(client: httpx2.Client, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = client.post("/v1/jobs", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    path = answer.headers["Content-Location"]
    job: dict[str, Any] = answer.json()
    while job["status"] not in {"Succeeded", "Failed", "Cancelled"}:
        client.get(f"{path}/status?wait=10", follow_redirects=False)
        job = client.get(path).json()
    return job


def test_a_line_for_each_request_and_each_end_of_a_job(server: RealServer) -> None:
    with server.client() as client:
        body = {"target": "sim.auto", "program": BELL, "shots": 5}
        quick = ended(client, body, **{"X-Request-Id": "quick-1"})
        slow = ended(client, {**body, "execution": "process", "max_seconds": 1e-6}, **{"X-Request-Id": "slow-1"})
        assert (quick["status"], slow["status"]) == ("Succeeded", "Failed")
    found = lines(server)
    request = next(line for line in found if line.get("request_id") == "slow-1" and line["event"] == "request")
    assert (request["method"], request["route"], request["status"]) == ("POST", "/v1/jobs", 202)
    assert (request["workspace"], request["who"], request["job_id"]) == ("default", "first", slow["id"])
    assert request["duration_ms"] > 0
    ends = {line["job_id"]: line for line in found if line["event"] == "job ended"}
    assert (ends[quick["id"]]["status"], ends[quick["id"]]["code"]) == ("Succeeded", None)
    # It ended in the request's own thread, under the request's id.
    assert ends[quick["id"]]["request_id"] == "quick-1"
    assert (ends[slow["id"]]["status"], ends[slow["id"]]["code"]) == ("Failed", slow["error"]["code"])
    assert sum(line["event"] == "job ended" and line["job_id"] == slow["id"] for line in found) == 1
    followed = [line for line in found if line.get("route") == "/v1/jobs/{job_id}"]
    assert slow["id"] in {line["job_id"] for line in followed}


def test_no_secret_is_logged(server: RealServer) -> None:
    with server.client() as client:
        bad = {"target": "sim.auto", "program": "OPENQASM 3.0; qubit[2] q; nonsense q;", "shots": 1}
        assert client.post("/v1/jobs", json=bad).status_code == 422
        path = f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Quantum/workspaces/default?sig={SECRET}"
        client.get(path)
        sas = client.post(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Quantum/workspaces/default/storage/sasUri",
            params={"api-version": "2024-10-01-preview"},
            json={"containerName": "job-logged"},
        )
        assert sas.status_code == 200, sas.text
        url = httpx2.URL(sas.json()["sasUri"])
        signature = url.params["sig"]
        client.put(f"{url.path}/blob", params=dict(url.params), content=b"x", headers={"x-ms-blob-type": "BlockBlob"})
        hook = client.post("/v1/webhooks", json={"url": f"https://203.0.113.1/{SECRET}?sig={SECRET}", "events": []})
        client.get("/v1/jobs", params={"sig": SECRET, "token": SECRET})
    for headers in ({"Authorization": f"Bearer {SECRET}"}, {"x-api-key": SECRET}, {"x-ms-quantum-api-key": SECRET}):
        httpx2.get(f"{server.url}/v1/jobs", headers=headers, trust_env=False)
    text = server.log()
    assert SECRET not in text
    assert server.key not in text
    assert server.key.split("_")[2] not in text
    assert "correct-horse" not in text
    assert signature not in text
    assert hook.status_code < 500
    assert lines(server)


def test_the_text_form_is_for_people(tmp_path: Path) -> None:
    with real_server(tmp_path, "--log-format", "text") as server, server.client() as client:
        ended(client, {"target": "sim.auto", "program": BELL, "shots": 5})
        client.get("/v1/jobs/x%0A2030-01-01%20forged")
        text = server.log()
    assert "job ended" in text
    assert not any(line.startswith("2030") for line in text.splitlines())
    assert server.key not in text
