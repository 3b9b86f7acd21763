"""Servers under load are killed at random moments and started again; afterwards the sums must hold."""

from __future__ import annotations

import itertools
import json
import os
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest

from antiphon import JobStatus, Workspace
from programs import BELL
from real_postgres import RealPostgres
from restarted_server import RestartedServer

CLIENTS = 4
PAUSE_S = 0.02
PATIENCE_S = 240.0
RECURSIVE = 'OPENQASM 2.0; include "qelib1.inc"; gate g a { h a; } qreg q[1]; creg c[1]; g q[0]; measure q -> c;'


class Clients:
    """Threads that submit until they are told to stop, and send each submit again until it was accepted."""

    def __init__(self, servers: list[RestartedServer], key: str, jobs: int) -> None:
        self._servers, self._key, self._least = servers, key, jobs
        self._enough = threading.Event()
        self._lock = threading.Lock()
        self.accepted: dict[str, str] = {}  # idempotency key to job
        self.asked = 0
        self.lost = 0
        self.faults: list[str] = []
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        assert not self.busy(), "a client never got through"

    def _run(self, number: int) -> None:
        with httpx2.Client(headers={"Authorization": f"Bearer {self._key}"}, trust_env=False, timeout=30) as client:
            for index in itertools.count(number, CLIENTS):
                if index >= self._least and self._enough.is_set():
                    return
                with self._lock:
                    self.asked += 1
                self._submit(client, index)
                time.sleep(PAUSE_S)

    def _submit(self, client: httpx2.Client, index: int) -> None:
        until = time.monotonic() + PATIENCE_S
        attempt = 0
        while time.monotonic() < until:
            server = self._servers[(index + attempt) % len(self._servers)]
            attempt += 1
            try:
                answer = client.post(f"{server.url}/v1/jobs", json=body(index), headers={"Idempotency-Key": key(index)})
            except httpx2.TransportError:
                with self._lock:
                    self.lost += 1
                time.sleep(0.05)
                continue
            if answer.status_code == 503:
                time.sleep(0.05)
                continue
            with self._lock:
                if answer.status_code == 202:
                    self.accepted[key(index)] = answer.json()["id"]
                else:
                    self.faults.append(answer.text)
            return


def key(index: int) -> str:
    return f"job-{index}"


def body(index: int) -> dict[str, Any]:
    common = {"target": "sim.auto", "shots": 50, "seed": index}
    match index % 4:
        case 0:
            return {**common, "program": BELL}
        case 1:
            return {**common, "program": BELL, "execution": "process"}
        case 2:
            return {**common, "programs": [BELL] * 4}
        case _:
            return {**common, "program": f"{RECURSIVE} // {index}"}


def storm(home: Path, env: dict[str, str], *, servers: int, jobs: int, kills: int) -> dict[str, Any]:
    """Kill and start again `kills` times, while clients submit `jobs` jobs or more; the sums of what then is there."""
    seed = int(os.environ.get("ANTIPHON_CHAOS_SEED", random.SystemRandom().randrange(2**32)))
    rng = random.Random(seed)
    print(f"seed {seed}")
    all_servers = [RestartedServer(home, env) for _ in range(servers)]
    admin_key = all_servers[0].start().key
    for server in all_servers[1:]:
        server.start()
    clients = Clients(all_servers, admin_key, jobs)
    clients.start()
    under_load = 0
    try:
        for _ in range(kills):
            time.sleep(rng.uniform(0.0, 1.5))
            under_load += clients.busy()
            victim = rng.choice(all_servers)
            victim.kill()
            victim.start()
        clients.join()
        with httpx2.Client(headers={"Authorization": f"Bearer {admin_key}"}, trust_env=False, timeout=90) as client:
            statuses = Counter(await_end(client, all_servers[0].url, job) for job in clients.accepted.values())
        for server in all_servers:
            server.stop()
    finally:
        for server in all_servers:
            if server.running is not None and server.running.process.poll() is None:
                server.kill()
    assert not clients.faults, clients.faults[:3]
    with Workspace(home, workers=0, dispatch=False, database=env.get("ANTIPHON_DATABASE")) as ws:
        found = ws.jobs(limit=100_000)
        events = [event for job in found for event in job.events]
        sums = {
            "kills": kills,
            "kills under load": under_load,
            "answers lost": clients.lost,
            "asked": clients.asked,
            "accepted": len(clients.accepted),
            "jobs": len(found),
            "keys": len({job.facts.key for job in found}),
            "ended": sum(job.status.is_final for job in found),
            "succeeded": sum(job.status is JobStatus.SUCCEEDED for job in found),
            "results": sum(job.result() is not None for job in found),
            "ends in the logs": sum(event["status"] in {"Succeeded", "Failed", "Cancelled"} for event in events),
            "claims": sum(event["event"] == "claimed" for event in events),
            "leases lost": sum(event["event"] == "lease lost" for event in events),
        }
        print(json.dumps(sums))
        assert {job.facts.key: job.id for job in found} == clients.accepted
        assert statuses == {"Succeeded": clients.asked}
    return sums


def await_end(client: httpx2.Client, url: str, job: str) -> str:
    """The final status of a job, which is waited for."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        answer = client.get(f"{url}/v1/jobs/{job}/status", headers={"Prefer": "wait=20"}, follow_redirects=False)
        if answer.status_code == 303:
            return str(answer.json()["status"])
        assert answer.status_code == 200, answer.text
    return "never"


def check(sums: dict[str, Any]) -> None:
    jobs = sums["asked"]
    wanted = ("accepted", "jobs", "keys", "ended", "succeeded", "results", "ends in the logs")
    assert {name: sums[name] for name in wanted} == dict.fromkeys(wanted, jobs)
    assert sums["claims"] == jobs + sums["leases lost"]
    assert sums["kills under load"], "all kills came too late to hurt"


@pytest.fixture
def shared_database(postgres_server: RealPostgres) -> dict[str, str]:
    return {"ANTIPHON_DATABASE": postgres_server.database()}


@pytest.mark.timeout(300)
def test_a_server_killed_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    check(storm(tmp_path, {}, servers=1, jobs=80, kills=2))


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_a_server_killed_many_times_loses_and_doubles_nothing(tmp_path: Path) -> None:
    check(storm(tmp_path, {}, servers=1, jobs=1_000, kills=20))


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_two_servers_of_one_database_of_which_one_is_killed(tmp_path: Path, shared_database: dict[str, str]) -> None:
    check(storm(tmp_path, shared_database, servers=2, jobs=500, kills=12))
