from __future__ import annotations

from typing import Any

import pytest

from antiphon.domain.jobs import JobEvent, JobStatus, JobTrigger, advance
from antiphon.domain.policies.pick import Pick, pick
from antiphon.engine.access.tenants import create_tenant
from antiphon.engine.cancel import cancel
from antiphon.engine.claim import claim
from antiphon.engine.leases import give_queues_back, release
from antiphon.engine.queues.allotments import set_allotment
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.engine.queues.reservations import cancel_reservation, reserve
from antiphon.engine.queues.shares import Charges
from antiphon.engine.tasks import task_id
from queue_desk import QPU, WORKSPACE, Desk


def test_at_most_as_many_jobs_run_as_there_are_slots(desk: Desk) -> None:
    set_queue_policy(desk.ctx, target=QPU, slots=2, by="op")
    first, second, third = (desk.submit() for _ in range(3))
    assert desk.start() == [first, second]
    assert desk.start() == []
    desk.end(first)
    assert desk.start() == [third]


def test_what_was_asked_to_run_inline_waits_its_turn_too(desk: Desk) -> None:
    job = desk.job(desk.submit(execution="inline"))
    assert (job.status, job.executor) == (JobStatus.WAITING, "process")


def test_the_log_says_by_which_rule_a_job_was_started(desk: Desk) -> None:
    job_id = desk.submit(high=True)
    desk.start()
    with desk.ctx.store.read() as tx:
        assert [event.why for event in tx.events(job_id)][1] == "its priority is high"


def test_jobs_start_by_class_and_then_by_shares(desk: Desk) -> None:
    session = desk.open_session()
    standard, other = desk.submit("ann", planned_s=50), desk.submit("bob")
    high = desk.submit("ann", high=True, planned_s=50)
    inside = desk.submit("ann", session_id=session)
    again = desk.submit("bob")
    order = []
    while started := desk.start():
        order += started
        desk.end(started[0], seconds=desk.job(started[0]).planned_s)
    assert order == [inside, high, other, again, standard]


def test_several_are_picked_in_one_look_as_one_by_one(desk: Desk) -> None:
    """What the first charges counts for the second."""
    set_queue_policy(desk.ctx, target=QPU, slots=9, by="op")
    jobs = {user: [desk.submit(user, planned_s=10) for _ in range(3)] for user in ("ann", "bob", "cyd")}
    started = desk.start(7)
    assert started == [jobs[user][turn] for turn in range(3) for user in jobs][:7]


def test_a_share_is_charged_at_the_start_and_corrected_at_the_end(desk: Desk) -> None:
    job_id = desk.submit(planned_s=30)
    desk.start()
    assert desk.used().used == desk.used("ann").used == 30
    desk.end(job_id, seconds=4)
    assert desk.used().used == pytest.approx(4)
    assert desk.used("ann").used == pytest.approx(4)


def test_a_clock_that_was_ahead_for_a_moment_puts_nobody_last(desk: Desk) -> None:
    ahead = 1e9
    first = desk.submit("ann")
    desk.clock._now += ahead
    assert desk.start() == [first]
    desk.end(first)
    desk.clock._now -= ahead
    much = desk.submit("bob")
    assert desk.start() == [much]
    desk.end(much, seconds=100.0)
    ann, bob = desk.submit("ann"), desk.submit("bob")
    assert desk.start(1) == [ann]
    desk.end(ann)
    assert desk.start(1) == [bob]


def test_a_job_that_goes_back_into_the_queue_has_used_nothing(desk: Desk) -> None:
    desk.submit(planned_s=30)
    desk.start()
    release(desk.ctx)
    assert desk.used("ann").used == 0


def test_allotments_count_between_workspaces(desk: Desk) -> None:
    for name in ("small", "large"):
        create_tenant(desk.ctx, name, by="op")
    set_allotment(desk.ctx, workspace="large", weight=3, by="op")
    for name in ("small", "large"):
        for _ in range(8):
            desk.submit(workspace=name, planned_s=10)
    order = []
    for _ in range(8):
        (job_id,) = desk.start()
        order.append(desk.job(job_id).workspace)
        desk.end(job_id, seconds=10)
    assert (order.count("large"), order.count("small")) == (6, 2)


