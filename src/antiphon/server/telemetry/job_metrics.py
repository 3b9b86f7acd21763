"""Counters that follow jobs: what this process stores and ends. Prometheus sums them over the processes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from antiphon.domain.jobs import Job, JobStatus

_STAGES_S = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800, 3600)
_CURRENCY = re.compile(r"[A-Z]{3}")
_CODE = re.compile(r"[a-z0-9-]{1,64}")


class JobMetrics:
    """A `JobObserver` that counts.

    A job is counted as submitted where it was stored and as finished where it ended: with several servers on one
    database, each counts its own part and none counts twice.

    Args:
        by_workspace: Label counters with the workspace, too: only where there are few of them.
    """

    def __init__(self, registry: CollectorRegistry, *, by_workspace: bool = False) -> None:
        self._by_workspace = by_workspace
        whose = ("workspace",) if by_workspace else ()
        self._submitted = Counter(
            "antiphon_jobs_submitted_total",
            "Jobs stored by this process.",
            ("target", "kind", *whose),
            registry=registry,
        )
        self._finished = Counter(
            "antiphon_jobs_finished_total",
            "Jobs that this process ended; the reason is the error's code, empty for success.",
            ("target", "outcome", "reason_code", *whose),
            registry=registry,
        )
        self._stages = Histogram(
            "antiphon_job_stage_duration_seconds",
            "Time that finished jobs spent in each stage: compile, queue, execute, reconcile.",
            ("stage", "target"),
            buckets=_STAGES_S,
            registry=registry,
        )
        self._shots = Counter(
            "antiphon_shots_total",
            "Shots of jobs that succeeded; exact values have none.",
            ("target", *whose),
            registry=registry,
        )
        self._seconds = Counter(
            "antiphon_qpu_seconds_total",
            "Time that finished jobs spent in the target, simulators included.",
            ("target", *whose),
            registry=registry,
        )

        self._waits = Histogram(
            "antiphon_queue_wait_seconds",
            "How long jobs that have ended had waited in the queue of their target, by priority.",
            ("target", "priority"),
            buckets=_STAGES_S,
            registry=registry,
        )
        self._cost = Counter(
            "antiphon_cost_total",
            "What jobs that this process ended cost, by currency.",
            ("target", "currency", *whose),
            registry=registry,
        )

    def submitted(self, job: Job) -> None:
        """Count it."""
        self._submitted.labels(job.spec.target, job.spec.kind.value, *self._whose(job)).inc()

    def ended(self, job: Job) -> None:
        """Count it, its shots, and the time it took."""
        target, whose = job.spec.target, self._whose(job)
        self._finished.labels(target, job.status.value.lower(), reason_of(job), *whose).inc()
        for stage, seconds in job.stages.to_json().items():
            if seconds is not None:
                self._stages.labels(stage, target).observe(seconds)
        if job.stages.queue is not None:
            self._waits.labels(target, job.priority.value).observe(job.stages.queue)
        for line in job.cost:
            amount = float(line.get("amount", 0.0))
            if amount > 0:  # what a provider gives back is no count
                self._cost.labels(target, _currency(line), *whose).inc(amount)
        if job.status is JobStatus.SUCCEEDED:
            self._shots.labels(target, *whose).inc(job.charged_shots)
        if job.stages.execute is not None:
            self._seconds.labels(target, *whose).inc(job.stages.execute)

    def _whose(self, job: Job) -> tuple[str, ...]:
        return (job.workspace,) if self._by_workspace else ()


def _currency(line: Mapping[str, Any]) -> str:
    """The currency of a cost line; what a provider calls by no code of three letters is "other"."""
    text = str(line.get("currency", ""))
    return text if _CURRENCY.fullmatch(text) else "other"


def reason_of(job: Job) -> str:
    """The code of the error that a job ended with; empty for none. What is no code of ours is "other"."""
    if job.error is None:
        return ""
    code = str(job.error.get("code", ""))
    return code if _CODE.fullmatch(code) else "other"
