from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from antiphon.adapters.telemetry.job_spans import JobSpans, stage_times
from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobEvent, JobTrigger, Stages, advance
from stored_facts import make_job

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ERROR = {"code": "program-failed", "message": "it fell over", "details": {}}


def happen(job: Job, trigger: JobTrigger, after: float, **more: Any) -> Job:
    event = JobEvent(trigger=trigger, at=job.created_at + after, who="eng-1", **more)
    return advance(job, event)


def finished(**changes: Any) -> Job:
    job = happen(make_job(stages=Stages(compile=0.5), **changes), JobTrigger.CLAIMED, 2.0, owner="eng-1")
    stages = evolve(job.stages, execute=3.0, reconcile=0.25)
    return happen(job, JobTrigger.SUCCEEDED, 6.0, fence=job.fence, stages=stages)


@pytest.fixture
def kept() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def spans(kept: InMemorySpanExporter) -> Iterator[JobSpans]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    yield JobSpans({}, lambda _job: 5, provider)
    provider.shutdown()


def by_name(kept: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    found = {span.name: span for span in kept.get_finished_spans()}
    assert len(found) == len(kept.get_finished_spans())
    return found


def test_stages_lie_one_after_the_other_within_the_job() -> None:
    job = finished()
    at = job.created_at
    assert list(stage_times(job)) == [
        ("compile", at - 0.5, at),
        ("queue", at, at + 2.0),
        ("execute", at + 2.75, at + 5.75),
        ("reconcile", at + 5.75, at + 6.0),
    ]


def test_a_job_that_was_taken_twice_waited_until_its_last_attempt() -> None:
    job = happen(make_job(), JobTrigger.CLAIMED, 1.0, owner="eng-1")
    job = happen(job, JobTrigger.LEASE_LOST, 10.0)
    job = happen(job, JobTrigger.CLAIMED, 12.0, owner="eng-2")
    job = happen(job, JobTrigger.SUCCEEDED, 20.0, fence=2, stages=evolve(job.stages, execute=5.0, reconcile=1.0))
    assert {name: (begin, end) for name, begin, end in stage_times(job)}["queue"] == (
        job.created_at,
        job.created_at + 14.0,
    )
    assert job.stages.queue == 3.0


def test_a_job_that_never_ran_only_waited() -> None:
    job = happen(make_job(), JobTrigger.CANCEL_REQUESTED, 4.0, error=ERROR)
    assert list(stage_times(job)) == [("queue", job.created_at, job.created_at + 4.0)]


def test_a_clock_that_went_back_gives_no_span_that_ends_before_it_begins(spans: JobSpans) -> None:
    job = happen(make_job(), JobTrigger.CANCEL_REQUESTED, -4.0, error=ERROR)
    assert all(begin <= end for _, begin, end in stage_times(job))
    spans.ended(job)


def test_spans_of_a_job(spans: JobSpans, kept: InMemorySpanExporter) -> None:
    job = finished(trace=TRACE, session_id="ses-1")
    spans.submitted(job)
    assert kept.get_finished_spans() == ()
    spans.ended(job)
    found = by_name(kept)
    whole = found.pop("antiphon.job")
    assert set(found) == {"antiphon.compile", "antiphon.queue", "antiphon.execute", "antiphon.reconcile"}
    assert f"{whole.context.trace_id:032x}" == TRACE.split("-")[1]
    assert whole.parent is not None
    assert f"{whole.parent.span_id:016x}" == TRACE.split("-")[2]
    assert whole.attributes is not None
    assert whole.attributes["quantum.session.id"] == "ses-1"
    assert whole.attributes["quantum.qubits"] == 5
    assert whole.attributes["quantum.circuits"] == 2
    assert whole.attributes["quantum.parameter_sets"] == 7
    assert whole.status.status_code is StatusCode.UNSET
    for span in found.values():
        assert span.parent == whole.context
        assert (span.end_time or 0) >= (span.start_time or 0)
    # Text of the user's is in none of them.
    assert not any("job " in str(value) for value in whole.attributes.values())


def test_a_failure_is_an_error_and_a_cancellation_none(spans: JobSpans, kept: InMemorySpanExporter) -> None:
    spans.ended(happen(make_job(), JobTrigger.FAILED, 1.0, error=ERROR))
    whole = by_name(kept)["antiphon.job"]
    assert (whole.status.status_code, whole.status.description) == (StatusCode.ERROR, "it fell over")
    assert whole.parent is None
    kept.clear()
    spans.ended(happen(make_job(), JobTrigger.CANCEL_REQUESTED, 1.0, error=ERROR))
    assert by_name(kept)["antiphon.job"].status.status_code is StatusCode.UNSET


def test_what_is_not_sampled_is_not_made(spans: JobSpans, kept: InMemorySpanExporter) -> None:
    spans.ended(finished(trace=TRACE[:-2] + "00"))
    assert kept.get_finished_spans() == ()
