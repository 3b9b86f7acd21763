from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.jobs import JobStatus
from antiphon.engine.cancel import cancel
from antiphon.engine.context import EngineSettings
from antiphon.engine.results import outcomes_of
from antiphon.ports.provider import (
    AnswerLostError,
    ProviderJob,
    ProviderJobState,
    RefusedByProviderError,
    TransientProviderError,
)
from provider_jobs import WORKSPACE, Desk, desk
from scripted_provider import ScriptedProvider

LOST = AnswerLostError("The connection broke.")
BUSY = TransientProviderError("Try later.")


def test_a_job_is_sent_once_and_ends_as_its_provider_says(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    assert here.states(job_id) == ["accepted"]
    provider.end(cost=({"dimension": "shot", "total": 0.3},), seconds=2.5)
    here.see_through(followed)
    job, (line,) = here.job(job_id), here.lines(job_id)
    assert job.status is JobStatus.SUCCEEDED
    assert job.executor == "provider"
    assert job.stages.execute == 2.5
    assert (line.state, line.provider_id, line.key) == ("ended", "p1", f"{job_id}-0")
    assert [dict(cost) for cost in line.cost] == [{"dimension": "shot", "total": 0.3}]
    assert provider.sent == [line.key]


def test_a_batch_is_sent_as_a_whole(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit(programs=3)
    followed = here.take(job_id)
    here.step(followed)
    provider.end()
    here.see_through(followed)
    with here.ctx.store.read() as tx:
        items = tx.items(job_id)
    assert [item.status for item in items] == [JobStatus.SUCCEEDED] * 3
    assert len(here.lines(job_id)) == 1


def test_the_intent_is_written_before_anything_leaves(here: Desk, provider: ScriptedProvider) -> None:
    seen: list[list[str]] = []
    job_id = here.submit()
    provider.during = lambda: seen.append(here.states(job_id))
    here.step(here.take(job_id))
    assert seen == [["sent"]]


def test_what_passes_is_tried_again_each_try_on_a_line_of_its_own(here: Desk, provider: ScriptedProvider) -> None:
    provider.faults = [BUSY, BUSY, None]
    job_id = here.submit()
    followed = here.take(job_id)
    pauses = [here.step(followed) for _ in range(3)]
    first, second, third = sorted(here.lines(job_id), key=lambda line: line.intended_at)
    assert [line.state.value for line in (first, second, third)] == ["refused", "refused", "accepted"]
    assert (first.parent, second.parent, third.parent) == (None, first.id, second.id)
    assert first.error is not None
    assert first.error["code"] == "provider-busy"
    assert pauses[0] is not None
    assert pauses[1] is not None
    assert 0.5 <= pauses[0] <= 1.0 <= pauses[1] <= 1.5
    assert len(set(provider.sent)) == 1


def test_a_provider_says_when_to_come_back(here: Desk, provider: ScriptedProvider) -> None:
    provider.faults = [TransientProviderError("Try later.", details={"retry_after_s": 7})]
    assert here.step(here.take(here.submit())) == 7


def test_tries_are_bounded(tmp_path: Path) -> None:
    provider = ScriptedProvider(faults=[BUSY] * 100)
    with desk(tmp_path, provider, ManualClock(), EngineSettings(provider_tries=4)) as here:
        job_id = here.submit()
        here.see_through(here.take(job_id))
        job = here.job(job_id)
        assert job.status is JobStatus.FAILED
        assert job.error is not None
        assert (job.error["code"], job.error["cause"]) == ("provider-busy", "Try later.")
        assert here.states(job_id) == ["refused"] * 4
        assert len(provider.sent) == 4


def test_tries_are_counted_over_engines(tmp_path: Path) -> None:
    provider, clock = ScriptedProvider(faults=[BUSY] * 100), ManualClock()
    with desk(tmp_path, provider, clock, EngineSettings(provider_tries=4)) as here:
        job_id = here.submit()
        for _ in range(3):
            here.step(here.take(job_id))
            here.lose(job_id)
        here.see_through(here.take(job_id))
        assert here.job(job_id).status is JobStatus.FAILED
        assert len(provider.sent) == 4


def test_a_refusal_that_stays_ends_the_job_with_the_providers_words(here: Desk, provider: ScriptedProvider) -> None:
    provider.faults = [RefusedByProviderError("Your account is closed.")]
    job_id = here.submit()
    assert here.step(here.take(job_id)) is None
    job = here.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error["message"] == "Your account is closed."
    assert here.states(job_id) == ["refused"]


@pytest.mark.parametrize("error", [LOST, ValueError("no JSON")], ids=["lost", "unreadable"])
def test_a_lost_answer_puts_the_job_in_doubt(here: Desk, provider: ScriptedProvider, error: Exception) -> None:
    provider.faults = [(error,)]
    job_id = here.submit()
    here.step(here.take(job_id))
    assert here.states(job_id) == ["in doubt"]
    assert here.job(job_id).in_doubt
    assert here.job(job_id).status is JobStatus.EXECUTING
    assert here.log(job_id)[-1] == "in doubt"


def test_an_answer_about_another_job_counts_as_lost(here: Desk, provider: ScriptedProvider) -> None:
    provider.answers = [ProviderJob(id="p9", key="another", state=ProviderJobState.QUEUED)]
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    assert here.states(job_id) == ["in doubt"]
    here.step(followed)
    assert [line.provider_id for line in here.lines(job_id)] == ["p1"]


def test_a_provider_may_be_done_at_once(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    provider.answers = [ProviderJob(id="p1", key=f"{job_id}-0", state=ProviderJobState.SUCCEEDED)]
    followed = here.take(job_id)
    assert here.step(followed) == 0.0
    provider.end()
    assert here.step(followed) is None
    assert here.states(job_id) == ["ended"]


def test_cancelled_before_it_left_nothing_leaves(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    cancel(here.ctx, WORKSPACE, job_id, who="ada")
    here.see_through(followed)
    assert here.job(job_id).status is JobStatus.CANCELLED
    assert provider.sent == []
    assert here.lines(job_id) == []


def test_cancelled_between_two_tries_it_is_not_sent_again(here: Desk, provider: ScriptedProvider) -> None:
    provider.faults = [BUSY]
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    cancel(here.ctx, WORKSPACE, job_id, who="ada")
    here.see_through(followed)
    assert here.job(job_id).status is JobStatus.CANCELLED
    assert len(provider.sent) == 1


def test_an_engine_that_stood_still_sends_nothing(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    naps = iter([True])

    class Sleepy(ManualClock):
        def now(self) -> float:
            # The machine sleeps after `set_out` looked at the time, and wakes before the request leaves.
            if here.states(job_id)[-1:] == ["sent"] and next(naps, False):
                here.clock.advance(120.0)
            return here.clock.now()

    here.ctx.clock = Sleepy()
    here.step(followed)
    assert provider.sent == []
    assert here.states(job_id) == ["refused"]
    here.step(followed)
    assert len(provider.sent) == 1


def test_a_provider_that_gives_no_outcome_has_not_answered(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    provider.end(execution=None)
    here.see_through(followed)
    job = here.job(job_id)
    assert job.error is not None
    assert job.error["code"] == "provider-answer-unusable"
    assert here.states(job_id) == ["ended"]


def test_the_result_is_stored_with_the_end(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    provider.end()
    here.see_through(followed)
    assert len(outcomes_of(here.ctx, here.job(job_id))) == 1
