from __future__ import annotations

import json
from typing import Any

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobEvent, JobStatus, JobTrigger, Stages, advance
from antiphon.domain.observables import Observable
from antiphon.domain.quotas import Dimension, Period, QuotaUse
from antiphon.domain.sessions import SessionAction, SessionEvent, advance_session
from antiphon.domain.work import JobKind
from antiphon.engine.access.limits import get_quota, set_quota
from antiphon.engine.cancel import cancel
from antiphon.engine.context import EngineContext
from antiphon.engine.ending import Aftermath, settle
from antiphon.engine.estimates import estimate_before
from antiphon.engine.prices import set_prices
from antiphon.engine.requests import OpenSessionRequest, PubRequest, Reuse, SubmitRequest
from antiphon.engine.results import outcomes_of
from antiphon.engine.sessions import open_new_session
from antiphon.engine.submit import submit
from antiphon.errors import ExecutionError, QuotaExceededError
from antiphon.frontends.recognise import to_program
from programs import BELL

EACH = {"currency": "EUR", "per_task": 0.3, "per_shot": 0.01}
BY_TIME = {"currency": "USD", "per_second": 2.0}


def ask(**changes: Any) -> SubmitRequest:
    given: dict[str, Any] = {
        "workspace": "default",
        "who": "ada",
        "kind": JobKind.SAMPLE,
        "target": "sim.auto",
        "pubs": (PubRequest(to_program(BELL), shots=100),),
    }
    return SubmitRequest(**{**given, **changes})


def priced(ctx: EngineContext, prices: dict[str, Any]) -> None:
    set_prices(ctx, target="sim.auto", prices=prices, by="root")


def budget(ctx: EngineContext, most: float, period: Period = Period.NONE) -> str:
    quota, _ = set_quota(ctx, workspace="default", dimension=Dimension.COST, limit=most, period=period, by="root")
    return quota.quota.id


def use(ctx: EngineContext, quota: str) -> QuotaUse:
    return get_quota(ctx, "default", quota).use


def queued(ctx: EngineContext, **changes: Any) -> Job:
    return submit(ctx, ask(execution="process", **changes)).job


def claimed(ctx: EngineContext, job: Job) -> Job:
    event = JobEvent(trigger=JobTrigger.CLAIMED, at=ctx.clock.now(), who=ctx.engine_id, owner=ctx.engine_id)
    with ctx.store.write() as tx:
        after = advance(job, event)
        tx.save_job(job, after, event)
    return after


def ended(ctx: EngineContext, job: Job, trigger: JobTrigger, seconds: float | None = None, **more: Any) -> Job:
    stages = None if seconds is None else evolve(job.stages, execute=seconds)
    event = JobEvent(trigger=trigger, at=ctx.clock.now(), who=ctx.engine_id, stages=stages, **more)
    with ctx.store.write() as tx:
        return settle(tx, job, event, Aftermath())


def total(job: Job) -> float:
    return sum(float(line["amount"]) for line in job.cost)


def test_without_prices_nothing_is_kept_and_nothing_charged(ctx: EngineContext) -> None:
    job = submit(ctx, ask()).job
    assert job.status is JobStatus.SUCCEEDED
    assert job.cost == ()
    assert "priced" not in job.provenance


def test_a_job_that_runs_at_once_gets_its_bill(ctx: EngineContext) -> None:
    priced(ctx, EACH)
    quota = budget(ctx, 100.0)
    job = submit(ctx, ask()).job
    assert [(line["dimension"], line["quantity"], line["amount"]) for line in job.cost] == [
        ("task", 1.0, 0.3),
        ("shot", 100.0, 1.0),
    ]
    assert {(line["currency"], line["price_list"]) for line in job.cost} == {("EUR", 1)}
    assert use(ctx, quota) == QuotaUse(1.3, 0.0)


def test_the_most_it_may_cost_is_held_and_settled_by_what_it_took(ctx: EngineContext) -> None:
    priced(ctx, BY_TIME)
    quota = budget(ctx, 8_000.0)
    job = queued(ctx)
    held = use(ctx, quota).held
    assert 0.0 < held <= job.spec.max_seconds * 2.0
    assert job.estimate is not None
    assert held == pytest.approx(job.estimate["cost"]["p95"])
    done = ended(ctx, claimed(ctx, job), JobTrigger.SUCCEEDED, seconds=1.5)
    assert total(done) == 3.0
    assert use(ctx, quota) == QuotaUse(3.0, 0.0)


