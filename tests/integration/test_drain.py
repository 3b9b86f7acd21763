"""A server that is told to stop under load: what it accepted ends once, and what it did not accept is not there."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from programs import BELL
from real_server import RealServer, real_server

CLIENTS = 4
FINAL = {"Succeeded", "Failed", "Cancelled"}


@dataclass
class Load:
    """Clients that submit until the server takes no more; what they were told, by key."""

    accepted: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    broken: dict[str, str] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)

    def run(self, server: RealServer, number: int) -> None:
        with server.client() as client:
            for count in range(100_000):
                key = f"load-{number}-{count}"
                body: dict[str, Any] = {"target": "sim.auto", "program": BELL, "shots": 10, "name": key}
                body["execution"] = "process" if count % 2 else "auto"
                try:
                    answer = client.post("/v1/jobs", json=body, headers={"Idempotency-Key": f'"{key}"'})
                except httpx2.ConnectError:
                    return
                except httpx2.TransportError as error:
                    self.broken[key] = repr(error)
                    return
                if answer.status_code == 202:
                    self.accepted[key] = answer.json()["id"]
                elif answer.status_code == 503:
                    self.refused[answer.json()["code"]] += 1
                    time.sleep(0.02)
                else:
                    self.odd.append(answer.text)


def test_what_was_accepted_ends_once(tmp_path: Path) -> None:
    load = Load()
    with real_server(tmp_path, "--drain-seconds", "1") as server:
        threads = [threading.Thread(target=load.run, args=(server, number)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 60
        while len(load.accepted) < 60:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert server.stop() == 0
        for thread in threads:
            thread.join(60)
        key = server.key
    assert not load.odd
    assert set(load.refused) <= {"server-draining"}
    with real_server(tmp_path) as again, again.client(key) as client:
        stored: dict[str, str] = {}
        path = "/v1/jobs?limit=100"
        while path:
            page = client.get(path).json()
            stored |= {job["name"]: job["id"] for job in page["jobs"]}
            path = page.get("next") or ""
        # A connection that broke broke before anything was stored, and nothing else was stored either.
        assert stored == load.accepted
        assert not set(load.broken) & set(stored)
        deadline = time.monotonic() + 90
        for job_id in load.accepted.values():
            while client.get(f"/v1/jobs/{job_id}").json()["status"] not in FINAL:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            events = client.get(f"/v1/jobs/{job_id}/events", headers={"Accept": "application/json"}).json()
            events = events if isinstance(events, list) else events["events"]
            ends = [event["status"] for event in events if event["status"] in FINAL]
            assert ends == ["Succeeded"], events


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_at_once_and_loses_nothing(tmp_path: Path, second: signal.Signals) -> None:
    from programs import ENDLESS

    with real_server(tmp_path, "--drain-seconds", "600") as server, server.client() as client:
        job = client.post("/v1/jobs", json={"target": "sim.auto", "program": ENDLESS, "shots": 1}).json()
        deadline = time.monotonic() + 60
        while client.get(f"/v1/jobs/{job['id']}").json()["status"] != "Executing":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        while client.get("/readyz").status_code == 200:
            assert time.monotonic() < deadline
        assert server.process.poll() is None
        assert server.stop(second) == 0
        key = server.key
    with real_server(tmp_path, workers=0) as again, again.client(key) as client:
        assert client.get(f"/v1/jobs/{job['id']}").json()["status"] == "Waiting"
