from __future__ import annotations

import pytest

from antiphon.domain.jobs import JobStatus
from antiphon.domain.quotas import Dimension, Period
from antiphon.domain.results import Execution, Sampled
from antiphon.domain.work import JobKind, Plan, Work
from antiphon.engine.access.limits import set_quota
from antiphon.engine.cancel import cancel
from antiphon.engine.providers.followed import Followed
from antiphon.engine.results import outcomes_of
from antiphon.errors import ExecutionError
from antiphon.ports.provider import (
    AnswerLostError,
    ProviderJobState,
    RefusedByProviderError,
    TransientProviderError,
)
from provider_jobs import WORKSPACE, Desk
from scripted_provider import TARGET, ScriptedProvider

NO_PLAN = Plan((), (), 0.0, 0, safe_inline=False)
LOST = AnswerLostError("The connection broke.")


def test_in_doubt_and_there_it_goes_on_without_a_second_sending(here: Desk, provider: ScriptedProvider) -> None:
    provider.faults = [(LOST,)]
    job_id = here.submit()
    followed = here.take(job_id)
    here.see_through(followed, until=lambda: here.states(job_id) == ["accepted"])
    assert not here.job(job_id).in_doubt
    provider.end()
    here.see_through(followed)
    assert here.job(job_id).status is JobStatus.SUCCEEDED
    assert here.log(job_id) == ["submitted", "claimed", "in doubt", "resolved", "succeeded"]
    assert len(provider.sent) == 1


def test_outcomes_that_looks_do_not_tell_are_fetched_as_often_as_it_takes(
    here: Desk, provider: ScriptedProvider
) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    outcome = Sampled((), ({"00": 7, "11": 3},), 10)
    provider.fetched = [TransientProviderError("Busy."), Execution((outcome,), {"engine": "far away"})]
    provider.end(execution=None)
    here.see_through(followed)
    assert here.job(job_id).status is JobStatus.SUCCEEDED
    assert outcomes_of(here.ctx, here.job(job_id)) == (outcome,)
    assert provider.fetched == []
    assert here.states(job_id) == ["ended"]


def test_in_doubt_and_not_there_it_is_sent_again_once_nothing_can_be_on_its_way(
    here: Desk, provider: ScriptedProvider
) -> None:
    provider.faults = [LOST]
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    began = here.clock.now()
    here.see_through(followed, until=lambda: here.states(job_id)[-1] == "accepted")
    assert here.clock.now() - began >= provider.settle_seconds - 0.2
    assert here.states(job_id) == ["refused", "accepted"]
    first, second = here.lines(job_id)
    assert second.parent == first.id
    assert (
        second.key == first.key
    )  # if the first arrives after all, a provider that knows keys sees that it is the same
    assert len(provider.sent) == 2


