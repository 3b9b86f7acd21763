"""A finished job as OpenTelemetry spans: one for the job, and one for each stage that it went through.

They are made when the job ends, from the times that it recorded, so that a trace is whole whichever process compiled,
queued or ran it. Their parent is the span of the submit, which the job carries as a W3C traceparent.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from antiphon.domain.jobs import Job, JobStatus
from antiphon.ports.target_driver import TargetDriver

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer, TracerProvider

NAME = "antiphon"
STAGES = ("compile", "queue", "execute", "reconcile")


class JobSpans:
    """Makes the spans of each job that ends in this process.

    Args:
        drivers: To tell the provider of a target.
        count_qubits: The width of a job's widest program, None if that cannot be told.
        provider: Where spans go; None is the global one, if this program has set one up.
    """

    def __init__(
        self,
        drivers: Mapping[str, TargetDriver],
        count_qubits: Callable[[Job], int | None],
        provider: TracerProvider | None = None,
    ) -> None:
        self._drivers = drivers
        self._count_qubits = count_qubits
        self._provider = provider

    def submitted(self, job: Job) -> None:
        """Nothing: whoever submits has a span of its own."""

    def ended(self, job: Job) -> None:
        """Make the spans, if anybody collects them and the submit's trace is sampled."""
        tracer = self._tracer()
        if tracer is None:
            return
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = {} if job.trace is None else {"traceparent": job.trace}
        parent = TraceContextTextMapPropagator().extract(carrier)
        times = list(stage_times(job))
        ended = job.created_at if job.ended_at is None else job.ended_at
        began = min([job.created_at, *(start for _, start, _ in times)])
        # Executing for somebody who does not wait.
        whole = tracer.start_span("antiphon.job", parent, kind=SpanKind.CONSUMER, start_time=_ns(began))
        if not whole.is_recording():
            return
        whole.set_attributes(self._attributes(job))
        if job.error is not None:
            whole.set_attribute("error.type", str(job.error.get("code", "")))
        if job.status is JobStatus.FAILED:
            whole.set_status(Status(StatusCode.ERROR, str((job.error or {}).get("message", ""))))
        inside = set_span_in_context(whole, parent)
        for stage, start, end in times:
            span = tracer.start_span(f"antiphon.{stage}", inside, start_time=_ns(start))
            span.set_attributes(
                {"quantum.stage": stage, "quantum.job.id": job.id, "quantum.target": job.spec.target}
                | {"quantum.stage.seconds": getattr(job.stages, stage) or 0.0}
            )
            span.end(_ns(end))
        whole.end(_ns(max(ended, *(end for _, _, end in times))) if times else _ns(ended))

    def _tracer(self) -> Tracer | None:
        if self._provider is None:
            # A program that uses OpenTelemetry has imported it.
            found = sys.modules.get("opentelemetry.trace")
            if found is None:
                return None
            provider: TracerProvider = found.get_tracer_provider()
        else:
            provider = self._provider
        return provider.get_tracer(NAME, version("antiphon"))

    def _attributes(self, job: Job) -> dict[str, Any]:
        spec = job.spec
        driver = self._drivers.get(spec.target)
        known = {
            "quantum.job.id": job.id,
            "quantum.job.kind": spec.kind.value,
            "quantum.job.status": job.status.value,
            "quantum.job.attempts": job.attempts,
            "quantum.target": spec.target,
            "quantum.provider": None if driver is None else driver.info.provider,
            "quantum.shots": job.shots,
            "quantum.circuits": len(spec.pubs),
            "quantum.parameter_sets": sum(math.prod(pub.parameters_shape) for pub in spec.pubs),
            "quantum.qubits": self._count_qubits(job),
            "quantum.engine": job.provenance.get("engine"),
            "quantum.executor": job.executor,
            "quantum.session.id": job.session_id,
            "antiphon.workspace": job.workspace,
        }
        return {name: value for name, value in known.items() if isinstance(value, str | int | float)}


def stage_times(job: Job) -> Iterator[tuple[str, float, float]]:
    """Stage, begin and end (seconds since the epoch) of every stage that a final job went through, in order.

    The record has durations; they are laid out around the times it has: compile ends when the job was stored, reconcile
    when it ended, execute just before that. A job that was taken several times waited all the time until its last
    attempt. Clocks of two hosts may disagree: no span ends before it begins.
    """
    stages = job.stages
    ended = job.created_at if job.ended_at is None else job.ended_at
    if stages.compile is not None:
        yield "compile", job.created_at - stages.compile, job.created_at
    after_execute = ended - (stages.reconcile or 0.0)
    before_execute = after_execute - (stages.execute or 0.0)
    if stages.queue is not None or job.started_at is None:
        until = ended if job.started_at is None else job.created_at + (stages.queue or 0.0)
        if job.attempts > 1:
            until = before_execute
        yield "queue", job.created_at, max(job.created_at, until)
    if stages.execute is not None:
        yield "execute", before_execute, after_execute
    if stages.reconcile is not None:
        yield "reconcile", after_execute, ended


def _ns(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
