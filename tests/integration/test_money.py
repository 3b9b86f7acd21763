"""Prices, budgets, estimates and their scores over the whole life of jobs that really run, on both databases."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from antiphon import Job, Workspace
from antiphon.client.embedded import EmbeddedConnection
from antiphon.domain.jobs import Job as StoredJob
from antiphon.domain.policies.estimates import Estimate, Source
from antiphon.domain.queues import Priority
from antiphon.domain.quotas import Dimension, QuotaUse
from antiphon.domain.resources import TargetResources
from antiphon.engine.access.limits import get_quota, set_quota
from antiphon.engine.context import EngineContext
from antiphon.engine.estimates import coverage, expected_wait, history_of
from antiphon.engine.prices import set_prices
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.errors import JobCancelledError, QuotaExceededError
from programs import BELL, ENDLESS
from real_postgres import RealPostgres

TARGET = "sim.auto"
EACH = {"currency": "EUR", "per_task": 0.25, "per_shot": 0.01}


def context(ws: Workspace) -> EngineContext:
    connection = ws._connection
    assert isinstance(connection, EmbeddedConnection)
    return connection._ctx


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Workspace]]:
    database = None
    if request.param == "postgresql":
        server: RealPostgres = request.getfixturevalue("postgres_server")
        database = server.database()
    made: list[Workspace] = []

    def another() -> Workspace:
        made.append(Workspace(tmp_path / "lab", database=database, workers=1))
        return made[-1]

    yield another
    for workspace in reversed(made):
        workspace.close()


def stored(ctx: EngineContext, job: Job) -> StoredJob:
    with ctx.store.read() as tx:
        found = tx.job(job.id)
    assert found is not None
    return found


def budget(ctx: EngineContext, most: float) -> str:
    return set_quota(ctx, workspace="default", dimension=Dimension.COST, limit=most, by="root")[0].quota.id


def total(job: StoredJob) -> float:
    return sum(float(line["amount"]) for line in job.cost)


def test_jobs_through_a_queue_are_held_billed_and_scored(opened: Callable[[], Workspace]) -> None:
    ws = opened()
    ctx = context(ws)
    set_queue_policy(ctx, target=TARGET, slots=1, by="root")
    set_prices(ctx, target=TARGET, prices=EACH | {"per_second": 5.0}, by="root")
    quota = budget(ctx, 1_000.0)
    target = ws.target(TARGET)
    jobs = [target.submit(BELL, shots=100) for _ in range(25)]
    for job in jobs:
        job.result(timeout=60)
    ended = [stored(ctx, job) for job in jobs]
    for each in ended:
        lines = {line["dimension"]: line["quantity"] for line in each.cost}
        assert lines == {"task": 1.0, "shot": 100.0, "second": each.stages.execute}
        assert each.estimate is not None
    use = get_quota(ctx, "default", quota).use
    assert use.used == pytest.approx(sum(map(total, ended)))
    assert use.held == 0.0
    waits = [Estimate.from_json(each.estimate or {}).ahead_s for each in ended]
    assert waits[0] == 0.0
    assert max(waits) > 0.0
    found = coverage(ctx, TARGET)
    assert (found.wait.jobs, found.run.jobs, found.cost.jobs) == (25, 25, 25)
    ctx.recent.forget(("history", TARGET, Priority.STANDARD))
    assert history_of(ctx, TARGET, Priority.STANDARD).run.source is Source.HISTORY
    assert ws.target(TARGET).expected_wait == expected_wait(ctx, TARGET)


def test_many_at_once_never_spend_more_than_the_budget(opened: Callable[[], Workspace]) -> None:
    both = opened(), opened()
    ctx = context(both[0])
    set_prices(ctx, target=TARGET, prices=EACH, by="root")
    context(both[1]).recent.forget(("prices", TARGET))
    quota = budget(ctx, 10.0)  # eight jobs of 1.25

    def one(number: int) -> Job | None:
        try:
            return both[number % 2].target(TARGET).submit(BELL, shots=100, execution="process")
        except QuotaExceededError as refused:
            assert refused.details["shortfall"] > 0  # noqa: PT017 - every refusal says it
            return None

    with ThreadPoolExecutor(8) as threads:
        taken = [job for job in threads.map(one, range(24)) if job is not None]
    assert len(taken) == 8
    for job in taken:
        job.result(timeout=60)
    assert get_quota(ctx, "default", quota).use == QuotaUse(10.0, 0.0)


def test_what_was_cancelled_while_it_ran_pays_as_the_list_says(opened: Callable[[], Workspace]) -> None:
    ws = opened()
    ctx = context(ws)
    set_prices(ctx, target=TARGET, prices=EACH | {"per_second": 2.0}, by="root")
    quota = budget(ctx, 1e6)
    paid = 0.0
    for patience in (0.5, 1.0, 2.0, 4.0, 8.0):  # cancelled before its worker began, it has used no second
        job = ws.target(TARGET).submit(ENDLESS, shots=1)
        assert get_quota(ctx, "default", quota).use.held > 0.0
        time.sleep(patience)
        job.cancel()
        with pytest.raises(JobCancelledError):
            job.result(timeout=60)
        ended = stored(ctx, job)
        paid += total(ended)
        assert get_quota(ctx, "default", quota).use == QuotaUse(paid, 0.0)
        if ended.cost:
            break
    assert [line["dimension"] for line in ended.cost] == ["second"]
    assert paid == pytest.approx(2.0 * (ended.stages.execute or 0.0), abs=1e-5)


def test_a_price_by_the_second_is_for_the_machine_that_is_emulated(opened: Callable[[], Workspace]) -> None:
    ws = opened()
    set_prices(context(ws), target="emu.manila", prices={"currency": "USD", "per_second": 2.0}, by="root")
    device = ws.target("emu.manila")
    shape, shot = device.info.device, device.estimate_resources(BELL, shots=1_000)
    assert shape is not None
    [expected] = shot.targets
    assert isinstance(expected, TargetResources)
    assert expected.assessment is not None
    seconds = 1_000 * (expected.assessment.seconds + shape.shot_pause_s)
    assert expected.device_s == pytest.approx(seconds)
    assert shape.shot_pause_s == 250e-6
    quoted = device.quote(BELL, shots=1_000)
    job = device.submit(BELL, shots=1_000, bank=False)
    job.wait()
    [line] = stored(context(ws), job).cost
    assert (line["quantity"], line["amount"]) == (pytest.approx(seconds), pytest.approx(2.0 * seconds, abs=1e-6))
    assert quoted.cost is not None
    assert quoted.cost.p50 == pytest.approx(line["amount"])