def test_one_old_listing_is_not_enough_to_send_again(
    here: Desk, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.faults = [(LOST,)]
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    here.clock.advance(provider.settle_seconds)
    with monkeypatch.context() as patch:
        patch.setattr(provider, "find", lambda *_: None)
        here.step(followed)
    assert here.states(job_id) == ["in doubt"]
    here.step(followed)
    assert here.states(job_id) == ["accepted"]
    assert len(provider.sent) == 1


def test_what_arrives_while_it_is_looked_for_is_found(here: Desk, provider: ScriptedProvider) -> None:
    provider.faults = [LOST]
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    here.step(followed)
    assert here.states(job_id) == ["in doubt"]
    provider.faults = [(LOST,)]
    with pytest.raises(AnswerLostError):
        provider.send(f"{job_id}-0", Work(JobKind.SAMPLE, ()), NO_PLAN)  # the request was kept back on its way
    here.step(followed)
    assert here.states(job_id) == ["accepted"]


def test_in_doubt_nothing_is_sent_while_the_provider_cannot_be_asked(here: Desk, provider: ScriptedProvider) -> None:
    provider.faults = [LOST]
    provider.reachable = False
    job_id = here.submit()
    followed = here.take(job_id)
    for _ in range(30):
        here.step(followed)
    assert here.states(job_id) == ["in doubt"]
    assert here.job(job_id).status is JobStatus.EXECUTING
    assert len(provider.sent) == 1


def test_looks_come_less_and_less_often(here: Desk, provider: ScriptedProvider) -> None:
    followed = here.take(here.submit())
    here.step(followed)
    pauses = [here.step(followed) for _ in range(20)]
    assert pauses[:4] == pytest.approx([0.2, 0.3, 0.45, 0.675])
    assert pauses[-1] == 30.0


def test_a_provider_that_cannot_be_asked_fails_nothing_and_the_log_says_so_once(
    here: Desk, provider: ScriptedProvider
) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    provider.reachable = False
    for _ in range(50):
        here.step(followed)
    assert here.job(job_id).status is JobStatus.EXECUTING
    assert here.log(job_id).count("provider unreachable") == 1
    provider.reachable = True
    provider.end()
    here.see_through(followed)
    assert here.job(job_id).status is JobStatus.SUCCEEDED
    assert here.log(job_id)[-2:] == ["provider reached", "succeeded"]


def test_the_reason_of_a_failure_is_kept_at_once(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    provider.end(state=ProviderJobState.FAILED, error=ExecutionError("It is too warm.", code="too-warm"))
    here.see_through(followed)
    job, (line,) = here.job(job_id), here.lines(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert line.error is not None
    assert job.error["code"] == line.error["code"] == "too-warm"
    assert len(provider.sent) == 1


def test_a_job_that_its_provider_forgot_fails(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    provider.jobs.clear()
    here.see_through(followed)
    job = here.job(job_id)
    assert job.error is not None
    assert job.error["code"] == "provider-lost-it"
    assert here.states(job_id) == ["ended"]


def test_cancelling_asks_the_provider_once_and_the_job_ends_as_it_says(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    cancel(here.ctx, WORKSPACE, job_id, who="ada")
    for _ in range(5):
        here.step(followed)
    assert provider.asked_to_stop == ["p1"]
    assert here.job(job_id).status is JobStatus.CANCELLATION_REQUESTED
    provider.end(state=ProviderJobState.CANCELLED)
    here.see_through(followed)
    assert here.job(job_id).status is JobStatus.CANCELLED
    assert here.states(job_id) == ["ended"]


def test_what_was_too_late_to_cancel_may_still_succeed(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    cancel(here.ctx, WORKSPACE, job_id, who="ada")
    provider.end()
    here.see_through(followed)
    assert here.job(job_id).status is JobStatus.SUCCEEDED
    assert here.log(job_id)[-2:] == ["cancel requested", "succeeded"]


def test_cancelled_in_doubt_and_not_there_it_is_not_sent_again(here: Desk, provider: ScriptedProvider) -> None:
    provider.faults = [LOST]
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    cancel(here.ctx, WORKSPACE, job_id, who="ada")
    here.see_through(followed)
    assert here.job(job_id).status is JobStatus.CANCELLED
    assert here.states(job_id) == ["refused"]
    assert len(provider.sent) == 1


def test_a_job_that_its_provider_cancelled_unasked_has_failed(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    provider.end(state=ProviderJobState.CANCELLED)
    here.see_through(followed)
    job = here.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error["code"] == "provider-cancelled"


def test_a_job_has_its_time_from_when_it_runs_there(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit(max_seconds=60.0)
    followed = here.take(job_id)
    here.step(followed)
    for _ in range(30):
        here.step(followed)  # minutes in the provider's queue
    assert provider.asked_to_stop == []
    provider.end(state=ProviderJobState.RUNNING)
    here.see_through(followed, until=lambda: bool(provider.asked_to_stop))
    provider.end(state=ProviderJobState.CANCELLED)
    here.see_through(followed)
    job = here.job(job_id)
    assert job.error is not None
    assert job.error["code"] == "provider-timeout"


def test_the_time_of_a_job_goes_on_when_another_engine_sees_it_through(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit(max_seconds=600.0)
    followed = here.take(job_id)
    here.step(followed)
    provider.end(state=ProviderJobState.RUNNING)
    here.see_through(followed, until=lambda: here.job(job_id).started_at is not None)
    here.clock.advance(599.0)
    again = Followed(here.job(job_id), lambda: None, provider.poll_seconds)
    here.step(again)
    assert provider.asked_to_stop == []
    here.clock.advance(2.0)
    here.step(again)
    here.step(again)
    assert provider.asked_to_stop == ["p1"]


def test_a_job_that_is_cancelled_while_it_waits_there_never_ran(here: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    here.clock.advance(1_000.0)
    cancel(here.ctx, WORKSPACE, job_id, who="ada")
    here.step(followed)
    provider.end(state=ProviderJobState.CANCELLED)
    here.see_through(followed)
    job = here.job(job_id)
    assert (job.status, job.started_at, job.stages.execute) == (JobStatus.CANCELLED, None, 0.0)
    assert job.stages.queue is not None
    assert job.stages.queue >= 1_000.0


@pytest.mark.parametrize("state", [ProviderJobState.SUCCEEDED, ProviderJobState.FAILED])
def test_what_a_job_waited_there_is_not_taken_for_running(
    here: Desk, provider: ScriptedProvider, state: ProviderJobState
) -> None:
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    here.clock.advance(1_000.0)
    here.step(followed)  # still waits
    here.clock.advance(3.0)
    provider.end(state=state)
    here.see_through(followed)
    job = here.job(job_id)
    assert job.stages.execute is not None
    assert 3.0 <= job.stages.execute < 100.0
    assert job.stages.queue is not None
    assert job.stages.queue >= 1_000.0


def test_what_cannot_be_stopped_is_waited_for(
    here: Desk, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(provider_id: str) -> None:
        raise RefusedByProviderError("It runs already.")

    monkeypatch.setattr(provider, "cancel", refuse)
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    cancel(here.ctx, WORKSPACE, job_id, who="ada")
    here.step(followed)
    provider.end()
    here.see_through(followed)
    assert here.job(job_id).status is JobStatus.SUCCEEDED


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -5.0])
@pytest.mark.parametrize("amount", [float("nan"), float("-inf"), "a lot", None])
def test_a_bill_that_cannot_be_read_loses_no_result(
    here: Desk, provider: ScriptedProvider, seconds: float, amount: object
) -> None:
    quotas = [
        set_quota(here.ctx, workspace=WORKSPACE, dimension=each, limit=1e9, period=Period.NONE, by="root")[0].quota.id
        for each in Dimension
    ]
    job_id = here.submit()
    followed = here.take(job_id)
    here.step(followed)
    provider.end(seconds=seconds, cost=({"dimension": "shot", "amount": amount}, {"amount": "1.5"}))
    here.see_through(followed)
    job = here.job(job_id)
    assert job.status is JobStatus.SUCCEEDED
    assert [line["amount"] for line in job.cost] == [0.0, 1.5]
    assert job.cost[0]["told"] == str(amount)
    with here.ctx.store.read() as tx:
        used = [tx.quota_use(quota, 0.0) for quota in quotas]
        shares = [use.used for _, _, use in tx.shares(TARGET)]
    assert all(0.0 <= each.used < 100.0 and each.held == 0.0 for each in used)
    assert all(0.0 <= each < 100.0 for each in shares)
