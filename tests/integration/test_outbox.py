"""Every way in which a job or session ends, and what the outbox then holds: one delivery, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon import Workspace
from antiphon.adapters.clocks import ManualClock
from antiphon.client.embedded import EmbeddedConnection
from antiphon.domain.webhooks import Delivery
from antiphon.engine import webhooks
from antiphon.engine.access.tenants import ensure_tenant
from antiphon.engine.claim import claim
from antiphon.engine.context import EngineContext
from antiphon.engine.leases import put_back_orphans
from antiphon.engine.outbox import deliveries_for
from antiphon.engine.record import record
from antiphon.engine.sessions import check_due_sessions
from antiphon.errors import AntiphonError, ExecutionError, LimitError
from antiphon.ports.executor import Report
from antiphon.ports.webhook_store import DeliveryQuery
from programs import BELL, ENDLESS

WS = "default"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ws(tmp_path: Path, clock: ManualClock) -> Iterator[Workspace]:
    """Runs what is cheap enough for its own process; everything else waits."""
    with Workspace(tmp_path, clock=clock, workers=0, dispatch=False) as workspace:
        yield workspace


@pytest.fixture
def ctx(ws: Workspace) -> EngineContext:
    connection = ws._connection
    assert isinstance(connection, EmbeddedConnection)
    return connection._ctx


@pytest.fixture(autouse=True)
def endpoint(ctx: EngineContext) -> str:
    return webhooks.create_endpoint(ctx, workspace=WS, url="https://hooks.example/", by="ada").id


def outbox(ctx: EngineContext, workspace: str = WS) -> list[tuple[str, str]]:
    """Type and subject of each delivery, oldest first."""
    return [(each.type, each.subject) for each in lines(ctx, workspace)]


def lines(ctx: EngineContext, workspace: str = WS) -> list[Delivery]:
    return sorted(webhooks.list_deliveries(ctx, DeliveryQuery(workspace)), key=lambda each: each.id)


def test_a_job_that_succeeds_is_told_once_with_the_facts(ws: Workspace, ctx: EngineContext) -> None:
    job = ws.target("sim.auto").submit(BELL, shots=10, name="bell")
    job.result()
    [delivery] = lines(ctx)
    assert delivery.body == {
        "specversion": "1.0",
        "id": delivery.body["id"],
        "source": "urn:antiphon:workspace:default",
        "type": "job.succeeded",
        "subject": job.id,
        "time": "2023-11-14T22:13:20.000000Z",
        "datacontenttype": "application/json",
        "data": {
            "id": job.id,
            "name": "bell",
            "status": "Succeeded",
            "target": "sim.auto",
            "session_id": None,
            "links": {
                "self": f"/v1/jobs/{job.id}",
                "result": f"/v1/jobs/{job.id}/result",
                "record": f"/v1/jobs/{job.id}/record",
            },
        },
    }
    assert (delivery.next_at, delivery.attempts) == (ctx.clock.now(), 0)


def test_a_job_that_waits_and_is_cancelled_is_told(ws: Workspace, ctx: EngineContext) -> None:
    job = ws.target("sim.auto").submit(ENDLESS, shots=1)
    assert outbox(ctx) == []
    job.cancel()
    job.cancel()
    assert outbox(ctx) == [("job.cancelled", job.id)]


def test_a_job_that_fails_is_told_and_a_late_or_repeated_report_changes_nothing(
    ws: Workspace, ctx: EngineContext
) -> None:
    job = ws.target("sim.auto").submit(ENDLESS, shots=1)
    [lost] = claim(ctx, 1)
    ctx.held.clear()
    put_back_orphans(ctx)
    [held] = claim(ctx, 1)
    report = Report(None, ExecutionError("It broke."), 1.0)
    assert record(ctx, lost, report).job.status.value == "Executing"
    assert outbox(ctx) == []
    assert record(ctx, held, report).job.status.value == "Failed"
    with ctx.store.read() as tx:
        before = tx.job(job.id), tx.events(job.id)
    for late in (held, lost):
        assert record(ctx, late, report).job.status.value == "Failed"
        assert record(ctx, late, Report(None, ExecutionError("Another story."), 2.0)).job == before[0]
    with ctx.store.read() as tx:
        assert (tx.job(job.id), tx.events(job.id)) == before
    assert outbox(ctx) == [("job.failed", job.id)]


def test_what_is_rolled_back_is_never_told(ws: Workspace, ctx: EngineContext) -> None:
    job = ws.target("sim.auto").submit(BELL)
    told = outbox(ctx)
    with ctx.store.read() as tx:
        stored = tx.job(job.id)
    assert stored is not None
    with pytest.raises(RuntimeError), ctx.store.write() as tx:
        tx.add_deliveries(deliveries_for(tx, stored))
        raise RuntimeError
    assert outbox(ctx) == told


def test_a_session_ends_with_its_last_job_after_close(ws: Workspace, ctx: EngineContext) -> None:
    target = ws.target("sim.auto")
    with target.open_session() as session:
        waiting = target.submit(ENDLESS, shots=1)
        session.close()
        assert outbox(ctx) == []
        waiting.cancel()
    assert outbox(ctx) == [("job.cancelled", waiting.id), ("session.ended", session.id)]
    data = lines(ctx)[1].body["data"]
    assert (data["status"], data["links"]["jobs"]) == ("Succeeded", f"/v1/sessions/{session.id}/jobs")


def test_a_session_that_is_closed_or_cancelled_is_told_once(ws: Workspace, ctx: EngineContext) -> None:
    target = ws.target("sim.auto")
    closed = target.open_session()
    closed.close()
    closed.close()
    cancelled = target.open_session()
    waiting = target.submit(ENDLESS, shots=1)
    cancelled.cancel()
    assert outbox(ctx)[0] == ("session.ended", closed.id)
    assert sorted(outbox(ctx)[1:]) == [("job.cancelled", waiting.id), ("session.ended", cancelled.id)]


@pytest.mark.parametrize("limit", ["idle", "total"])
def test_a_session_whose_time_is_up_is_told_once(
    ws: Workspace, ctx: EngineContext, clock: ManualClock, limit: str
) -> None:
    target = ws.target("sim.auto")
    session = target.open_session(idle_limit=50, total_limit=100)
    if limit == "total":
        waiting = target.submit(ENDLESS, shots=1)
    clock.advance(101)
    check_due_sessions(ctx)
    check_due_sessions(ctx)
    found = sorted(outbox(ctx))
    assert found.count(("session.ended", session.id)) == 1
    assert found[:-1] == ([("job.failed", waiting.id)] if limit == "total" else [])


def test_a_failure_that_aborts_a_session_tells_both(ws: Workspace, ctx: EngineContext) -> None:
    target = ws.target("sim.auto")
    session = target.open_session()
    first, second = (target.submit(ENDLESS, shots=1) for _ in range(2))
    [claimed] = claim(ctx, 1)
    record(ctx, claimed, Report(None, ExecutionError("It broke."), 1.0))
    assert sorted(outbox(ctx)) == [
        ("job.cancelled", second.id),
        ("job.failed", first.id),
        ("session.ended", session.id),
    ]


def test_a_program_that_became_no_job_is_not_told(ws: Workspace, ctx: EngineContext) -> None:
    with pytest.raises(AntiphonError):
        ws.target("sim.auto").submit("no program at all")
    assert outbox(ctx) == []


def test_each_endpoint_of_the_very_workspace_gets_what_it_wants(ws: Workspace, ctx: EngineContext) -> None:
    ensure_tenant(ctx, "others", by="ada")
    other = webhooks.create_endpoint(ctx, workspace="others", url="https://hooks.example/", by="bob")
    picky = webhooks.create_endpoint(
        ctx, workspace=WS, url="https://hooks.example/", events=["session.ended", "job.failed"], by="ada"
    )
    silent = webhooks.create_endpoint(ctx, workspace=WS, url="https://hooks.example/", by="ada")
    webhooks.change_endpoint(ctx, workspace=WS, endpoint_id=silent.id, enabled=False, by="ada")
    target = ws.target("sim.auto")
    with target.open_session():
        target.submit(BELL).result()
    found = lines(ctx)
    assert sorted(each.type for each in found if each.endpoint == picky.id) == ["session.ended"]
    assert not [each for each in found if each.endpoint in {other.id, silent.id}]
    assert outbox(ctx, "others") == []
    ended = [each for each in found if each.type == "session.ended"]
    assert len({each.id for each in ended}) == 2
    assert len({each.body["id"] for each in ended}) == 1


def test_a_workspace_has_only_so_many_endpoints(ctx: EngineContext) -> None:
    for _ in range(webhooks.MOST_ENDPOINTS - 1):
        webhooks.create_endpoint(ctx, workspace=WS, url="https://hooks.example/", by="ada")
    with pytest.raises(LimitError) as refused:
        webhooks.create_endpoint(ctx, workspace=WS, url="https://hooks.example/", by="ada")
    assert refused.value.code == "endpoints-exceeded"
