"""Queues, quotes, advice and explanations: the same calls and the same answers, embedded and behind a server."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from antiphon import AntiphonError, JobStatus, Workspace
from antiphon.client.embedded import EmbeddedConnection
from antiphon.client.target import Target
from antiphon.domain.policies.advice import Way
from antiphon.domain.queues import Access, Priority, Rank
from antiphon.engine.context import EngineContext
from antiphon.engine.prices import set_prices
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.engine.queues.reservations import cancel_reservation, reserve
from antiphon.errors import ConflictError, LimitError, NotFoundError, PermissionDeniedError, SessionEndedError
from programs import BELL, ENDLESS
from workspaces import SharedServer

QUEUED, PRICED = "sim.statevector", "sim.mps"


def context(ws: Workspace, shared: SharedServer) -> EngineContext:
    """The engine behind a workspace: what an operator of the service decides, is decided there."""
    connection = ws._connection
    return connection._ctx if isinstance(connection, EmbeddedConnection) else shared.engine.ctx


@pytest.fixture
def ctx(ws: Workspace, shared_server: SharedServer) -> EngineContext:
    return context(ws, shared_server)


@pytest.fixture
def queued(ws: Workspace, ctx: EngineContext) -> Iterator[Target]:
    """A target that runs one job at a time."""
    set_queue_policy(ctx, target=QUEUED, slots=1, access="exclusive", gap_s=5, by="the test")
    time.sleep(1.1)  # what a server knows of policies may be a second old
    yield ws.target(QUEUED)
    for job in ws.jobs(target=QUEUED):
        job.cancel()
    set_queue_policy(ctx, target=QUEUED, slots=None, access="shared", gap_s=60, by="the test")


@pytest.fixture
def priced(ws: Workspace, ctx: EngineContext) -> Iterator[Target]:
    """A target that charges for each job and shot."""
    set_prices(ctx, target=PRICED, prices={"currency": "EUR", "per_task": 1, "per_shot": 0.01}, by="the test")
    time.sleep(1.1)
    yield ws.target(PRICED)
    set_prices(ctx, target=PRICED, prices={"currency": "EUR"}, by="the test")


def test_a_job_has_the_priority_that_was_asked_for(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    asked = [
        target.submit(BELL, 10),
        target.submit(BELL, 10, priority="high"),
        target.submit(BELL, 10, priority="High"),
    ]
    assert [job.priority for job in asked] == [Priority.STANDARD, Priority.HIGH, Priority.HIGH]
    assert target.submit_batch([BELL] * 2, 10, priority="High").priority is Priority.HIGH
    assert asked[1].record["priority"] == "High"
    assert ws.job(asked[1].id).priority is Priority.HIGH
    assert sorted(job.priority.value for job in ws.jobs()) == ["High", "High", "High", "Standard"]
    assert not asked[1].in_doubt
    with pytest.raises(LimitError) as refused:
        target.submit(BELL, 10, priority="urgent")
    assert refused.value.code == "priority-unknown"


def test_a_session_keeps_its_limits_and_says_what_it_used(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    session = target.open_session(max_jobs=2, max_seconds=100, max_cost=10)
    for _ in range(2):
        target.submit(BELL, 10).wait(60)
    with pytest.raises(SessionEndedError) as refused:
        target.submit(BELL, 10)
    assert refused.value.code == "session-limit"
    facts = session.facts
    assert (facts.max_jobs, facts.max_seconds, facts.max_cost) == (2, 100, 10)
    assert facts.used_seconds > 0
    assert (session.access, session.holding_since) == (Access.SHARED, None)


def test_a_queue_says_where_it_stands_and_a_job_why_it_waits(ws: Workspace, queued: Target) -> None:
    assert (queued.slots, queued.access) == (1, "exclusive")
    running = queued.submit(ENDLESS, 10)
    while running.status is JobStatus.WAITING:
        time.sleep(0.02)
    first, second = (queued.submit(BELL, 10, priority=priority) for priority in ("Standard", "High"))
    view = queued.queue()
    assert view.policy.access is Access.EXCLUSIVE
    assert view.running == 1
    assert {each.rank: each.jobs for each in view.waiting} == {
        Rank.SESSION_HIGH: 0, Rank.SESSION: 0, Rank.HIGH: 1, Rank.STANDARD: 1,
    }  # fmt: skip
    assert set(view.waits) == set(Priority)
    assert "1 of 1 running, 2 waiting (1 High, 1 Standard)" in str(view)
    told = first.explain()
    assert (told.status, told.position) == ("Waiting", 1)
    assert [(each.jobs, each.rule) for each in told.ahead] == [(1, "priority")]
    assert any("session" in each for each in told.changes)
    assert "waits behind 1" in str(told)
    assert "<pre" in told._repr_html_()
    assert second.explain().position == 0
    quote = first.quote
    assert quote is not None
    assert quote.wait.p95 >= quote.wait.p50 >= 0
    assert first.expected.wait.p95 > 0
    running.cancel()
    assert first.wait(60).status is JobStatus.SUCCEEDED
    assert first.explain().position is None
    assert first.expected.notes == ("it has ended",)


def test_a_session_that_holds_its_target_says_since_when(ws: Workspace, queued: Target) -> None:
    began = time.time()
    session = queued.open_session(name="loop")
    queued.submit(BELL, 10).wait(60)
    assert session.access is Access.EXCLUSIVE
    since = session.holding_since
    assert since is not None
    assert since >= began - 1
    hold = queued.queue().hold
    assert hold is not None
    assert hold.session == session.id
    assert hold.since == pytest.approx(since, abs=1e-3)
    session.close()
    assert session.holding_since is None
    assert queued.queue().hold is None


def test_what_a_job_costs_is_told_before_and_after(ws: Workspace, priced: Target) -> None:
    stored = priced.prices()
    assert stored is not None
    assert stored.body["per_task"] == 1
    assert ws.target("sim.auto").prices() is None
    quote = priced.quote(BELL, 50)
    assert quote.cost is not None
    assert [quote.cost.p50, quote.cost.p95] == pytest.approx([1.5, 1.5])
    assert quote.currency == "EUR"
    assert "1.5 EUR" in str(quote)
    batch = priced.quote([BELL, BELL], 50)
    assert batch.cost is not None
    assert batch.cost.p50 == pytest.approx(2.0)  # one task, twice the shots
    exact = ws.target("sim.auto").quote(BELL, None, observable={"ZZ": 1.0})
    assert exact.cost is None
    assert ws.jobs() == []
    job = priced.submit(BELL, 50).wait(60)
    assert sum(line["amount"] for line in job.facts.cost) == pytest.approx(1.5)
    assert job.expected.cost is not None
    assert job.expected.cost.p50 == pytest.approx(1.5)


def test_advice_names_the_cheapest_way(priced: Target) -> None:
    advice = priced.advise(BELL, 50, jobs=10, classical=2.0)
    assert advice.cheapest is Way.BATCH
    totals = {option.way: option.bill.total for option in advice.options if option.bill is not None}
    assert totals == {Way.BATCH: pytest.approx(6.0), Way.JOBS: pytest.approx(15.0), Way.SESSION: pytest.approx(15.0)}
    assert all(option.wall_s >= 18 for option in advice.options)
    assert "6.00 EUR" in str(advice)


def test_windows_that_are_booked_are_told(ws: Workspace, ctx: EngineContext, queued: Target) -> None:
    start = time.time() + 1_000
    workspace = ws._connection.workspace
    own = reserve(ctx, target=QUEUED, workspace=workspace, starts_at=start, ends_at=start + 10, note="n", by="op")
    try:
        [seen] = ws.reservations(QUEUED)
        assert (seen.id, seen.workspace, seen.note) == (own.id, workspace, "n")
        assert seen.starts_at == pytest.approx(start, abs=1e-3)
        following = queued.queue().next_reservation
        assert following is not None
        assert following.id == own.id
    finally:
        cancel_reservation(ctx, own.id, by="op")
    assert ws.reservations(QUEUED) == []
    with pytest.raises(LimitError) as refused:
        ws.reserve(QUEUED, "tomorrow", "later")
    assert refused.value.code == "reservation-invalid"


def test_only_what_is_in_doubt_is_resolved(ws: Workspace) -> None:
    job = ws.target("sim.auto").submit(BELL, 10).wait(60)
    with pytest.raises(ConflictError) as refused:
        job.resolve(arrived=False)
    assert refused.value.code == "job-not-in-doubt"


def test_who_may_decide_decides(ws: Workspace) -> None:
    target = ws.target(QUEUED)
    if isinstance(ws._connection, EmbeddedConnection):
        assert target.set_queue(slots=2, gap_s=9).policy.slots == target.slots == 2
        assert target.set_prices({"currency": "EUR", "per_shot": 1}).version == 1
        now = time.time()
        window = ws.reserve(QUEUED, now + 60, now + 120)
        assert ws.cancel_reservation(window.id).cancelled_at is not None
        with pytest.raises(NotFoundError):
            ws.cancel_reservation("res_nothing")
        return
    for decide in (
        lambda: target.set_queue(slots=2),
        lambda: target.set_prices({"currency": "EUR"}),
        lambda: ws.reserve(QUEUED, time.time() + 60, time.time() + 120),
        lambda: ws.cancel_reservation("res_nothing"),
    ):
        with pytest.raises(PermissionDeniedError) as refused:
            decide()
        assert refused.value.code == "operators-of-the-service-only"


def test_what_is_wrong_about_a_quote_is_said_in_the_same_words(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    told = []
    for wrong in (
        lambda: target.quote(BELL, 0),
        lambda: target.quote([BELL], 10, parameters=[None, None]),
        lambda: target.advise(BELL, 10, jobs=0),
        lambda: target.submit(BELL, bond=3),
    ):
        with pytest.raises(AntiphonError) as refused:
            wrong()
        told.append(refused.value.code)
    assert told[0] == "shots-invalid"