def test_a_refusal_says_what_is_missing_and_when_it_begins_anew(ctx: EngineContext) -> None:
    priced(ctx, EACH)
    quota = budget(ctx, 2.0, Period.DAY)
    queued(ctx)
    with pytest.raises(QuotaExceededError) as refused:
        queued(ctx)
    error = refused.value
    assert error.cause == (
        "0 used, 1.3 held by jobs that have not ended, 0.7 left; this job needs 1.3, 0.6 more than that"
    )
    assert "2023-11-15T00:00:00Z" in error.next_step
    assert error.details["shortfall"] == pytest.approx(0.6)
    assert use(ctx, quota).held == pytest.approx(1.3)


def test_what_never_ran_costs_nothing(ctx: EngineContext) -> None:
    priced(ctx, EACH)
    quota = budget(ctx, 5.0)
    job = cancel(ctx, "default", queued(ctx).id, who="ada")
    assert job.status is JobStatus.CANCELLED
    assert job.cost == ()
    assert use(ctx, quota) == QuotaUse()


def test_what_failed_costs_the_seconds_it_used(ctx: EngineContext) -> None:
    priced(ctx, EACH | BY_TIME)
    job = ended(ctx, claimed(ctx, queued(ctx)), JobTrigger.FAILED, seconds=4.0, error={"code": "x", "message": "x"})
    assert [(line["dimension"], line["amount"]) for line in job.cost] == [("second", 8.0)]


def test_of_a_batch_that_failed_in_part_the_others_are_charged(ctx: EngineContext) -> None:
    priced(ctx, EACH | {"task_unit": "program"})
    batch = queued(ctx, kind=JobKind.BATCH, pubs=ask().pubs * 10)
    partial = ExecutionError("3 of 10 failed", code="batch-partial", details={"failed": [0, 4, 9]})
    job = ended(ctx, claimed(ctx, batch), JobTrigger.FAILED, seconds=1.0, error=partial.to_dict())
    assert total(job) == pytest.approx(7 * 1.3)


def test_a_batch_is_one_task_unless_the_list_says_otherwise(ctx: EngineContext) -> None:
    priced(ctx, EACH)
    batch = queued(ctx, kind=JobKind.BATCH, pubs=ask().pubs * 10)
    assert total(ended(ctx, claimed(ctx, batch), JobTrigger.SUCCEEDED, seconds=1.0)) == pytest.approx(0.3 + 10.0)


def test_a_second_attempt_is_charged_once(ctx: EngineContext) -> None:
    priced(ctx, EACH)
    quota = budget(ctx, 5.0)
    lost = ended(ctx, claimed(ctx, queued(ctx)), JobTrigger.LEASE_LOST)
    assert lost.cost == ()
    assert use(ctx, quota).held == pytest.approx(1.3)
    job = ended(ctx, claimed(ctx, lost), JobTrigger.SUCCEEDED, seconds=1.0)
    assert total(job) == pytest.approx(1.3)
    assert use(ctx, quota) == QuotaUse(1.3, 0.0)


def test_the_list_of_its_submit_counts(ctx: EngineContext) -> None:
    priced(ctx, EACH)
    job = queued(ctx)
    priced(ctx, {"currency": "EUR", "per_shot": 1.0})
    done = ended(ctx, claimed(ctx, job), JobTrigger.SUCCEEDED, seconds=1.0)
    assert total(done) == pytest.approx(1.3)
    assert done.cost[0]["price_list"] == 1


def test_what_its_provider_says_goes_before_our_list(ctx: EngineContext) -> None:
    priced(ctx, EACH)
    lines = ({"dimension": "qpu", "amount": 9.0, "currency": "EUR"},)
    job = ended(ctx, claimed(ctx, queued(ctx)), JobTrigger.SUCCEEDED, seconds=1.0, cost=lines)
    assert job.cost == lines


def test_an_earlier_result_costs_nothing(ctx: EngineContext) -> None:
    priced(ctx, EACH)
    quota = budget(ctx, 2.0)
    first, second = (submit(ctx, ask(seed=1, reuse=Reuse(max_age_s=60.0))).job for _ in range(2))
    assert total(first) == pytest.approx(1.3)
    assert second.is_cached
    assert second.cost == ()
    assert use(ctx, quota).used == pytest.approx(1.3)


def test_the_job_kept_what_it_was_metered_by(ctx: EngineContext) -> None:
    priced(ctx, EACH)
    job = submit(ctx, ask()).job
    assert json.loads(json.dumps(job.provenance["priced"])) == {
        "version": 1,
        "facts": {
            "tasks": [[1, 100, 100, 100, 200, "exact"]],
            "seconds": job.provenance["plan"]["estimated_seconds"],
            "priority": "Standard",
            "most_gates": 5_000_000,
        },
    }


