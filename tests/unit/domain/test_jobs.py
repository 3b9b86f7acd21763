from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.domain.jobs import (
    JOB_TRANSITIONS,
    PROVIDER,
    Job,
    JobEvent,
    JobSpec,
    JobStatus,
    JobTrigger,
    Stages,
    StaleLeaseError,
    advance,
    as_told,
)
from antiphon.domain.transitions import TransitionRefusedError
from antiphon.domain.work import JobKind

LISTED = {(status, trigger) for status, trigger, _ in JOB_TRANSITIONS.rows()}
_SAID_AT_SUBMIT = (
    "id",
    "workspace",
    "spec",
    "name",
    "created_by",
    "created_at",
    "session_id",
    "key",
    "request_digest",
    "executor",
)


def _job(**changes: object) -> Job:
    spec = JobSpec(kind=JobKind.SAMPLE, target="sim.auto", pubs=(), seed=1)
    job = Job(id="job-1", workspace="w", spec=spec, name="n", created_by="ada", created_at=100.0)
    return dataclasses.replace(job, **changes)  # type: ignore[arg-type]


def _event(trigger: JobTrigger, at: float = 110.0, **given: object) -> JobEvent:
    return JobEvent(trigger=trigger, at=at, who="eng", **given)  # type: ignore[arg-type]


def _claimed() -> Job:
    return advance(_job(), _event(JobTrigger.CLAIMED, owner="eng"))


@st.composite
def _events(draw: st.DrawFn) -> JobEvent:
    trigger = draw(st.sampled_from(JobTrigger))
    return JobEvent(
        trigger=trigger,
        at=draw(st.floats(0, 1e10)),
        who="x",
        owner=draw(st.sampled_from(["eng-1", "eng-2"])) if trigger is JobTrigger.CLAIMED else None,
        fence=draw(st.one_of(st.none(), st.integers(0, 4))),
        error=draw(st.sampled_from([None, {"code": "x"}])),
        stages=draw(st.sampled_from([None, Stages(execute=1.0)])),
        provenance=draw(st.sampled_from([None, {"engine": "e"}])),
        cost=draw(st.sampled_from([(), ({"item": "seconds"},)])),
    )


@given(st.lists(_events(), max_size=25))
def test_no_order_of_events_breaks_a_job(events: list[JobEvent]) -> None:
    job = _job()
    for event in events:
        stale = event.fence is not None and event.fence != job.fence
        listed = (job.status, event.trigger) in LISTED
        if stale or not listed:
            with pytest.raises(StaleLeaseError if stale else TransitionRefusedError):
                advance(job, event)
            continue
        after = advance(job, event)
        assert not job.status.is_final
        assert after.version == job.version + 1
        assert after.fence == job.fence + (event.trigger is JobTrigger.CLAIMED)
        held = after.status in (JobStatus.EXECUTING, JobStatus.CANCELLATION_REQUESTED)
        assert (after.owner is not None) == held
        assert (after.ended_at is not None) == after.status.is_final
        assert (after.started_at is not None) == (after.fence > 0)
        assert after.error is None or after.status in (JobStatus.FAILED, JobStatus.CANCELLED)
        assert after.stages.queue is None or after.stages.queue >= 0
        asked = {name: getattr(after, name) for name in _SAID_AT_SUBMIT}
        assert asked == {name: getattr(job, name) for name in _SAID_AT_SUBMIT}
        job = after


def test_a_claim_takes_a_lease_and_ends_the_time_in_the_queue() -> None:
    job = advance(_job(stages=Stages(compile=0.5)), _event(JobTrigger.CLAIMED, at=107.5, owner="eng-1"))
    assert (job.status, job.owner, job.fence, job.attempts) == (JobStatus.EXECUTING, "eng-1", 1, 1)
    assert job.started_at == 107.5
    assert job.stages == Stages(compile=0.5, queue=7.5)


def test_a_lost_lease_sends_the_job_back_and_both_waits_count() -> None:
    lost = advance(_claimed(), _event(JobTrigger.LEASE_LOST, at=130.0))
    assert (lost.status, lost.owner, lost.queued_at) == (JobStatus.WAITING, None, 130.0)
    again = advance(lost, _event(JobTrigger.CLAIMED, at=135.0, owner="eng-2"))
    assert (again.fence, again.started_at) == (2, 110.0)
    assert again.stages.queue == 10.0 + 5.0


def _at_provider() -> Job:
    return advance(_job(executor=PROVIDER), _event(JobTrigger.CLAIMED, at=110.0, owner="eng"))


def test_at_a_provider_a_job_waits_until_that_starts_it() -> None:
    sent = _at_provider()
    assert (sent.status, sent.started_at, sent.stages.queue, sent.waits_there) == (
        JobStatus.EXECUTING, None, None, True,
    )  # fmt: skip
    assert as_told(sent).status is JobStatus.WAITING
    runs = advance(sent, _event(JobTrigger.STARTED, at=150.0, started_at=148.0))
    assert (runs.started_at, runs.stages.queue, runs.waits_there) == (148.0, 48.0, False)
    assert as_told(runs) is runs
    assert advance(runs, _event(JobTrigger.STARTED, at=160.0)).started_at == 148.0
    ended = advance(runs, _event(JobTrigger.SUCCEEDED, at=170.0, fence=1, stages=Stages(queue=48.0, execute=20.0)))
    assert (ended.started_at, ended.stages.queue) == (148.0, 48.0)
    assert as_told(_claimed()).status is JobStatus.EXECUTING