def test_a_job_that_was_cancelled_while_it_was_picked_is_passed_over(
    desk: Desk, other: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, next_one = desk.submit(), desk.submit("bob")
    seen: list[str] = []

    def picking(*asked: Any) -> Pick | None:
        chosen = pick(*asked)
        if chosen is not None and not seen:
            seen.append(chosen.job.id)
            # As another process would between the pick and the lock; SQLite has one writer, so within this one.
            tx = asked[0]._tx
            job = tx.job(chosen.job.id)
            event = JobEvent(trigger=JobTrigger.CANCEL_REQUESTED, at=asked[3], who="bob")
            tx.save_job(job, advance(job, event), event)
        return chosen

    monkeypatch.setattr("antiphon.engine.queues.taking.pick", picking)
    assert desk.start() == [next_one]
    assert seen == [gone]


def test_an_engine_that_is_closing_takes_nothing(desk: Desk) -> None:
    desk.submit()
    desk.ctx.closing.set()
    assert desk.start() == []
    assert desk.ctx.held == set()
    desk.ctx.closing.clear()


def test_what_could_not_be_committed_is_not_held(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.submit()

    def broken(*_: object) -> None:
        raise RuntimeError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Charges, "store", broken)
        with pytest.raises(RuntimeError, match="the disk is gone"):
            desk.start()
    assert desk.ctx.held == set()
    assert len(desk.start()) == 1


# --- who runs a queue


def test_one_engine_runs_a_queue_and_another_leaves_it_alone(desk: Desk, other: Desk) -> None:
    set_queue_policy(desk.ctx, target=QPU, slots=2, by="op")
    first, second = desk.submit(), desk.submit()
    assert desk.start(1) == [first]
    assert desk.state().owner is None, "it has no more room, and somebody waits"
    assert other.start(5) == [second]
    assert other.state().owner == other.ctx.engine_id
    third = desk.submit()
    desk.end(first)
    assert desk.start(1) == []
    assert other.start() == [third]


def test_an_engine_with_room_keeps_its_queue(desk: Desk, other: Desk) -> None:
    desk.submit()
    desk.start(5)
    assert desk.state().owner == desk.ctx.engine_id
    fence = desk.state().fence
    desk.submit()
    assert other.start() == []
    assert desk.state().fence == fence


def test_a_queue_that_came_to_wait_for_a_busy_engine_goes_to_another(desk: Desk, other: Desk) -> None:
    set_queue_policy(desk.ctx, target=QPU, slots=2, by="op")
    desk.submit()
    desk.start(1)
    late = desk.submit()
    assert other.start() == []
    assert desk.start(0) == []
    assert other.start() == [late]


def test_an_orderly_end_gives_queues_back_at_once(desk: Desk, other: Desk) -> None:
    job_id = desk.submit()
    desk.start()
    release(desk.ctx)
    assert other.start() == [job_id]
    assert other.job(job_id).fence == 2


def test_who_takes_no_more_leaves_the_queue_and_ends_what_runs(desk: Desk, other: Desk) -> None:
    first, second = desk.submit(), desk.submit()
    desk.start()
    give_queues_back(desk.ctx)
    assert other.start() == [], "the slot is taken"
    desk.end(first)
    assert other.start() == [second]


# --- targets that only workers limit


def test_targets_without_slots_take_turns(desk: Desk) -> None:
    """A long queue of one does not keep the workers from the others."""
    flood = [desk.submit(target="sim.auto", execution="process") for _ in range(4)]
    few = [desk.submit("bob", target="sim.mps", execution="process") for _ in range(2)]
    started = [job_id for _ in range(4) for job_id in desk.start(1)]
    assert {started[0], started[2]} == set(flood[:2])
    assert {started[1], started[3]} == set(few)
    assert set(desk.start(9)) == set(flood[2:])


def test_a_burst_fills_all_workers_even_if_one_target_has_few(desk: Desk) -> None:
    flood = [desk.submit(target="sim.auto", execution="process") for _ in range(6)]
    few = desk.submit(target="sim.mps", execution="process")
    assert set(desk.start(6)) == {*flood[:5], few}


def test_what_waits_without_slots_is_picked_by_shares(desk: Desk) -> None:
    flood = [desk.submit("ann", target="sim.auto", execution="process") for _ in range(3)]
    late = desk.submit("bob", target="sim.auto", execution="process")
    assert desk.start(2) == [flood[0], late]
    assert desk.used("bob", target="sim.auto").used > 0


def test_what_runs_at_its_submit_charges_nothing(desk: Desk) -> None:
    assert desk.job(desk.submit(target="sim.auto")).status is JobStatus.SUCCEEDED
    assert desk.used("ann", target="sim.auto").used == 0
    with desk.ctx.store.read() as tx:
        assert tx.queue_outcomes("sim.auto", 5) == []


# --- reservations


def test_in_a_reservation_only_its_workspace_starts(desk: Desk) -> None:
    create_tenant(desk.ctx, "guest", by="op")
    now = desk.clock.now()
    booked = reserve(desk.ctx, target=QPU, workspace="guest", starts_at=now, ends_at=now + 600, by="op")
    ours, theirs = desk.submit(), desk.submit(workspace="guest")
    assert desk.start() == [theirs]
    desk.end(theirs)
    assert desk.start() == []
    cancel_reservation(desk.ctx, booked.id, by="op")
    assert desk.start() == [ours]


def test_what_would_run_into_a_reservation_waits_for_its_end_and_shorter_jobs_go_before(desk: Desk) -> None:
    create_tenant(desk.ctx, "guest", by="op")
    now = desk.clock.now()
    reserve(desk.ctx, target=QPU, workspace="guest", starts_at=now + 100, ends_at=now + 200, by="op")
    long = desk.submit(high=True, planned_s=120)
    short = desk.submit("bob", planned_s=20)
    assert desk.start() == [short]
    desk.end(short)
    assert desk.start() == []
    desk.clock.advance(200)
    assert desk.start() == [long]


# --- what came of it


def test_the_end_of_a_job_from_the_queue_is_kept_for_estimates(desk: Desk) -> None:
    job_id = desk.submit(planned_s=3)
    desk.clock.advance(7)
    desk.start()
    done = desk.end(job_id, seconds=5)
    with desk.ctx.store.read() as tx:
        (outcome,) = tx.queue_outcomes(QPU, 5)
    assert (outcome.job_id, outcome.planned_s, outcome.run_s) == (job_id, 3, 5)
    assert outcome.wait_s == pytest.approx(7)
    assert outcome.estimate == done.estimate


def test_of_a_job_that_was_cancelled_nothing_is_learned(desk: Desk) -> None:
    waiting = desk.submit()
    cancel(desk.ctx, WORKSPACE, waiting, who="ann")
    with desk.ctx.store.read() as tx:
        assert tx.queue_outcomes(QPU, 5) == []
    assert desk.used("ann").used == 0


def test_claim_without_room_looks_at_nothing(desk: Desk) -> None:
    desk.submit()
    assert claim(desk.ctx, 0) == []
    assert desk.ctx.held == set()
    (job_id,) = desk.start()
    assert desk.ctx.held == {task_id(desk.started[job_id])}
