"""The same id sent again: after a server that died in between, after a delete, and by many at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from antiphon.adapters.store.azure_items import AzureItemTransaction
from antiphon.domain.identity import Role
from antiphon.errors import StoreError
from antiphon.ports.azure_store import AzureItem
from antiphon.ports.job_store import JobQuery, SessionQuery
from azure_wire import BELL, AzureWire
from real_postgres import RealPostgres
from served import Served, served

BAD: dict[str, Any] = {"inputDataFormat": "qir.v1", "outputDataFormat": None}


@pytest.fixture
def dies_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the next write of an item fail, as it would for a server killed between it and the job."""
    original = AzureItemTransaction.add_azure_item

    def arm() -> None:
        def fails(tx: AzureItemTransaction, item: AzureItem) -> bool:
            monkeypatch.setattr(AzureItemTransaction, "add_azure_item", original)
            raise StoreError("The store is gone.", code="store-unreachable")

        monkeypatch.setattr(AzureItemTransaction, "add_azure_item", fails)

    return arm


def jobs_of(server: Served, workspace: str) -> list[str]:
    with server.ctx.store.read() as tx:
        return [job.id for job in tx.find_jobs(JobQuery(workspace, limit=100))]


@pytest.mark.parametrize("changes", [{}, BAD])
def test_a_job_without_its_item_is_found_again(
    server: Served, wire: AzureWire, dies_once: Callable[[], None], changes: dict[str, Any]
) -> None:
    job_id = str(uuid.uuid4())
    body = wire.job_body(wire.upload(job_id, BELL), **changes)
    dies_once()
    assert wire.call("PUT", f"/jobs/{job_id}", body).status_code == 503
    assert wire.call("GET", f"/jobs/{job_id}").status_code == 404
    before = jobs_of(server, wire.workspace)
    assert len(before) == 1
    assert wire.call("PUT", f"/jobs/{job_id}", body).status_code == 201
    assert wire.ended(job_id)["status"] == ("Failed" if changes else "Succeeded")
    assert jobs_of(server, wire.workspace) == before


def test_a_job_without_its_item_is_found_again_after_its_session_was_closed(
    server: Served, wire: AzureWire, dies_once: Callable[[], None]
) -> None:
    session = wire.open_session()
    job_id = str(uuid.uuid4())
    body = wire.job_body(wire.upload(job_id, BELL), sessionId=session["id"])
    dies_once()
    assert wire.call("PUT", f"/jobs/{job_id}", body).status_code == 503
    wire.close_session(session["id"])
    assert wire.call("PUT", f"/jobs/{job_id}", body).status_code == 201
    assert wire.ended(job_id)["status"] == "Succeeded"
    assert len(jobs_of(server, wire.workspace)) == 1


def test_a_session_without_its_item_is_found_again(
    server: Served, wire: AzureWire, dies_once: Callable[[], None]
) -> None:
    session_id = str(uuid.uuid4())
    body = {"name": "vqe", "target": "sim.auto"}
    dies_once()
    assert wire.call("PUT", f"/sessions/{session_id}", body).status_code == 503
    assert wire.call("PUT", f"/sessions/{session_id}", body).status_code == 201
    with server.ctx.store.read() as tx:
        assert len(tx.find_sessions(SessionQuery(wire.workspace, limit=10))) == 1


def test_the_id_of_a_deleted_job_names_a_new_job(server: Served, wire: AzureWire) -> None:
    job_id = str(uuid.uuid4())
    for source in (BELL, BELL, BELL.replace(b"h q[0];", b"x q[0];")):
        container = wire.upload(job_id, source)
        assert wire.call("PUT", f"/jobs/{job_id}", wire.job_body(container)).status_code == 201
        job = wire.ended(job_id)
        assert job["status"] == "Succeeded"
        assert wire.blobs.get(job["inputDataUri"]).content == source
        seen = set(wire.blobs.get(job["outputDataUri"]).json()["c"])
        assert wire.call("DELETE", f"/jobs/{job_id}").status_code == 204
    assert wire.items("/topLevelItems") == wire.items("/jobs") == []
    assert seen == {"11"}
    assert len(jobs_of(server, wire.workspace)) == 3


def test_a_job_deleted_while_it_waits_does_not_come_back_cancelled(waiting: AzureWire) -> None:
    job_id = str(uuid.uuid4())
    for _ in range(2):
        body = waiting.job_body(waiting.upload(job_id, BELL))
        assert waiting.call("PUT", f"/jobs/{job_id}", body).status_code == 201
        assert waiting.job(job_id)["status"] == "Waiting"
        assert waiting.call("DELETE", f"/jobs/{job_id}").status_code == 204


@pytest.fixture
def on_postgres(tmp_path: Path, postgres_server: RealPostgres) -> Iterator[Served]:
    with served(tmp_path, azure=True, inline_seconds=0.1, database=postgres_server.database()) as running:
        yield running


def test_many_at_once_on_postgresql(on_postgres: Served) -> None:
    job_id, session_id = str(uuid.uuid4()), str(uuid.uuid4())
    with on_postgres.client(Role.SUBMITTER) as client, AzureWire(client) as wire, ThreadPoolExecutor(8) as pool:
        body = wire.job_body(wire.upload(job_id, BELL))
        jobs = list(pool.map(lambda _: wire.call("PUT", f"/jobs/{job_id}", body), range(20)))
        opened = {"name": "vqe", "target": "sim.auto"}
        sessions = list(pool.map(lambda _: wire.call("PUT", f"/sessions/{session_id}", opened), range(20)))
        for answers in (jobs, sessions):
            assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
            assert len({answer.json()["creationTime"] for answer in answers}) == 1
        assert len(jobs_of(on_postgres, "default")) == 1
        job = wire.ended(job_id)
        blobs = list(pool.map(lambda _: wire.blobs.get(job["outputDataUri"]), range(20)))
        assert {blob.status_code for blob in blobs} == {200}
        assert len({(blob.content, blob.headers["ETag"]) for blob in blobs}) == 1
