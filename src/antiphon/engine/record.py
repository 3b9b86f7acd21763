"""Record: what the executor reported becomes the job's final state and its one result, in one transaction."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobEvent, JobStatus, JobTrigger, StaleLeaseError
from antiphon.domain.results import Outcome, outcome_to_json
from antiphon.domain.transitions import TransitionRefusedError
from antiphon.engine.artefacts import artefact
from antiphon.engine.calibrations import kept_with, too_old
from antiphon.engine.context import EngineContext, Finished
from antiphon.engine.ending import Aftermath, settle
from antiphon.engine.queues.holding import lock_queue
from antiphon.engine.shot_bank import with_earlier_shots
from antiphon.ports.executor import Report
from antiphon.ports.job_store import Artefact, ResultExistsError, StoredResult, Transaction, VersionConflictError

STOPPED = frozenset({"task-cancelled", "task-interrupted", "executor-closed"})
"""Codes of reports that say the task was stopped from outside: the job itself is not to blame."""

STOPPED_ELSEWHERE = "provider-cancelled"
"""Code of a report that says its provider stopped it: as it was asked to, or else the job has failed."""


def record(
    ctx: EngineContext,
    job: Job,
    report: Report,
    also: Callable[[Transaction, Job], None] | None = None,
    before: Callable[[Transaction, Job], None] | None = None,
) -> Finished:
    """Record the report of a job this engine claimed; `job` is as it was claimed.

    A report whose lease was lost meanwhile is dropped: another engine holds the job, and its result counts. Returns the
    job as it stands.

    Args:
        also: What belongs to the end and is stored in its transaction, given the job as it ends; what it raises as a
            conflict or a refused transition is treated as that of the job itself.
        before: The same, stored before the end and given the job as it was.
    """
    began = time.perf_counter()
    report, snapshot = _with_calibration(ctx, job, report)
    outcomes = report.execution.outcomes if report.execution is not None else None
    body, large = _encode(ctx, outcomes)
    aftermath = Aftermath()
    current = job
    try:
        while True:
            try:
                with ctx.store.write() as tx:
                    if current is not job:
                        lock_queue(tx, job)
                        current = tx.job(job.id) or job
                        if current.owner != ctx.engine_id or current.fence != job.fence:
                            # Back in the queue under the same fence, too: nothing of a lost lease counts.
                            return Finished(current)
                    event = _event(ctx, current, job.fence, report, began)
                    if before is not None:
                        before(tx, current)
                    after = settle(tx, current, event, aftermath)
                    for value in snapshot:
                        tx.add_artefact(value)
                    if after.status is JobStatus.SUCCEEDED:
                        add_result(tx, job, body, large)
                    if also is not None:
                        also(tx, after)
                break
            except VersionConflictError:
                # Cancelling was asked for meanwhile, or the lease is lost; read again and decide again.
                aftermath = Aftermath()
                current = copy(job)
    except (StaleLeaseError, TransitionRefusedError, ResultExistsError):
        with ctx.store.read() as tx:
            return Finished(tx.job(job.id) or job)
    if after.status is JobStatus.SUCCEEDED:
        ctx.remember(value.digest for value in snapshot)  # the job names it, so that it is not swept
    aftermath.carry_out(ctx)
    return Finished(after, outcomes if after.status is JobStatus.SUCCEEDED else None)


def _with_calibration(ctx: EngineContext, job: Job, report: Report) -> tuple[Report, list[Artefact]]:
    """The report with what it says of the calibration, as an error if that was older than the job allows."""
    if report.execution is None:
        return report, []
    told, snapshot = kept_with(ctx, report.execution, report.seconds)
    provenance = {**report.execution.provenance, **told} if told else report.execution.provenance
    error = too_old(job.spec.options, provenance, job.spec.target)
    if error is not None:
        return replace(report, execution=None, error=error), []
    if told:
        report = replace(report, execution=replace(report.execution, provenance=provenance))
    return with_earlier_shots(ctx, job, report), snapshot


def _encode(ctx: EngineContext, outcomes: Sequence[Outcome] | None) -> tuple[str, Artefact | None]:
    if outcomes is None:
        return "", None
    body = json.dumps([outcome_to_json(outcome) for outcome in outcomes], separators=(",", ":"))
    if len(body) > ctx.settings.small_bytes:
        return body, artefact(ctx, "result", body.encode())
    return body, None


def add_result(tx: Transaction, job: Job, body: str, large: Artefact | None) -> None:
    """Add the one result of a job; a large one goes in as an artefact that the result names."""
    if large is not None:
        tx.add_artefact(large)
    tx.add_result(StoredResult(job.id, job.fence, None if large else body, large.digest if large else None))


def _event(ctx: EngineContext, job: Job, fence: int, report: Report, began: float) -> JobEvent:
    provenance: Mapping[str, Any] = report.execution.provenance if report.execution is not None else {}
    error = report.error.to_dict() if report.error is not None else None
    if report.error is None:
        trigger, why = JobTrigger.SUCCEEDED, "the target answered"
    elif report.error.code in STOPPED | {STOPPED_ELSEWHERE} and job.status is JobStatus.CANCELLATION_REQUESTED:
        trigger, why = JobTrigger.CANCELLED, "cancellation confirmed"
    elif report.error.code not in STOPPED:
        trigger, why = JobTrigger.FAILED, report.error.message
    else:
        trigger, why = JobTrigger.LEASE_LOST, "it was interrupted in its engine"
    if report.provenance and trigger is not JobTrigger.LEASE_LOST:
        provenance = {**provenance, **report.provenance}
    stages = evolve(job.stages, execute=report.seconds, reconcile=time.perf_counter() - began)
    return JobEvent(
        trigger=trigger,
        at=ctx.clock.now(),
        who=ctx.engine_id,
        why=why,
        fence=fence,
        error=error,
        stages=stages,
        provenance=provenance,
        cost=report.cost,
        started_at=report.started_at,
    )
