"""Everything that jobs pass through is killed or cut off at random moments; afterwards the sums must hold.

Servers, their workers, the database, its connections, and a provider in a process of its own, whose network loses,
delays, repeats and mixes up what it carries. What goes wrong is drawn from a seed, which is printed; to draw the same
again set ANTIPHON_CHAOS_SEED.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.jobs import JobStatus
from antiphon.domain.quotas import Dimension
from antiphon.domain.submissions import SubmissionState
from antiphon.engine.access.limits import list_quotas, set_quota
from antiphon.errors import AntiphonError
from antiphon.ports.job_store import JobQuery
from counting_provider import TARGET
from programs import BELL
from real_postgres import RealPostgres
from real_provider import RealProvider
from restarted_server import RestartedServer

CLIENTS = 4
PATIENCE_S = 600.0
PAUSE_S = float(os.environ.get("ANTIPHON_CHAOS_PAUSE", "0.02"))
WORKSPACE = "default"

FAULTS = {
    "send": {
        "cut before": 0.03,
        "cut after": 0.03,
        "arrives late": 0.02,
        "arrives twice": 0.05,
        "busy": 0.03,
        "unavailable": 0.02,
        "broken": 0.02,
        "about another": 0.03,
        "slow": 0.03,
        "crashes after": 0.005,
    },
    "find": {"cut before": 0.1, "unavailable": 0.1, "about another": 0.1, "slow": 0.05},
    "look": {"cut before": 0.05, "cut after": 0.03, "busy": 0.03, "about another": 0.05, "slow": 0.05},
}


@dataclass
class Storm:
    """What is there, and what was done to it."""

    rng: random.Random
    servers: list[RestartedServer]
    provider: RealProvider
    postgres: RealPostgres | None
    done: Counter[str] = field(default_factory=Counter)

    def strike(self) -> None:
        """One thing goes wrong, and what was killed is started again."""
        strikes: list[tuple[int, str, Callable[[], None]]] = [
            (4, "servers killed", self._kill_server),
            (3, "workers killed", self._kill_worker),
            (3, "provider killed", self._kill_provider),
        ]
        if self.postgres is not None:
            strikes += [(4, "connections cut", self._cut_database), (2, "database killed", self._kill_database)]
        weights = [weight for weight, _, _ in strikes]
        # However short the storm, a server dies in it.
        _, name, action = self.rng.choices(strikes, weights)[0] if self.done else strikes[0]
        action()
        self.done[name] += 1

    def _kill_server(self) -> None:
        victim = self.rng.choice(self.servers)
        victim.kill()
        victim.start()

    def _kill_worker(self) -> None:
        server = self.rng.choice(self.servers).running
        assert server is not None
        children = psutil.Process(server.process.pid).children()
        if children:
            with contextlib.suppress(psutil.NoSuchProcess):
                self.rng.choice(children).kill()

    def _kill_provider(self) -> None:
        self.provider.kill()
        time.sleep(self.rng.uniform(0.0, 2.0))
        self.provider.start()

    def _cut_database(self) -> None:
        assert self.postgres is not None
        self.postgres.cut_connections()

    def _kill_database(self) -> None:
        assert self.postgres is not None
        self.postgres.kill()
        time.sleep(self.rng.uniform(0.0, 1.0))
        self.postgres.start_again()


class Clients:
    """Threads that submit until they are told to stop, and send each submit again until it was accepted."""

    def __init__(self, servers: list[RestartedServer], api_key: str, session: str, least: int) -> None:
        self._servers, self._api_key, self._session, self._least = servers, api_key, session, least
        self._enough = threading.Event()
        self._lock = threading.Lock()
        self.accepted: dict[str, str] = {}
        self.asked = 0
        self.lost = 0
        self.faults: list[str] = []
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def are_done(self) -> bool:
        """Whether as many were accepted as there have to be at least."""
        return len(self.accepted) >= self._least

    def join(self) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        assert not any(thread.is_alive() for thread in self._threads), "a client never got through"

    def _run(self, number: int) -> None:
        headers = {"Authorization": f"Bearer {self._api_key}"}
        with httpx2.Client(headers=headers, trust_env=False, timeout=30) as client:
            for index in itertools.count(number, CLIENTS):
                if index >= self._least and self._enough.is_set():
                    return
                with self._lock:
                    self.asked += 1
                self._submit(client, index)
                time.sleep(PAUSE_S)

    def _submit(self, client: httpx2.Client, index: int) -> None:
        until = time.monotonic() + PATIENCE_S
        for attempt in itertools.count():
            assert time.monotonic() < until, "a submit never got through"
            server = self._servers[(index + attempt) % len(self._servers)]
            headers = {"Idempotency-Key": f"job-{index}"}
            try:
                answer = client.post(f"{server.url}/v1/jobs", json=body(index, self._session), headers=headers)
            except httpx2.TransportError:
                with self._lock:
                    self.lost += 1
                time.sleep(0.05)
                continue
            if answer.status_code >= 500:
                with self._lock:
                    self.lost += 1
                time.sleep(0.1)
                continue
            with self._lock:
                if answer.status_code == 202:
                    self.accepted[f"job-{index}"] = answer.json()["id"]
                else:
                    self.faults.append(answer.text)
            return


def body(index: int, session: str) -> dict[str, Any]:
    common = {"shots": 50, "seed": index}
    match index % 8:
        case 0 | 1 | 2 | 3:
            return {**common, "target": TARGET, "program": BELL}
        case 4:
            return {**common, "target": TARGET, "program": BELL, "session_id": session}
        case 5:
            return {**common, "target": TARGET, "programs": [BELL] * 3}
        case 6:
            return {**common, "target": "sim.auto", "program": BELL}
        case _:
            return {**common, "target": "sim.auto", "program": BELL, "execution": "process"}


def storm(
    home: Path, mode: str, *, jobs: int, strikes: int, servers: int = 1, postgres: RealPostgres | None = None
) -> dict[str, Any]:
    """Let it rage while clients submit `jobs` jobs or more; the sums of what is there when all is quiet again."""
    seed = int(os.environ.get("ANTIPHON_CHAOS_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed}, the provider can tell by {mode}", flush=True)
    provider = RealProvider(home / "provider", mode)
    env = dict(provider.environment(home / "site"))
    if postgres is not None:
        env["ANTIPHON_DATABASE"] = postgres.database()
    lab = home / "lab"
    all_servers = [RestartedServer(lab, env) for _ in range(servers)]
    try:
        api_key = all_servers[0].start().key
        for server in all_servers[1:]:
            server.start()
        with looking(lab, env) as engine:
            for dimension in (Dimension.JOBS_IN_FLIGHT, Dimension.SHOTS, Dimension.TARGET_SECONDS, Dimension.COST):
                set_quota(engine.ctx, workspace=WORKSPACE, dimension=dimension, limit=1e9, by="tests")
        session = open_session(all_servers[0], api_key)
        provider.control(faults=FAULTS, seed=seed, run_s=0.005)
        rage = Storm(random.Random(seed), all_servers, provider, postgres)
        clients = Clients(all_servers, api_key, session, jobs)
        clients.start()
        try:
            watcher = KeptAlive(provider)
            while not clients.are_done or rage.done.total() < strikes:
                time.sleep(rage.rng.uniform(0.0, 2.0))
                if rage.done.total() < strikes:
                    with watcher.hands_off():
                        rage.strike()
        finally:
            clients.join()
            watcher.stop()
        calm(provider)
        assert not clients.faults, clients.faults[:3]
        with looking(lab, env) as engine:
            await_quiet(engine)
            sums = sums_of(engine, provider, clients, session)
        for server in all_servers:
            server.stop()
    finally:
        for server in all_servers:
            if server.running is not None and server.running.process.poll() is None:
                server.kill()
        if provider.is_running:
            provider.kill()
    sums |= {"seed": seed, "struck": dict(rage.done), "answers lost": clients.lost}
    print(json.dumps(sums), flush=True)
    print(json.dumps(provider_faults(home)), flush=True)
    return sums


def calm(provider: RealProvider) -> None:
    """End its faults; one of them may end the provider before it hears of that."""
    for _ in range(20):
        if not provider.is_running:
            provider.start()
        with contextlib.suppress(httpx2.TransportError):
            provider.control(faults={}, run_s=0.0)
            return
        time.sleep(0.1)
    raise AssertionError("the provider does not listen")


class KeptAlive:
    """Starts the provider again when one of its own faults has ended it."""

    def __init__(self, provider: RealProvider) -> None:
        self._provider, self._stopped, self._lock = provider, threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def hands_off(self) -> contextlib.AbstractContextManager[object]:
        """While somebody else kills and starts it."""
        return self._lock

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(0.3):
            with self._lock:
                if not self._provider.is_running:
                    self._provider.start()


@contextlib.contextmanager
def looking(lab: Path, env: dict[str, str]) -> Iterator[RunningEngine]:
    """An engine that only looks, and holds nothing that anybody else could need."""
    engine = build_engine(lab, database=env.get("ANTIPHON_DATABASE"), workers=0, dispatch=False)
    try:
        yield engine
    finally:
        engine.close()


def open_session(server: RestartedServer, api_key: str) -> str:
    body = {"target": TARGET, "key": "chaos", "idle_limit_s": 86_400}
    with httpx2.Client(headers={"Authorization": f"Bearer {api_key}"}, trust_env=False, timeout=30) as client:
        answer = client.post(f"{server.url}/v1/sessions", json=body)
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["id"])


def await_quiet(engine: RunningEngine) -> None:
    """Until no job waits or runs, and no line of the ledger is open."""
    until = time.monotonic() + PATIENCE_S
    left: object = None
    while time.monotonic() < until:
        with contextlib.suppress(AntiphonError), engine.ctx.store.read() as tx:
            counts = tx.count_jobs()
            left = {status.value: count for status, count in counts.items() if count and not status.is_final}
            if not left and not tx.open_submissions():
                return
        time.sleep(0.5)
    raise AssertionError(f"it never came to rest: {left}")


def sums_of(engine: RunningEngine, provider: RealProvider, clients: Clients, session: str) -> dict[str, Any]:
    ctx = engine.ctx
    with ctx.store.read() as tx:
        jobs = tx.find_jobs(JobQuery(workspace=WORKSPACE, limit=1_000_000))
        lines = [line for job in jobs for line in tx.submissions(job.id)]
        events = [event for job in jobs for event in tx.events(job.id)]
        results = sum(tx.result(job.id) is not None for job in jobs)
        pending = len(tx.pending_jobs(session))
        stored_session = tx.session(session)
        open_lines = len(tx.open_submissions())
        running = tx.running_on(TARGET)
        statuses = Counter(job.status for job in jobs)
    assert stored_session is not None
    counted = provider.sums()
    assert {job.key: job.id for job in jobs} == clients.accepted
    at_provider = [job for job in jobs if job.spec.target == TARGET]
    with_costs = [job for job in at_provider if job.status is JobStatus.SUCCEEDED and job.cost]
    codes = Counter(str((job.error or {}).get("code")) for job in jobs if job.status is not JobStatus.SUCCEEDED)
    return {
        "asked": clients.asked,
        "submitted": len(jobs),
        "finished": sum(job.status.is_final for job in jobs),
        "succeeded": statuses[JobStatus.SUCCEEDED],
        "results": results,
        "failed": dict(codes),
        "ends in the logs": sum(event.status in {"Succeeded", "Failed", "Cancelled"} for event in events),
        "at the provider": len(at_provider),
        "executions counted": counted["executions"],
        "keys executed": counted["keys executed"],
        "lines ended": sum(line.state is SubmissionState.ENDED for line in lines),
        "lines refused": sum(line.state is SubmissionState.REFUSED for line in lines),
        "lines open": open_lines,
        "jobs with costs": len(with_costs),
        "in doubt once": len({event.subject for event in events if event.event == "in doubt"}),
        "leases lost": sum(event.event == "lease lost" for event in events),
        "held by quotas": round(sum(standing.use.held for standing in list_quotas(ctx, WORKSPACE)), 9),
        "pending in the session": pending + stored_session.pending,
        "running on the target": running,
    }


def provider_faults(home: Path) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(home / "provider" / "provider.db")) as db:
        return dict(db.execute("SELECT fault, times FROM faults ORDER BY fault").fetchall())


def check(sums: dict[str, Any]) -> None:
    submitted = sums["asked"]
    assert sums["submitted"] == sums["finished"] == sums["ends in the logs"] == submitted
    assert sums["results"] == sums["succeeded"]
    # A worker that was killed takes the job with it that it ran, or was about to; nothing else may fail.
    assert set(sums["failed"]) <= {"worker-crashed", "worker-not-started"}, sums["failed"]
    assert sum(sums["failed"].values()) <= sums["struck"].get("workers killed", 0)
    assert sums["executions counted"] == sums["keys executed"] == sums["lines ended"] == sums["at the provider"]
    assert sums["jobs with costs"] == sums["at the provider"]
    settled = ("lines open", "held by quotas", "pending in the session", "running on the target")
    assert {name: sums[name] for name in settled} == dict.fromkeys(settled, 0)


@pytest.fixture
def own_postgres() -> Iterator[RealPostgres]:
    """A database server that nobody else uses, so that it may be killed."""
    try:
        server = RealPostgres()
    except Exception as error:  # noqa: BLE001 - whatever it is, the machine has no PostgreSQL to offer
        pytest.skip(f"PostgreSQL cannot start here: {type(error).__name__}: {error}")
    yield server
    server.close()


JOBS = int(os.environ.get("ANTIPHON_CHAOS_JOBS", "2000"))
STRIKES = int(os.environ.get("ANTIPHON_CHAOS_STRIKES", "40"))


@pytest.mark.timeout(300)
def test_a_short_storm_loses_and_doubles_nothing(tmp_path: Path) -> None:
    check(storm(tmp_path, "key", jobs=60, strikes=3))


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", ["key", "listing"])
def test_one_server_on_sqlite(tmp_path: Path, mode: str) -> None:
    check(storm(tmp_path, mode, jobs=JOBS, strikes=STRIKES))


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", ["key", "listing"])
def test_two_servers_on_one_postgresql_that_is_killed_too(
    tmp_path: Path, own_postgres: RealPostgres, mode: str
) -> None:
    check(storm(tmp_path, mode, jobs=JOBS, strikes=STRIKES, servers=2, postgres=own_postgres))
