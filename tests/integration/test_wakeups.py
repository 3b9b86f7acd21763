"""A job that another process stores is started because its engine was told, not because it looked: it looks hourly."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.jobs import JobStatus
from antiphon.domain.queues import QueuePolicy
from antiphon.engine.context import EngineSettings
from antiphon.engine.wait import wait
from programs import BELL
from real_postgres import RealPostgres

HOURLY = EngineSettings(poll_seconds=3_600.0)
SUBMIT = f"""
import sys
from antiphon import Workspace
with Workspace(sys.argv[1], dispatch=False) as ws:
    print(ws.target("sim.auto").submit({BELL!r}, shots=5, execution="process").id)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_server").empty_database()
    monkeypatch.setenv("ANTIPHON_DATABASE", url)
    return url


@pytest.fixture
def engine(tmp_path: Path, database: str | None) -> Iterator[RunningEngine]:
    engine = build_engine(tmp_path / "lab", database=database, workers=1, settings=HOURLY)
    yield engine
    engine.close()


def submit_elsewhere(engine: RunningEngine) -> str:
    command = [sys.executable, "-c", SUBMIT, str(engine.home)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout.strip()


def test_an_idle_engine_starts_what_another_process_stores(engine: RunningEngine) -> None:
    for _ in range(2):
        assert wait(engine.ctx, "default", submit_elsewhere(engine), timeout=60).status is JobStatus.SUCCEEDED


def test_a_listener_that_was_cut_off_listens_again(
    tmp_path: Path, postgres_server: RealPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.empty_database()
    monkeypatch.setenv("ANTIPHON_DATABASE", url)
    engine = build_engine(tmp_path / "lab", database=url, workers=1, settings=HOURLY)
    try:
        assert wait(engine.ctx, "default", submit_elsewhere(engine), timeout=60).status is JobStatus.SUCCEEDED
        with psycopg.connect(url, autocommit=True) as admin:
            cut = admin.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            ).fetchone()
        assert cut == (1,)
        # Stored while nobody listens, or after: either way it is found.
        assert wait(engine.ctx, "default", submit_elsewhere(engine), timeout=60).status is JobStatus.SUCCEEDED
    finally:
        engine.close()


def test_who_waits_hears_of_an_end_in_another_engine(
    tmp_path: Path, postgres_server: RealPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.empty_database()
    monkeypatch.setenv("ANTIPHON_DATABASE", url)
    listener = build_engine(tmp_path / "server", database=url, workers=0, settings=HOURLY)
    worker = build_engine(tmp_path / "worker", database=url, workers=1, settings=HOURLY)
    shut = QueuePolicy(target="sim.auto", slots=0, version=1)
    try:
        with listener.ctx.store.write() as tx:
            # So that nothing starts before somebody watches.
            tx.save_queue_policy(None, shut)
        job_id = submit_elsewhere(worker)
        with listener.ctx.watching_end(job_id) as ended:
            with listener.ctx.store.write() as tx:
                tx.save_queue_policy(shut, dataclasses.replace(shut, slots=1, version=2))
            deadline = time.monotonic() + 60
            while not ended.wait(0.2):
                worker.ctx.wakeup.set()  # what it knew of the policy is a second old at most
                assert time.monotonic() < deadline
    finally:
        worker.close()
        listener.close()
