"""Read a job's result back."""

from __future__ import annotations

import json

from antiphon.domain.batches import BatchItem
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.results import Outcome, outcome_from_json
from antiphon.engine.artefacts import read_artefact
from antiphon.engine.context import EngineContext
from antiphon.errors import AntiphonError, JobCancelledError, JobFailedError, StoreError

GONE = frozenset({"store-incomplete", "blob-missing", "blob-corrupt"})
"""Codes of a store that answered, and no longer has what the job names: to try again would not help."""


def outcomes_of(ctx: EngineContext, job: Job) -> tuple[Outcome, ...]:
    """The outcomes of a final job, one for each of its pubs.

    Raises:
        JobFailedError, JobCancelledError: It has none; code, cause and next step are those stored on the job.
    """
    return tuple(outcome_from_json(data) for data in json.loads(outcomes_text(ctx, job)))


def outcomes_text(ctx: EngineContext, job: Job) -> str:
    """The same as the JSON text that is stored: an array of `outcome_to_json`.

    Raises:
        JobFailedError, JobCancelledError: It has none; code, cause and next step are those stored on the job.
    """
    raise_if_unsuccessful(job)
    with ctx.store.read() as tx:
        result = tx.result(job.id)
        if result is None:
            raise StoreError(f"Job {job.id} succeeded, but its result is not in the store.", code="store-incomplete")
        body = result.body if result.artefact is None else read_artefact(ctx, tx, result.artefact).decode()
    return body or "[]"


def items_of(ctx: EngineContext, job: Job) -> list[BatchItem]:
    """The items of a batch in order; empty for any other job."""
    with ctx.store.read() as tx:
        return tx.items(job.id)


def raise_if_unsuccessful(job: Job) -> None:
    """Raise what the job stored, if it failed or was cancelled."""
    if job.status not in {JobStatus.FAILED, JobStatus.CANCELLED}:
        return
    stored = job.error or {}
    kind: type[AntiphonError] = JobFailedError if job.status is JobStatus.FAILED else JobCancelledError
    raise kind(
        f"Job {job.id} ({job.name}) {job.status.value.lower()}: {stored.get('message', 'no reason was stored')}",
        cause=stored.get("cause", ""),
        next_step=stored.get("next_step", ""),
        code=stored.get("code") or None,
        details={**stored.get("details", {}), "job": job.id},
    )
