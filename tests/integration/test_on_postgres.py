"""The engine on PostgreSQL, where transactions run side by side and locks can collide."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon import JobStatus, SessionStatus, Target, Workspace
from antiphon.errors import AntiphonError
from programs import BELL, ENDLESS
from real_postgres import RealPostgres


@pytest.fixture
def pair(tmp_path: Path, postgres_server: RealPostgres) -> Iterator[tuple[Workspace, Workspace]]:
    """Two workspaces on one database and one folder of blobs, as two processes would open them."""
    url = postgres_server.database()
    first = Workspace(tmp_path, database=url, workers=1)
    second = Workspace(tmp_path, database=url, workers=1)
    yield first, second
    second.close()
    first.close()


def test_jobs_of_both_run_once_each(pair: tuple[Workspace, Workspace]) -> None:
    jobs = [
        ws.target("sim.auto").submit(BELL, shots=20, execution=execution, seed=index)
        for index in range(5)
        for ws in pair
        for execution in ("inline", "process")
    ]
    for job in jobs:
        assert sum(job.result(60).counts.values()) == 20
    for job in pair[0].jobs(limit=100):
        assert [event["event"] for event in job.events] == ["submitted", "claimed", "succeeded"]


def test_one_key_from_many_threads_of_both_makes_one_job(pair: tuple[Workspace, Workspace]) -> None:
    ids: list[str] = []
    targets = [ws.target("sim.auto") for ws in pair]

    def submit(index: int) -> None:
        ids.append(targets[index % 2].submit(BELL, shots=10, key="once").id)

    threads = [threading.Thread(target=submit, args=(index,)) for index in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 20
    assert len(set(ids)) == 1


def test_both_submit_into_and_cancel_one_session(pair: tuple[Workspace, Workspace]) -> None:
    first, second = (ws.target("sim.auto") for ws in pair)
    session = first.open_session(key="shared")
    assert second.open_session(key="shared").id == session.id
    blocker = first.submit(ENDLESS, shots=1)
    also = second.submit(ENDLESS, shots=1)
    queued: list[str] = []

    def submit(target: Target) -> None:
        queued.extend(target.submit(BELL, shots=5, execution="process").id for _ in range(5))

    threads = [threading.Thread(target=submit, args=(target,)) for target in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.facts.jobs == 12
    session.cancel()
    assert {pair[0].job(job_id).wait(60).status for job_id in queued} == {JobStatus.CANCELLED}
    blocker.cancel().wait(60)
    also.cancel().wait(60)
    assert session.facts.pending == 0
    assert session.status is SessionStatus.SUCCEEDED


def test_one_session_key_from_many_threads_of_both_opens_one_session(pair: tuple[Workspace, Workspace]) -> None:
    ids: list[str] = []
    failures: list[AntiphonError] = []

    def open_one(index: int) -> None:
        try:
            ids.append(pair[index % 2].target("sim.auto").open_session(key="shared").id)
        except AntiphonError as error:
            failures.append(error)

    for _ in range(3):
        threads = [threading.Thread(target=open_one, args=(index,)) for index in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert len(set(ids)) == 1
        pair[0].session(ids[0]).close()
        ids.clear()


def test_records_and_replays(pair: tuple[Workspace, Workspace]) -> None:
    job = pair[0].target("sim.auto").submit(BELL, shots=200, seed=4)
    assert pair[1].job(job.id).record == job.record
    assert pair[1].job(job.id).replay(60).agreement.agrees