@pytest.mark.parametrize(("told", "start"), [(None, 160.0), (90.0, 100.0), (155.0, 155.0), (180.0, 170.0)])
def test_a_job_too_short_to_be_seen_running_began_when_its_provider_says(told: float | None, start: float) -> None:
    stages = Stages(execute=10.0, reconcile=0.1)
    ended = advance(_at_provider(), _event(JobTrigger.SUCCEEDED, at=170.0, fence=1, stages=stages, started_at=told))
    assert ended.started_at == start
    assert ended.stages == Stages(queue=start - 100.0, execute=10.0, reconcile=0.1)


def test_what_never_ran_at_its_provider_was_never_started() -> None:
    for status, trigger in (("Failed", JobTrigger.FAILED), ("Cancelled", JobTrigger.CANCELLED)):
        asked = advance(_at_provider(), _event(JobTrigger.CANCEL_REQUESTED))
        job = _at_provider() if trigger is JobTrigger.FAILED else asked
        ended = advance(job, _event(trigger, at=170.0, stages=Stages(execute=0.0)))
        assert (ended.status.value, ended.started_at, ended.stages.queue) == (status, None, 70.0)


def test_who_sees_a_job_through_changes_nothing_about_how_long_it_waits_at_its_provider() -> None:
    lost = advance(_at_provider(), _event(JobTrigger.LEASE_LOST, at=120.0))
    again = advance(lost, _event(JobTrigger.CLAIMED, at=130.0, owner="eng-2"))
    assert again.waits_there
    runs = advance(again, _event(JobTrigger.STARTED, at=150.0))
    assert (runs.started_at, runs.stages.queue) == (150.0, 50.0)
    left = advance(runs, _event(JobTrigger.LEASE_LOST, at=160.0))
    taken = advance(left, _event(JobTrigger.CLAIMED, at=165.0, owner="eng-3"))
    assert (taken.started_at, taken.stages.queue, taken.waits_there) == (150.0, 50.0, False)


def test_a_late_report_of_a_lost_lease_is_refused() -> None:
    again = advance(advance(_claimed(), _event(JobTrigger.LEASE_LOST)), _event(JobTrigger.CLAIMED, owner="eng-2"))
    with pytest.raises(StaleLeaseError) as caught:
        advance(again, _event(JobTrigger.SUCCEEDED, fence=1))
    assert caught.value.details == {"job": "job-1", "fence": 2, "reported": 1}
    assert advance(again, _event(JobTrigger.SUCCEEDED, fence=2)).status is JobStatus.SUCCEEDED


def test_the_end_of_an_execution_brings_its_facts() -> None:
    job = dataclasses.replace(_claimed(), provenance={"plan": 1}, cost=({"item": "a"},))
    stages = Stages(execute=1.0)
    ended = advance(
        job,
        _event(
            JobTrigger.SUCCEEDED, at=120.0, fence=1, stages=stages, provenance={"engine": "e"}, cost=({"item": "b"},)
        ),
    )
    assert (ended.status, ended.ended_at, ended.owner, ended.error) == (JobStatus.SUCCEEDED, 120.0, None, None)
    assert ended.stages == stages
    assert ended.provenance == {"plan": 1, "engine": "e"}
    assert ended.cost == ({"item": "a"}, {"item": "b"})


def test_a_failure_keeps_its_error_and_a_success_has_none() -> None:
    error = {"code": "x"}
    assert advance(_claimed(), _event(JobTrigger.FAILED, fence=1, error=error)).error == error
    assert advance(_claimed(), _event(JobTrigger.SUCCEEDED, fence=1, error=error)).error is None


def test_cancelling_a_waiting_job_ends_it_and_a_running_one_is_asked() -> None:
    assert advance(_job(), _event(JobTrigger.CANCEL_REQUESTED)).status is JobStatus.CANCELLED
    asked = advance(_claimed(), _event(JobTrigger.CANCEL_REQUESTED, at=111.0))
    assert (asked.status, asked.owner, asked.cancel_requested_at) == (JobStatus.CANCELLATION_REQUESTED, "eng", 111.0)
    assert advance(asked, _event(JobTrigger.CANCELLED, fence=1)).status is JobStatus.CANCELLED
    assert advance(asked, _event(JobTrigger.LEASE_LOST)).status is JobStatus.CANCELLED
    # It may have been too late; then what it brought counts.
    assert advance(asked, _event(JobTrigger.SUCCEEDED, fence=1)).status is JobStatus.SUCCEEDED


def test_the_stages_as_json() -> None:
    assert Stages(1.0, None, 2.0, None).to_json() == {
        "compile": 1.0,
        "queue": None,
        "execute": 2.0,
        "reconcile": None,
    }
