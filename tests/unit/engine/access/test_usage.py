from __future__ import annotations

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.jobs import JobEvent, JobTrigger, Stages, advance
from antiphon.domain.usage import UsageBy
from antiphon.engine.access.usage import DAY_S, last_days, summarise_usage
from antiphon.engine.context import EngineContext
from antiphon.errors import LimitError, NotFoundError
from stored_facts import make_job, submitted

MIDNIGHT = 1_699_920_000.0  # 2023-11-14T00:00:00Z
NOW = 1_700_000_000.0


def add_ended(ctx: EngineContext, at: float, who: str, target: str, seconds: float, workspace: str = "default") -> None:
    waiting = make_job(created_at=at, created_by=who, target=target, workspace=workspace)
    claim = JobEvent(trigger=JobTrigger.CLAIMED, at=at, who="eng", owner="eng")
    running = advance(waiting, claim)
    end = JobEvent(trigger=JobTrigger.SUCCEEDED, at=at, who="eng", stages=Stages(execute=seconds))
    with ctx.store.write() as tx:
        tx.add_job(waiting, submitted(waiting))
        tx.save_job(waiting, running, claim)
        tx.save_job(running, advance(running, end), end)


def test_the_last_days_are_whole_and_end_with_today() -> None:
    assert last_days(NOW, 1) == (MIDNIGHT, MIDNIGHT + DAY_S)
    assert last_days(NOW, 28) == (MIDNIGHT - 27 * DAY_S, MIDNIGHT + DAY_S)
    with pytest.raises(LimitError):
        last_days(NOW, 0)


@pytest.mark.parametrize(
    ("by", "sums"),
    [
        (UsageBy.TARGET, [("sim.auto", 2, 3.0), ("sim.other", 1, 4.0)]),
        (UsageBy.USER, [("ada", 2, 5.0), ("bob", 1, 2.0)]),
        (UsageBy.DAY, [(MIDNIGHT - DAY_S, 1, 1.0), (MIDNIGHT, 2, 6.0)]),
    ],
)
def test_jobs_are_summed_up(
    ctx: EngineContext, clock: ManualClock, by: UsageBy, sums: list[tuple[str | float, int, float]]
) -> None:
    add_ended(ctx, MIDNIGHT - 1, "ada", "sim.auto", 1.0)
    add_ended(ctx, MIDNIGHT, "bob", "sim.auto", 2.0)
    add_ended(ctx, MIDNIGHT + 5, "ada", "sim.other", 4.0)
    add_ended(ctx, MIDNIGHT + 5, "ada", "sim.other", 8.0, workspace="other")
    add_ended(ctx, MIDNIGHT - 40 * DAY_S, "ada", "sim.other", 16.0)
    since, until = last_days(clock.now(), 28)
    summary = summarise_usage(ctx, "default", since=since, until=until, by=by)
    assert [(each.key, each.jobs, each.seconds) for each in summary.sums] == sums
    assert (summary.total.jobs, summary.total.succeeded, summary.total.seconds) == (3, 3, 7.0)
    assert summary.total.shots == 3 * 1_000


@pytest.mark.parametrize(("since", "until"), [(5.0, 5.0), (6.0, 5.0), (-1.0, 5.0), (0.0, 1e10), (0.0, 1e300)])
def test_a_period_that_is_none_is_refused(ctx: EngineContext, since: float, until: float) -> None:
    with pytest.raises(LimitError) as caught:
        summarise_usage(ctx, "default", since=since, until=until)
    assert caught.value.code == "period-invalid"


def test_nothing_is_told_of_a_workspace_that_is_not_there(ctx: EngineContext) -> None:
    with pytest.raises(NotFoundError):
        summarise_usage(ctx, "other", since=0.0, until=DAY_S)