def test_a_session_pays_for_the_time_between_its_jobs(ctx: EngineContext, clock: ManualClock) -> None:
    priced(ctx, {"currency": "EUR", "session_per_second": 0.5})
    session = open_new_session(ctx, OpenSessionRequest(workspace="default", who="ada", target="sim.auto"))

    def run() -> Job:
        job = claimed(ctx, queued(ctx, session_id=session.id))
        with ctx.store.write() as tx:
            stands = tx.session(session.id)
            assert stands is not None
            if stands.holding_since is None:
                taken = SessionEvent(action=SessionAction.HOLD_TAKEN, at=clock.now(), who="eng")
                tx.save_session(stands, advance_session(stands, taken)[0], taken)
        clock.advance(10.0)
        return ended(ctx, job, JobTrigger.SUCCEEDED, seconds=10.0)

    assert run().cost == ()
    clock.advance(30.0)
    second = run()
    assert [(line["dimension"], line["quantity"], line["amount"]) for line in second.cost] == [
        ("session-hold", 30.0, 15.0)
    ]


def test_stages_without_seconds_are_billed_none(ctx: EngineContext) -> None:
    priced(ctx, BY_TIME)
    job = ended(ctx, claimed(ctx, queued(ctx)), JobTrigger.FAILED, error={"code": "x", "message": "x"})
    assert job.stages.execute is Stages().execute
    assert job.cost == ()


def test_a_batch_that_gave_way_pays_for_its_turns_and_for_no_time_in_which_its_engine_was_gone(
    ctx: EngineContext, clock: ManualClock
) -> None:
    priced(ctx, BY_TIME)
    quota, _ = set_quota(
        ctx, workspace="default", dimension=Dimension.TARGET_SECONDS, limit=1e6, period=Period.NONE, by="root"
    )
    job = claimed(ctx, queued(ctx, kind=JobKind.BATCH, pubs=ask().pubs * 10))
    for _ in range(2):
        clock.advance(30.0)
        job = claimed(ctx, ended(ctx, job, JobTrigger.YIELDED, seconds=30.0))
    clock.advance(86_400.0)
    job = claimed(ctx, ended(ctx, job, JobTrigger.LEASE_LOST))
    clock.advance(5.0)
    done = ended(ctx, job, JobTrigger.SUCCEEDED, seconds=5.0)
    assert done.stages.execute == 65.0
    assert total(done) == 130.0
    assert use(ctx, quota.quota.id).used == 65.0


def test_a_batch_that_is_cancelled_after_it_gave_way_pays_for_its_turns(ctx: EngineContext) -> None:
    priced(ctx, BY_TIME)
    job = claimed(ctx, queued(ctx, kind=JobKind.BATCH, pubs=ask().pubs * 10))
    ended(ctx, job, JobTrigger.YIELDED, seconds=30.0)
    assert total(cancel(ctx, "default", job.id, who="ada")) == 60.0


def test_a_mitigated_job_pays_for_the_circuits_that_it_runs(ctx: EngineContext) -> None:
    priced(ctx, {"currency": "EUR", "per_two_qubit_gate": 0.001, "task_unit": "program", "per_task": 1.0})
    noise = {"depolarizing_2q": 0.01}
    pub = PubRequest(to_program(BELL), shots=8_000, observables=(Observable(2, (("ZZ", 1.0),)),))
    plain = submit(ctx, ask(kind=JobKind.ESTIMATE, pubs=(pub,), options={"noise": noise})).job
    asked = {"zne": [1, 3], "sentinel": False}
    request = ask(kind=JobKind.ESTIMATE, pubs=(pub,), options={"noise": noise, "mitigation": asked})
    folded = submit(ctx, request).job
    expected = estimate_before(ctx, request).cost
    # 6,000 shots of one gate and 2,000 of three, in two circuits.
    assert total(plain) == pytest.approx(1.0 + 8.0)
    assert total(folded) == pytest.approx(2.0 + 12.0)
    assert expected is not None
    assert expected.p50 == pytest.approx(14.0)


def test_shots_that_were_not_needed_are_not_charged(ctx: EngineContext) -> None:
    priced(ctx, {"currency": "EUR", "per_shot": 0.001})
    pub = PubRequest(to_program(BELL), shots=1_000_000, observables=(Observable(2, (("ZZ", 1.0), ("XI", 1.0))),))
    options = {"allocation": {"precision": 0.05}}
    quota = budget(ctx, 1_000.0)
    job = submit(ctx, ask(kind=JobKind.ESTIMATE, pubs=(pub,), options=options, execution="inline")).job
    outcome = outcomes_of(ctx, job)[0]
    assert outcome.shots is not None
    assert total(job) == pytest.approx(outcome.shots * 0.001)
    assert 0.0 < total(job) < 10.0
    assert use(ctx, quota).held == 0.0
