from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.jobs import JobStatus
from antiphon.engine.cancel import cancel
from antiphon.engine.context import EngineContext, EngineSettings
from antiphon.engine.providers.followed import Followed
from antiphon.engine.providers.follower import ProviderFollower
from antiphon.engine.providers.step import step
from antiphon.ports.provider import ProviderJobState
from provider_jobs import WORKSPACE, Desk, desk
from scripted_provider import ScriptedProvider

PATIENCE_S = 30.0


@pytest.fixture
def follower(here: Desk) -> Iterator[ProviderFollower]:
    follower = ProviderFollower(here.ctx)
    here.ctx.follower = follower
    follower.start()
    yield follower
    follower.close()


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.005)


def begin(here: Desk, follower: ProviderFollower, over: list[str]) -> str:
    job_id = here.submit()
    follower.take(here.take(job_id).job, lambda: over.append(job_id))
    return job_id


def test_many_jobs_are_seen_through_by_few_threads(tmp_path: Path) -> None:
    others = threading.enumerate()
    provider, clock = ScriptedProvider(), ManualClock()
    with desk(tmp_path, provider, clock, EngineSettings(provider_calls=3)) as here:
        follower = ProviderFollower(here.ctx)
        here.ctx.follower = follower
        follower.start()
        over: list[str] = []
        jobs = [begin(here, follower, over) for _ in range(40)]
        wait_until(lambda: len(provider.jobs) == 40)
        mine = [thread for thread in threading.enumerate() if thread not in others]
        assert 1 <= sum(thread.name.startswith("antiphon-provider") for thread in mine) <= 3
        for each in list(provider.jobs):
            provider.end(each)

        def moved() -> bool:
            clock.advance(1.0)
            return len(over) == 40

        wait_until(moved)
        assert {here.job(job).status for job in jobs} == {JobStatus.SUCCEEDED}
        assert len(provider.sent) == 40
        assert not any(follower.has(f"{job}/1") for job in jobs)
        follower.close()


def test_between_two_looks_nothing_is_asked(here: Desk, provider: ScriptedProvider, follower: ProviderFollower) -> None:
    job_id = begin(here, follower, [])
    wait_until(lambda: here.states(job_id) == ["accepted"])
    wait_until(lambda: here.clock.num_waiting == 1)
    looks = provider.looks
    follower.nudge("job_of_nobody/1")
    time.sleep(0.05)
    assert provider.looks == looks


def test_a_cancelled_job_is_looked_at_at_once_and_only_once_more_often(
    here: Desk, provider: ScriptedProvider, follower: ProviderFollower
) -> None:
    over: list[str] = []
    job_id = begin(here, follower, over)
    wait_until(lambda: here.states(job_id) == ["accepted"])
    cancel(here.ctx, WORKSPACE, job_id, who="ada")
    for _ in range(5):
        here.ctx.stop_task(f"{job_id}/1")
    wait_until(lambda: provider.asked_to_stop == ["p1"])
    assert provider.looks <= 2
    provider.end(state=ProviderJobState.CANCELLED)

    def moved() -> bool:
        here.clock.advance(1.0)
        return over == [job_id]

    wait_until(moved)
    assert here.job(job_id).status is JobStatus.CANCELLED


def test_a_step_that_goes_wrong_on_our_side_is_made_again(
    here: Desk, provider: ScriptedProvider, follower: ProviderFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([ValueError("a fault of ours")])

    def failing(ctx: EngineContext, followed: Followed) -> float | None:
        for failure in failures:
            raise failure
        return step(ctx, followed)

    monkeypatch.setattr("antiphon.engine.providers.follower.step", failing)
    job_id = begin(here, follower, [])

    def moved() -> bool:
        here.clock.advance(1.0)
        return here.states(job_id) == ["accepted"]

    wait_until(moved)
    assert len(provider.sent) == 1


def test_closing_waits_for_an_answer_that_is_under_way(
    here: Desk, provider: ScriptedProvider, follower: ProviderFollower
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        assert go_on.wait(PATIENCE_S)

    provider.during = slow
    job_id = begin(here, follower, [])
    assert begun.wait(PATIENCE_S)
    threading.Timer(0.1, go_on.set).start()
    follower.close()
    assert here.states(job_id) == ["accepted"]
    follower.take(here.take(here.submit()).job, lambda: None)
    assert len(provider.sent) == 1


def test_a_clock_that_is_set_back_puts_no_look_off(
    here: Desk, provider: ScriptedProvider, follower: ProviderFollower
) -> None:
    job_id = begin(here, follower, [])
    wait_until(lambda: here.states(job_id) == ["accepted"])
    here.clock._now -= 86_400.0
    looks = provider.looks

    def moved() -> bool:
        here.clock.advance(10.0)
        follower._wake.set()  # as time that passes does, whatever the clock says
        return provider.looks > looks or here.clock.now() > until

    until = here.clock.now() + 3_600.0
    wait_until(moved)
    assert provider.looks > looks
