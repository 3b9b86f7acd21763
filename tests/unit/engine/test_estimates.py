from __future__ import annotations

from typing import Any

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobEvent, JobTrigger, Stages, advance
from antiphon.domain.policies.estimates import IDLE_S, MODEL_SPREAD, Estimate, Source
from antiphon.domain.queues import Access, Priority, QueuePolicy, Reservation
from antiphon.domain.work import JobKind
from antiphon.engine.cancel import cancel
from antiphon.engine.context import EngineContext
from antiphon.engine.ending import Aftermath, settle
from antiphon.engine.estimates import coverage, estimate_before, estimate_now, expected_wait
from antiphon.engine.prices import set_prices
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.engine.requests import OpenSessionRequest, PubRequest, SubmitRequest
from antiphon.engine.sessions import open_new_session
from antiphon.engine.submit import submit
from antiphon.errors import LimitError, NotFoundError
from antiphon.frontends.recognise import to_program
from antiphon.ports.queue_store import QueueOutcome
from programs import BELL
from stored_facts import add_job

TARGET = "sim.auto"


def ask(**changes: Any) -> SubmitRequest:
    given: dict[str, Any] = {
        "workspace": "default",
        "who": "ada",
        "kind": JobKind.SAMPLE,
        "target": TARGET,
        "pubs": (PubRequest(to_program(BELL), shots=100),),
        "execution": "process",
    }
    return SubmitRequest(**{**given, **changes})


def one_at_a_time(ctx: EngineContext, **changes: Any) -> QueuePolicy:
    return set_queue_policy(ctx, target=TARGET, slots=1, by="root", **changes)


def waiting(ctx: EngineContext, count: int, planned_s: float = 10.0, **changes: Any) -> list[Job]:
    given = {"created_by": "bob", "workspace": "other"} | changes
    return [add_job(ctx.store, planned_s=planned_s, target=TARGET, **given) for _ in range(count)]


def came(ctx: EngineContext, count: int, priority: str = "Standard", **changes: Any) -> None:
    given: dict[str, Any] = {"planned_s": 1.0, "ahead_s": 0.0, "wait_s": 0.0, "run_s": 1.0} | changes
    with ctx.store.write() as tx:
        for number in range(count):
            tx.add_outcome(
                QueueOutcome(target=TARGET, priority=priority, job_id=f"job-{number}", ended_at=1.0, **given)
            )


def test_on_an_empty_target_a_job_starts_soon_and_runs_as_its_model_says(ctx: EngineContext) -> None:
    one_at_a_time(ctx)
    found = estimate_before(ctx, ask())
    assert ((found.wait.p50, found.wait.p80, found.wait.p95), found.ahead_s) == (IDLE_S, 0.0)
    assert (found.wait.source, found.wait.upper_bound) == (Source.MODEL, False)
    assert found.run.source is Source.MODEL
    assert found.run.upper_bound
    assert found.run.p50 == pytest.approx(found.planned_s, abs=0.02)
    assert (found.cost, found.currency) == (None, None)


def test_what_waits_before_it_counts_and_what_comes_after_it_does_not(ctx: EngineContext) -> None:
    one_at_a_time(ctx)
    waiting(ctx, 6)
    assert estimate_before(ctx, ask()).ahead_s == pytest.approx(60.0)
    assert estimate_before(ctx, ask(priority=Priority.HIGH)).ahead_s == 0.0
    waiting(ctx, 1, priority=Priority.HIGH)
    assert estimate_before(ctx, ask(priority=Priority.HIGH)).ahead_s == pytest.approx(10.0)
    assert estimate_before(ctx, ask()).ahead_s == pytest.approx(70.0)


def test_slots_share_the_work(ctx: EngineContext) -> None:
    set_queue_policy(ctx, target=TARGET, slots=4, by="root")
    waiting(ctx, 6)
    assert estimate_before(ctx, ask()).ahead_s == pytest.approx(15.0)


