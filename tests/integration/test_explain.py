"""Why a job waits: whoever asks is told classes and rules, and nobody else's names."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from antiphon import Job, JobStatus, Workspace
from antiphon.client.embedded import EmbeddedConnection
from antiphon.domain.evolve import evolve
from antiphon.domain.policies.explain import Explanation
from antiphon.domain.policies.shares import Use
from antiphon.domain.queues import Access, Priority, QueuePolicy
from antiphon.engine.claim import claim
from antiphon.engine.context import EngineContext
from antiphon.engine.explain import explain
from antiphon.engine.queues.reservations import reserve
from antiphon.engine.tasks import task_id
from antiphon.errors import NotFoundError
from programs import BELL

pytestmark = pytest.mark.embedded

TARGET = "sim.auto"
Open = Callable[..., Workspace]


@pytest.fixture
def waiting(open_workspace: Open) -> Workspace:
    """A target with one slot whose queue nobody runs."""
    ws = open_workspace(dispatch=False)
    set_policy(context(ws))
    return ws


def context(ws: Workspace) -> EngineContext:
    assert isinstance(ws._connection, EmbeddedConnection)
    return ws._connection._ctx


def set_policy(ctx: EngineContext, **policy: Any) -> None:
    with ctx.store.write() as tx:
        before = tx.queue_policy(TARGET)
        version = 1 if before is None else before.version + 1
        tx.save_queue_policy(before, QueuePolicy(target=TARGET, version=version, **{"slots": 1, **policy}))


def stored_as(ws: Workspace, job: Job, **changes: Any) -> str:
    """Another's job, without a server: the same as `job`, of another workspace, user, priority or session."""
    ctx = context(ws)
    number = len(ws.jobs())
    with ctx.store.write() as tx:
        before = tx.job(job.id)
        assert before is not None
        other = evolve(before, id=f"job_other{number}{len(changes)}{changes.get('created_by', '')}", **changes)
        tx.add_job(other, [])
    return other.id


def explained(ws: Workspace, job: Job) -> Explanation:
    return explain(context(ws), workspace="default", job_id=job.id)


def submit(ws: Workspace, **options: Any) -> Job:
    return ws.target(TARGET).submit(BELL, shots=5, execution="process", **options)


def test_nothing_is_before_the_only_job(waiting: Workspace) -> None:
    found = explained(waiting, submit(waiting))
    assert (found.status, found.position, found.ahead, found.held, found.changes) == ("Waiting", 0, (), None, ())
    assert found.starts_bound == 4


def test_classes_and_rules_are_told_and_no_names(waiting: Workspace) -> None:
    job = submit(waiting)
    stored_as(waiting, job, workspace="secret-lab", created_by="mallory")
    stored_as(waiting, job, workspace="secret-lab", created_by="trent", priority=Priority.HIGH)
    stored_as(waiting, job, created_by="a colleague")
    found = explained(waiting, job)
    assert {(each.what, each.jobs) for each in found.ahead} == {
        ("jobs with high priority", 1),
        ("standard jobs, of other workspaces", 1),
        ("standard jobs, of others in your workspace", 1),
    }
    assert found.position == 3
    assert not found.at_least
    text = json.dumps(asdict(found))
    assert not any(name in text for name in ("secret-lab", "mallory", "trent"))
    assert any("session" in change for change in found.changes)
    assert any("High priority" in change for change in found.changes)
    # The one with high priority; the others are not older.
    assert found.starts_bound == 4 * (1 + 1)


def test_who_has_used_more_is_not_before_it(waiting: Workspace) -> None:
    ctx, job = context(waiting), submit(waiting)
    stored_as(waiting, job, workspace="secret-lab")
    with ctx.store.write() as tx:
        tx.save_share(TARGET, "secret-lab", "", Use(500.0, ctx.clock.now()))
    found = explained(waiting, job)
    assert found.position == 0
    assert found.standing is not None
    assert found.standing.used_s == 0.0
    assert found.standing.median_s == pytest.approx(500.0, rel=1e-3)
    with ctx.store.write() as tx:
        tx.save_share(TARGET, "default", "", Use(900.0, ctx.clock.now()))
    found = explained(waiting, job)
    assert found.position == 1
    assert any("allotment" in change for change in found.changes)


def test_older_jobs_of_one_s_own_come_first(waiting: Workspace) -> None:
    submit(waiting)
    found = explained(waiting, submit(waiting))
    assert [(each.rule, each.jobs) for each in found.ahead] == [("age", 1)]


def test_a_session_s_hold_is_told_as_a_class(waiting: Workspace) -> None:
    ctx = context(waiting)
    set_policy(ctx, access=Access.EXCLUSIVE)
    target = waiting.target(TARGET)
    with target.open_session() as session:
        held = target.submit(BELL, shots=5, execution="process")
        claimed = claim(ctx, 1)
        assert [job.id for job in claimed] == [held.id]
        changes = {"session_id": None, "status": JobStatus.WAITING, "owner": None, "fence": 0}
        outside = stored_as(waiting, held, workspace="other", **changes)
        found = explain(ctx, workspace="other", job_id=outside)
        assert found.held == "a session of another workspace"
        assert session.id not in json.dumps(asdict(found))
        assert any("The hold ends" in change for change in found.changes)
        after = stored_as(waiting, held, created_by="a colleague", **changes)
        found = explain(ctx, workspace="default", job_id=after)
        assert found.held == f"session {session.id} of this workspace"
        found = explained(waiting, target.submit(BELL, shots=5, execution="process"))
        assert (found.held, found.rule, found.position) == (None, "its session holds the target", 0)
    ctx.held.difference_update(task_id(job) for job in claimed)


def test_a_window_of_another_workspace_is_told(waiting: Workspace) -> None:
    ctx, job = context(waiting), submit(waiting)
    now = ctx.clock.now()
    reserve(
        ctx, target=TARGET, workspace="default", starts_at=now + 10, ends_at=now + 900, note="", by="tests", where=""
    )
    other = stored_as(waiting, job, workspace="other")
    found = explain(ctx, workspace="other", job_id=other)
    assert found.reservation is not None
    assert found.reservation.startswith("booked for another workspace from")
    assert explained(waiting, job).reservation is None


def test_a_job_that_runs_or_ended_says_so(open_workspace: Open) -> None:
    ws = open_workspace()
    set_policy(context(ws))
    job = submit(ws).wait(60)
    assert job.status is JobStatus.SUCCEEDED
    found = explained(ws, job)
    by = "it was started: its workspace and user had used least of their share"
    assert (found.status, found.position, found.rule) == ("Succeeded", None, by)
    assert str(found) == f"{job.id} is Succeeded; {by}"


def test_a_job_that_was_cancelled_before_it_started_says_so(waiting: Workspace) -> None:
    job = submit(waiting)
    job.cancel()
    assert explained(waiting, job).rule == "it was never started"


def test_a_job_of_another_workspace_is_not_there(waiting: Workspace) -> None:
    job = submit(waiting)
    with pytest.raises(NotFoundError):
        explain(context(waiting), workspace="other", job_id=job.id)
