"""Quotas at submit and at the end of jobs, on both databases and with two engines on one store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from antiphon import Job, JobStatus, Workspace
from antiphon.client.embedded import EmbeddedConnection
from antiphon.domain.jobs import JobEvent, JobTrigger
from antiphon.domain.quotas import Dimension, QuotaUse
from antiphon.engine.access.limits import get_quota, set_quota
from antiphon.engine.context import EngineContext
from antiphon.engine.ending import Aftermath, settle
from antiphon.errors import QuotaExceededError
from programs import BELL, ENDLESS
from real_postgres import RealPostgres

Pair = tuple[Workspace, Workspace]


def context(ws: Workspace) -> EngineContext:
    connection = ws._connection
    assert isinstance(connection, EmbeddedConnection)
    return connection._ctx


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[int], Pair]]:
    """Two workspaces on one store, with so many workers each."""
    database = None
    if request.param == "postgresql":
        server: RealPostgres = request.getfixturevalue("postgres_server")
        database = server.database()
    made: list[Workspace] = []

    def both(workers: int) -> Pair:
        made.extend(Workspace(tmp_path / "lab", database=database, workers=workers) for _ in range(2))
        return made[0], made[1]

    yield both
    for workspace in reversed(made):
        workspace.close()


def limit(ws: Workspace, dimension: Dimension, most: float) -> str:
    return set_quota(context(ws), workspace="default", dimension=dimension, limit=most, by="root")[0].quota.id


def use(ws: Workspace, quota_id: str) -> QuotaUse:
    return get_quota(context(ws), "default", quota_id).use


def test_twenty_at_once_against_ten_in_flight_let_exactly_ten_in(opened: Callable[[int], Pair]) -> None:
    pair = opened(0)
    quota = limit(pair[0], Dimension.JOBS_IN_FLIGHT, 10)
    together = threading.Barrier(20)

    def submit(index: int) -> Job | QuotaExceededError:
        target = pair[index % 2].target("sim.auto")
        together.wait(30)
        try:
            return target.submit(BELL, shots=10, execution="process")
        except QuotaExceededError as error:
            return error

    with ThreadPoolExecutor(20) as threads:
        results = list(threads.map(submit, range(20)))
    jobs = [each for each in results if isinstance(each, Job)]
    assert len(jobs) == 10
    assert len(pair[0].jobs(limit=100)) == 10
    assert use(pair[0], quota) == QuotaUse(0.0, 10.0)
    refusal = next(each for each in results if isinstance(each, QuotaExceededError))
    assert (refusal.details["limit"], refusal.details["held"], refusal.details["remaining"]) == (10.0, 10.0, 0.0)

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda job: job.cancel(), jobs))
    assert use(pair[0], quota) == QuotaUse(0.0, 0.0)


def test_twenty_at_once_with_one_key_hold_once(opened: Callable[[int], Pair]) -> None:
    pair = opened(0)
    quota = limit(pair[0], Dimension.JOBS_IN_FLIGHT, 1)
    together = threading.Barrier(20)

    def submit(index: int) -> str:
        target = pair[index % 2].target("sim.auto")
        together.wait(30)
        return target.submit(BELL, shots=10, execution="process", key="once").id

    with ThreadPoolExecutor(20) as threads:
        assert len(set(threads.map(submit, range(20)))) == 1
    assert use(pair[0], quota) == QuotaUse(0.0, 1.0)


@pytest.mark.parametrize("execution", ["inline", "process"])
def test_jobs_of_both_engines_settle_to_the_shot(opened: Callable[[int], Pair], execution: str) -> None:
    pair = opened(1)
    shots, flight = limit(pair[0], Dimension.SHOTS, 1_000), limit(pair[0], Dimension.JOBS_IN_FLIGHT, 1_000)
    targets = [ws.target("sim.auto") for ws in pair]
    with ThreadPoolExecutor(4) as threads:
        jobs = list(threads.map(lambda index: targets[index % 2].submit(BELL, shots=7, execution=execution), range(12)))
    assert all(job.wait(60).status is JobStatus.SUCCEEDED for job in jobs)
    assert use(pair[0], shots) == QuotaUse(84.0, 0.0)
    assert use(pair[0], flight) == QuotaUse(0.0, 0.0)
    with pytest.raises(QuotaExceededError):
        targets[0].submit(BELL, shots=917)
    assert targets[0].submit(BELL, shots=916).wait(60).status is JobStatus.SUCCEEDED


def test_a_lost_lease_gives_nothing_back(opened: Callable[[int], Pair]) -> None:
    pair = opened(0)
    flight = limit(pair[0], Dimension.JOBS_IN_FLIGHT, 1)
    ctx = context(pair[0])
    job = pair[0].target("sim.auto").submit(BELL, shots=10, execution="process")
    for trigger, owner in ((JobTrigger.CLAIMED, "eng"), (JobTrigger.LEASE_LOST, None)):
        with ctx.store.write() as tx:
            facts = tx.job(job.id)
            assert facts is not None
            settle(tx, facts, JobEvent(trigger=trigger, at=ctx.clock.now(), who="eng", owner=owner), Aftermath())
        assert use(pair[0], flight) == QuotaUse(0.0, 1.0)
        with pytest.raises(QuotaExceededError):
            pair[1].target("sim.auto").submit(BELL, shots=10)
    job.cancel()
    assert use(pair[0], flight) == QuotaUse(0.0, 0.0)


def test_a_session_that_ends_gives_back_what_its_queue_holds(opened: Callable[[int], Pair]) -> None:
    pair = opened(0)
    shots, flight = limit(pair[0], Dimension.SHOTS, 1_000), limit(pair[0], Dimension.JOBS_IN_FLIGHT, 1_000)
    target = pair[0].target("sim.auto")
    session = target.open_session()
    queued = [target.submit(BELL, shots=100, execution="process") for _ in range(3)]
    assert use(pair[1], shots) == QuotaUse(0.0, 300.0)
    pair[1].session(session.id).cancel()
    assert {job.status for job in queued} == {JobStatus.CANCELLED}
    assert use(pair[0], shots) == use(pair[0], flight) == QuotaUse(0.0, 0.0)


def test_what_is_cancelled_while_it_runs_used_its_shots(opened: Callable[[int], Pair]) -> None:
    pair = opened(1)
    shots, seconds = limit(pair[0], Dimension.SHOTS, 1_000), limit(pair[0], Dimension.TARGET_SECONDS, 1_000)
    target = pair[0].target("sim.auto")
    for ws in pair:  # whichever takes the next job has a worker that is ready
        jobs = [ws.target("sim.auto").submit(BELL, shots=1, execution="process") for _ in range(4)]
        assert all(job.wait(60).status is JobStatus.SUCCEEDED for job in jobs)
    before = use(pair[0], shots), use(pair[0], seconds)
    job = target.submit(ENDLESS, shots=1)
    deadline = time.monotonic() + 30
    while job.status is JobStatus.WAITING:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(1)
    assert job.cancel().wait(60).status is JobStatus.CANCELLED
    assert use(pair[0], shots) == QuotaUse(before[0].used + 1, 0.0)
    assert job.stages["execute"]
    measured = use(pair[0], seconds)
    assert measured.held == pytest.approx(0.0, abs=1e-9)
    assert measured.used == pytest.approx(before[1].used + job.stages["execute"])