def test_a_long_queue_is_extrapolated_and_called_a_bound(ctx: EngineContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.engine.ahead.MOST_COUNTED", 5)
    one_at_a_time(ctx)
    waiting(ctx, 20)
    found = estimate_before(ctx, ask())
    assert found.ahead_s == pytest.approx(200.0)
    assert found.wait.upper_bound
    assert found.notes[0].startswith("20 jobs wait")


def test_the_history_of_the_priority_counts_once_it_is_long_enough(ctx: EngineContext, clock: ManualClock) -> None:
    one_at_a_time(ctx)
    came(ctx, 40, run_s=7.0)
    came(ctx, 19, "High", run_s=70.0)
    planned_s = estimate_before(ctx, ask()).planned_s
    assert estimate_before(ctx, ask()).run.p50 == pytest.approx(7.0 * planned_s, abs=0.1)
    few = estimate_before(ctx, ask(priority=Priority.HIGH)).run
    assert few.jobs == 59
    came(ctx, 1, "High", run_s=70.0)
    clock.advance(5.0)
    enough = estimate_before(ctx, ask(priority=Priority.HIGH)).run
    assert (enough.jobs, enough.source) == (20, Source.HISTORY)
    assert enough.p50 == pytest.approx(69.0 * (planned_s + 0.01), rel=0.05)


def test_no_run_is_longer_than_its_own_limit(ctx: EngineContext) -> None:
    one_at_a_time(ctx)
    came(ctx, 30, run_s=1e6)
    assert estimate_before(ctx, ask(max_seconds=5.0)).run.p95 == 5.0


def test_cost_follows_the_run_where_seconds_are_paid(ctx: EngineContext) -> None:
    one_at_a_time(ctx)
    set_prices(ctx, target=TARGET, prices={"currency": "EUR", "per_shot": 0.01, "per_second": 3.0}, by="root")
    found = estimate_before(ctx, ask())
    assert found.cost is not None
    assert found.currency == "EUR"
    for name in ("p50", "p80", "p95"):
        assert getattr(found.cost, name) == pytest.approx(1.0 + 3.0 * getattr(found.run, name), abs=1e-5)
    assert found.cost.upper_bound
    set_prices(ctx, target=TARGET, prices={"currency": "EUR", "per_shot": 0.01}, by="root")
    exact = estimate_before(ctx, ask()).cost
    assert exact is not None
    assert (exact.p50, exact.p95, exact.upper_bound) == (1.0, 1.0, False)


def test_cheap_work_on_a_target_without_slots_runs_at_once(ctx: EngineContext) -> None:
    found = estimate_before(ctx, ask(execution="auto"))
    assert found.wait.p95 == 0.0
    assert "runs at once" in found.notes[0]
    assert submit(ctx, ask(execution="auto")).job.estimate is None


def test_a_window_of_another_workspace_is_waited_out(ctx: EngineContext, clock: ManualClock) -> None:
    one_at_a_time(ctx)
    now = clock.now()
    with ctx.store.write() as tx:
        for workspace, begin in (("other", now - 10.0), ("default", now + 500.0)):
            tx.add_reservation(
                Reservation(
                    id=f"res-{workspace}",
                    target=TARGET,
                    workspace=workspace,
                    starts_at=begin,
                    ends_at=begin + 110.0,
                    created_by="root",
                    created_at=now,
                )
            )
    found = estimate_before(ctx, ask())
    assert found.ahead_s == pytest.approx(100.0)
    assert "reservation" in found.notes[0]


@pytest.mark.parametrize(
    ("access", "until", "ahead", "bound"),
    [
        (Access.EXCLUSIVE, 25.0, 25.0, False),
        (Access.EXCLUSIVE, None, 60.0, False),
        (Access.DEDICATED, None, 28_800.0, True),
    ],
)
def test_a_hold_of_another_session_is_waited_out(
    ctx: EngineContext, clock: ManualClock, access: Access, until: float | None, ahead: float, bound: bool
) -> None:
    one_at_a_time(ctx, access=access)
    session = open_new_session(ctx, OpenSessionRequest(workspace="default", who="bob", target=TARGET))
    with ctx.store.write() as tx:
        state = tx.queue_state(TARGET)
        held_until = None if until is None else clock.now() + until
        tx.save_queue_state(
            state,
            evolve(
                state,
                held_by=session.id,
                held_workspace="default",
                held_since=clock.now(),
                held_until=held_until,
            ),
        )
    found = estimate_before(ctx, ask())
    assert found.ahead_s == pytest.approx(ahead)
    assert found.wait.upper_bound == (bound or found.wait.source is Source.MODEL)
    assert any(note.startswith("upper bound") for note in found.notes) == bound
    own = estimate_before(ctx, ask(session_id=session.id))
    assert own.ahead_s == 0.0


def test_a_job_that_waits_keeps_its_estimate_and_can_be_asked_again(ctx: EngineContext, clock: ManualClock) -> None:
    one_at_a_time(ctx)
    first = waiting(ctx, 3, created_at=clock.now() - 5.0)
    job = submit(ctx, ask()).job
    assert job.estimate is not None
    kept = Estimate.from_json(job.estimate)
    assert kept.ahead_s == pytest.approx(30.0)
    assert kept.wait.p95 == pytest.approx(31.0 * MODEL_SPREAD[2] - 1.0)
    cancel(ctx, "other", first[0].id, who="bob")
    clock.advance(2.0)
    now = estimate_now(ctx, "default", job.id)
    assert now.ahead_s == pytest.approx(20.0)
    assert now.wait.p50 == pytest.approx(20.0)


def test_of_a_job_that_runs_the_rest_is_told_and_of_one_that_ended_its_cost(
    ctx: EngineContext, clock: ManualClock
) -> None:
    set_prices(ctx, target=TARGET, prices={"currency": "EUR", "per_second": 3.0}, by="root")
    came(ctx, 30, planned_s=0.0, run_s=60.0)
    job = submit(ctx, ask()).job
    whole = estimate_now(ctx, "default", job.id).run
    claim = JobEvent(trigger=JobTrigger.CLAIMED, at=clock.now(), who="eng", owner="eng")
    running = advance(job, claim)
    with ctx.store.write() as tx:
        tx.save_job(job, running, claim)
    clock.advance(20.0)
    left = estimate_now(ctx, "default", job.id)
    assert left.wait.p95 == 0.0
    assert left.run.p80 == pytest.approx(whole.p80 - 20.0)
    end = JobEvent(trigger=JobTrigger.SUCCEEDED, at=clock.now(), who="eng", stages=Stages(execute=20.0))
    with ctx.store.write() as tx:
        settle(tx, running, end, Aftermath())
    over = estimate_now(ctx, "default", job.id)
    assert over.cost is not None
    assert (over.run.p95, over.cost.p50, over.notes) == (0.0, 60.0, ("it has ended",))


def test_expected_wait_is_what_a_next_ordinary_job_would_wait(ctx: EngineContext, clock: ManualClock) -> None:
    one_at_a_time(ctx)
    assert expected_wait(ctx, TARGET) == IDLE_S[0]
    waiting(ctx, 6, created_at=clock.now() - 1.0)
    clock.advance(1.0)
    assert expected_wait(ctx, TARGET) == pytest.approx(60.0)
    came(ctx, 50, ahead_s=9.0, wait_s=19.0)
    clock.advance(5.0)
    assert expected_wait(ctx, TARGET) == pytest.approx(121.0)


def test_coverage_is_scored_from_what_was_kept(ctx: EngineContext) -> None:
    bounds = {"p50": 1.0, "p80": 2.0, "p95": 3.0}
    estimate = {"wait": bounds, "run": bounds, "cost": None}
    came(ctx, 8, run_s=1.5, estimate=estimate)
    came(ctx, 2, "High", run_s=2.5, estimate=estimate)
    assert coverage(ctx, TARGET).run.in_words() == "the 80 % bound held for 80 % of 10 jobs"
    assert coverage(ctx, TARGET, Priority.HIGH).run.p80 == 0
    assert coverage(ctx, TARGET).cost.jobs == 0


def test_what_would_be_refused_has_no_estimate(ctx: EngineContext) -> None:
    with pytest.raises(LimitError):
        estimate_before(ctx, ask(pubs=(PubRequest(to_program(BELL), shots=-1),)))
    for unknown in (lambda: coverage(ctx, "qpu"), lambda: expected_wait(ctx, "qpu")):
        with pytest.raises(NotFoundError):
            unknown()
    with pytest.raises(NotFoundError):
        estimate_now(ctx, "default", "job-none")
