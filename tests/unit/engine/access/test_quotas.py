from __future__ import annotations

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobEvent, JobTrigger, Stages, advance
from antiphon.domain.quotas import Dimension, Period, QuotaUse
from antiphon.engine.access.limits import get_quota, set_quota
from antiphon.engine.access.quotas import hold, settle_holds
from antiphon.engine.context import EngineContext
from antiphon.errors import QuotaExceededError
from stored_facts import make_job  # its jobs take 1,000 shots

NOW = 1_700_000_000.0


def limit(ctx: EngineContext, dimension: Dimension, most: float, period: Period = Period.NONE, **more: str) -> str:
    return set_quota(
        ctx, workspace="default", dimension=dimension, limit=most, period=period, by="root", target=more.get("target")
    )[0].quota.id


def holding(ctx: EngineContext, job: Job, seconds: float = 2.0, now: float = NOW) -> Job:
    with ctx.store.write() as tx:
        return evolve(job, holds=hold(tx, job, seconds, now))


def use(ctx: EngineContext, quota_id: str) -> QuotaUse:
    return get_quota(ctx, "default", quota_id).use


def settle(ctx: EngineContext, job: Job) -> None:
    with ctx.store.write() as tx:
        settle_holds(tx, job)


def claimed(job: Job) -> Job:
    return advance(job, JobEvent(trigger=JobTrigger.CLAIMED, at=NOW, who="eng", owner="eng"))


def ended(job: Job, trigger: JobTrigger, **more: object) -> Job:
    return advance(job, JobEvent(trigger=trigger, at=NOW + 9, who="eng", **more))  # type: ignore[arg-type]


def test_without_quotas_nothing_is_held(ctx: EngineContext) -> None:
    assert holding(ctx, make_job()).holds == ()


def test_a_job_holds_what_it_will_need_and_settles_what_it_used(ctx: EngineContext) -> None:
    ids = {dimension: limit(ctx, dimension, 5_000.0) for dimension in Dimension}
    job = holding(ctx, make_job())
    held = {dimension: use(ctx, quota_id).held for dimension, quota_id in ids.items()}
    assert held == {
        Dimension.JOBS_IN_FLIGHT: 1.0,
        Dimension.SHOTS: 1_000.0,
        Dimension.TARGET_SECONDS: 2.0,
        Dimension.COST: 0.0,
    }
    lines = ({"amount": 0.25, "currency": "EUR"}, {"amount": 1.5, "currency": "EUR"})
    settle(ctx, ended(claimed(job), JobTrigger.SUCCEEDED, stages=Stages(execute=0.5), cost=lines))
    assert {dimension: use(ctx, quota_id) for dimension, quota_id in ids.items()} == {
        Dimension.JOBS_IN_FLIGHT: QuotaUse(0.0, 0.0),
        Dimension.SHOTS: QuotaUse(1_000.0, 0.0),
        Dimension.TARGET_SECONDS: QuotaUse(0.5, 0.0),
        Dimension.COST: QuotaUse(1.75, 0.0),
    }


def test_a_job_that_never_ran_used_nothing(ctx: EngineContext) -> None:
    shots, seconds = limit(ctx, Dimension.SHOTS, 5_000.0), limit(ctx, Dimension.TARGET_SECONDS, 5_000.0)
    settle(ctx, ended(holding(ctx, make_job()), JobTrigger.CANCELLED))
    assert use(ctx, shots) == use(ctx, seconds) == QuotaUse()


def test_a_job_that_died_in_its_target_used_what_was_planned(ctx: EngineContext) -> None:
    shots, seconds = limit(ctx, Dimension.SHOTS, 5_000.0), limit(ctx, Dimension.TARGET_SECONDS, 5_000.0)
    settle(ctx, ended(claimed(holding(ctx, make_job())), JobTrigger.FAILED))
    assert use(ctx, shots) == QuotaUse(1_000.0, 0.0)
    assert use(ctx, seconds) == QuotaUse(2.0, 0.0)


def test_the_refusal_says_which_limit_what_is_left_and_when_it_resets(ctx: EngineContext) -> None:
    quota = limit(ctx, Dimension.SHOTS, 2_500.0, Period.DAY)
    holding(ctx, make_job())
    settle(ctx, ended(claimed(holding(ctx, make_job())), JobTrigger.SUCCEEDED))
    with pytest.raises(QuotaExceededError) as caught:
        holding(ctx, make_job())
    error = caught.value
    assert "2,500 shots a day" in error.message
    assert "default" in error.message
    assert error.cause.startswith("1,000 used, 1,000 held by jobs that have not ended, 500 left")
    assert "2023-11-15T00:00:00Z" in error.next_step
    assert error.details == {
        "quota": quota,
        "dimension": "shots",
        "limit": 2_500.0,
        "period": "day",
        "target": None,
        "used": 1_000.0,
        "held": 1_000.0,
        "requested": 1_000.0,
        "remaining": 500.0,
        "shortfall": 500.0,
        "resets_at": "2023-11-15T00:00:00Z",
    }


def test_a_refusal_holds_nothing_of_the_other_quotas(ctx: EngineContext) -> None:
    flight = limit(ctx, Dimension.JOBS_IN_FLIGHT, 10.0)
    limit(ctx, Dimension.SHOTS, 999.0)
    with pytest.raises(QuotaExceededError):
        holding(ctx, make_job())
    assert use(ctx, flight) == QuotaUse()


def test_the_next_period_begins_at_zero_and_the_last_one_is_settled_in_itself(
    ctx: EngineContext, clock: ManualClock
) -> None:
    quota = limit(ctx, Dimension.SHOTS, 1_000.0, Period.DAY)
    before = holding(ctx, make_job())
    clock.advance(86_400)
    after = holding(ctx, make_job(), now=clock.now())
    settle(ctx, ended(claimed(before), JobTrigger.SUCCEEDED))
    assert use(ctx, quota) == QuotaUse(0.0, 1_000.0)
    settle(ctx, ended(claimed(after), JobTrigger.SUCCEEDED))
    assert use(ctx, quota) == QuotaUse(1_000.0, 0.0)


def test_a_quota_of_one_target_lets_the_others_in(ctx: EngineContext) -> None:
    limit(ctx, Dimension.JOBS_IN_FLIGHT, 0.0, target="sim.auto")
    assert holding(ctx, make_job(target="sim.other")).holds == ()
    with pytest.raises(QuotaExceededError) as caught:
        holding(ctx, make_job())
    assert "on sim.auto" in caught.value.message


def test_cost_is_refused_once_it_is_used_up(ctx: EngineContext) -> None:
    limit(ctx, Dimension.COST, 2.0)
    first = holding(ctx, make_job())
    settle(ctx, ended(claimed(first), JobTrigger.SUCCEEDED, cost=({"amount": 2.0},)))
    with pytest.raises(QuotaExceededError):
        holding(ctx, make_job())


def test_a_quota_that_was_forgotten_meanwhile_is_no_trouble(ctx: EngineContext) -> None:
    from antiphon.engine.access.limits import remove_quota

    quota = limit(ctx, Dimension.SHOTS, 1_000.0)
    job = holding(ctx, make_job())
    remove_quota(ctx, workspace="default", quota_id=quota, by="root")
    settle(ctx, ended(claimed(job), JobTrigger.SUCCEEDED))
    again = limit(ctx, Dimension.SHOTS, 1_000.0)
    assert use(ctx, again) == QuotaUse()
