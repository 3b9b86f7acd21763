"""The end of a provider's job: the job's end, its result, and the end of its line, in one transaction."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from antiphon.domain.batches import ItemEvent, ItemTrigger, advance_item
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.results import Execution, outcome_to_json
from antiphon.domain.submissions import Submission, SubmissionEvent, SubmissionState, SubmissionTrigger
from antiphon.domain.work import JobKind
from antiphon.engine.context import EngineContext
from antiphon.engine.providers.ledger import save
from antiphon.engine.record import STOPPED_ELSEWHERE, record
from antiphon.engine.validate import is_number
from antiphon.errors import AntiphonError, ExecutionError
from antiphon.ports.executor import Report
from antiphon.ports.job_store import Transaction
from antiphon.ports.provider import ProviderJob, ProviderJobState

log = logging.getLogger("antiphon.engine")

_UNANSWERED = frozenset({SubmissionState.INTENDED, SubmissionState.SENT})


def end_with(
    ctx: EngineContext,
    job: Job,
    line: Submission,
    found: ProviderJob,
    *,
    overdue: bool = False,
    waited_until: float | None = None,
) -> None:
    """Give the job the end that its provider tells; nothing happens if the lease is lost.

    Args:
        overdue: It was to be stopped, since it ran too long.
        waited_until: When it was last seen to wait there; what it does not tell itself is bounded by that.
    """
    error = _overdue(job, found) if overdue and found.state is ProviderJobState.CANCELLED else None
    error = error or end_error(found, len(job.spec.pubs))
    now = ctx.clock.now()
    seconds, cost = found.seconds, told_cost(found)
    if seconds is None or not is_number(seconds) or seconds < 0:
        started_at = job.started_at or found.started_at
        never_ran = found.state is ProviderJobState.CANCELLED and started_at is None
        began = started_at or max(line.sent_at or line.intended_at, waited_until or 0.0)
        seconds = 0.0 if never_ran else max(0.0, now - began)
    event = SubmissionEvent(
        trigger=SubmissionTrigger.ENDED,
        at=now,
        provider_id=found.id,
        error=None if error is None else error.to_dict(),
        cost=cost,
    )
    execution = found.execution if error is None else None
    finished = found.execution if found.state is ProviderJobState.FAILED else execution

    def before(tx: Transaction, ending: Job) -> None:
        # Before the job's end, which cancels what of a batch has none.
        if finished is not None and ending.spec.kind is JobKind.BATCH:
            _end_items(tx, ending, finished, now)

    def also(tx: Transaction, _: Job) -> None:
        save(tx, line, event)

    record(ctx, job, Report(execution, error, seconds, cost, found.started_at), also, before)


def stop(ctx: EngineContext, job: Job, line: Submission | None, error: AntiphonError) -> None:
    """End the job as `error` says, and with it a line of which the provider has nothing."""

    def also(tx: Transaction, _: Job) -> None:
        if line is not None and not line.state.is_final:
            trigger = SubmissionTrigger.REFUSED if line.state in _UNANSWERED else SubmissionTrigger.NOT_FOUND
            save(tx, line, SubmissionEvent(trigger=trigger, at=ctx.clock.now(), error=error.to_dict()))

    record(ctx, job, Report(None, error, 0.0), also)


def never_sent(job: Job) -> AntiphonError:
    """The end of a job that was cancelled while nothing of it was at its provider."""
    return ExecutionError(
        "The job was cancelled before its provider had it.", code="task-cancelled", details={"job": job.id}
    )


def end_error(found: ProviderJob, programs: int) -> AntiphonError | None:
    """What the end of a provider's job means as an error; None for one with an outcome for each program."""
    if found.state is ProviderJobState.SUCCEEDED:
        if found.execution is not None and len(found.execution.outcomes) == programs:
            return None
        return ExecutionError(
            "The provider says that the job succeeded, and gave no outcome for each program.",
            code="provider-answer-unusable",
            cause="" if found.error is None else found.error.message,
            next_step="See what the provider has under the id in the details.",
            details={"provider_id": found.id},
        )
    if found.state is ProviderJobState.CANCELLED:
        return ExecutionError(
            "The provider cancelled the job.",
            code=STOPPED_ELSEWHERE,
            cause="" if found.error is None else found.error.message,
            details={"provider_id": found.id},
        )
    return found.error or ExecutionError(
        "The job failed at its provider, which gave no reason.",
        code="provider-failed",
        details={"provider_id": found.id},
    )


def told_cost(found: ProviderJob) -> tuple[Mapping[str, Any], ...]:
    """The cost lines as they can be added up: an amount that is no number is kept in words, and counts as nothing.

    The job has ended and was paid for, whatever is wrong with its bill.
    """
    return tuple(_told_line(line) for line in found.cost)


def _told_line(line: Mapping[str, Any]) -> Mapping[str, Any]:
    told = {name: str(value) if isinstance(value, float) and not is_number(value) else value
            for name, value in line.items()}  # fmt: skip
    if "amount" not in told:
        return told
    try:
        amount = float(told["amount"])
    except (TypeError, ValueError, OverflowError):
        amount = math.nan
    if math.isfinite(amount):
        return told | {"amount": amount}
    log.warning("a provider told a cost that is no number: %.80s", told["amount"])
    return told | {"amount": 0.0, "told": str(told["amount"])[:80]}


def _overdue(job: Job, found: ProviderJob) -> AntiphonError:
    return ExecutionError(
        f"The job ran longer than its limit of {job.spec.max_seconds:g} s, so its provider was asked to stop it.",
        code="provider-timeout",
        next_step="Raise max_seconds, or ask for less.",
        details={"provider_id": found.id, "limit_seconds": job.spec.max_seconds},
    )


def _end_items(tx: Transaction, job: Job, execution: Execution, at: float) -> None:
    for item in tx.items(job.id):
        if item.status.is_final or item.index >= len(execution.outcomes):
            continue
        begun = item
        if item.status is JobStatus.WAITING:
            begun = advance_item(item, ItemEvent(trigger=ItemTrigger.STARTED, at=at))
        succeeded = ItemEvent(
            trigger=ItemTrigger.SUCCEEDED,
            at=at,
            outcome=outcome_to_json(execution.outcomes[item.index]),
            provenance=dict(execution.provenance),
        )
        tx.save_item(job.id, item, advance_item(begun, succeeded))
