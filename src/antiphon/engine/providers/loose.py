"""Loose lines: open lines of jobs that have ended without them, since they were cancelled while no engine held them.

What the provider has of such a job is stopped, and the line keeps how it ended and what it cost. Several engines may do
so at the same time; each change counts once.
"""

from __future__ import annotations

import contextlib
import logging

from antiphon.domain.submissions import Submission, SubmissionEvent, SubmissionState, SubmissionTrigger
from antiphon.domain.transitions import TransitionRefusedError
from antiphon.engine.context import EngineContext
from antiphon.engine.providers.asking import LISTED_BEFORE_S, NOT_THERE
from antiphon.engine.providers.ending import end_error, told_cost
from antiphon.engine.providers.ledger import save
from antiphon.errors import AntiphonError
from antiphon.ports.job_store import VersionConflictError
from antiphon.ports.provider import ProviderJob, ProviderJobState, RefusedByProviderError

log = logging.getLogger("antiphon.engine")


def settle_loose(ctx: EngineContext) -> int:
    """Bring every loose line of this engine's providers nearer to its end; returns how many there were."""
    loose = []
    with ctx.store.read() as tx:
        for target in ctx.providers:
            for line in tx.open_submissions(target):
                job = tx.job(line.job_id)
                if job is not None and job.status.is_final:
                    loose.append((line, len(job.spec.pubs)))
    for line, programs in loose:
        try:
            _bring_nearer(ctx, line, programs)
        except (VersionConflictError, TransitionRefusedError):
            continue  # another engine was quicker
        except NotImplementedError:
            continue  # only an operator can say
        except Exception as error:  # noqa: BLE001 - the others have a right to be settled, too
            log.warning("line %s of the ledger could not be settled: %s: %s", line.id, type(error).__name__, error)
    return len(loose)


def _bring_nearer(ctx: EngineContext, line: Submission, programs: int) -> None:
    provider = ctx.providers[line.target]
    if line.state is SubmissionState.INTENDED:
        # Nobody can set out any more: that checks the lease on a job that has ended.
        _save(ctx, line, SubmissionTrigger.REFUSED)
        return
    if line.state is SubmissionState.SENT:
        line = _save(ctx, line, SubmissionTrigger.ANSWER_LOST)
    if line.state is SubmissionState.IN_DOUBT:
        asked_at = ctx.clock.now()
        there = provider.find(line.key, line.intended_at - LISTED_BEFORE_S)
        if there is None:
            if asked_at >= (line.sent_at or line.intended_at) + provider.settle_seconds:
                _save(ctx, line, SubmissionTrigger.NOT_FOUND)
            return
        line = _save(ctx, line, SubmissionTrigger.FOUND, there)
    provider_id = line.provider_id or ""
    with contextlib.suppress(RefusedByProviderError, NotImplementedError):
        provider.cancel(provider_id)
    try:
        found = provider.look(provider_id)
    except RefusedByProviderError as error:
        found = ProviderJob(id=provider_id, state=ProviderJobState.FAILED, error=error)
    if found.state.is_final and found.id == provider_id:
        _save(ctx, line, SubmissionTrigger.ENDED, found, programs)


def _save(
    ctx: EngineContext,
    line: Submission,
    trigger: SubmissionTrigger,
    found: ProviderJob | None = None,
    programs: int = 0,
) -> Submission:
    error: AntiphonError | None = NOT_THERE if trigger is SubmissionTrigger.NOT_FOUND else None
    if trigger is SubmissionTrigger.ENDED and found is not None:
        error = end_error(found, programs)
    event = SubmissionEvent(
        trigger=trigger,
        at=ctx.clock.now(),
        provider_id=None if found is None else found.id,
        error=None if error is None else error.to_dict(),
        cost=told_cost(found) if found is not None and trigger is SubmissionTrigger.ENDED else (),
    )
    with ctx.store.write() as tx:
        return save(tx, line, event)
