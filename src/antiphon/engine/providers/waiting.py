"""Jobs that wait at their provider: which do, and for how long, as far as it tells at once."""

from __future__ import annotations

from antiphon.domain.jobs import PROVIDER, Job, JobStatus
from antiphon.domain.submissions import Submission, SubmissionState, newest
from antiphon.engine.context import EngineContext
from antiphon.ports.job_store import Transaction
from antiphon.ports.provider import KnowsItsQueue


def at_provider(tx: Transaction, job: Job) -> Submission | None:
    """The newest line of a job that waits and that its provider has, may have, or is to get; None: it waits here.

    It may have an engine that sees it through, or wait for one.
    """
    if job.executor != PROVIDER or not (job.waits_there or job.status is JobStatus.WAITING):
        return None
    line = newest(tx.submissions(job.id))
    return line if line is not None and (job.waits_there or line.state.is_out) else None


def starts_in_s(ctx: EngineContext, line: Submission) -> float | None:
    """Seconds until a provider starts what it took, as things stand; None where it does not tell, or has nothing."""
    provider = ctx.providers.get(line.target)
    if line.state is not SubmissionState.ACCEPTED or not isinstance(provider, KnowsItsQueue):
        return None
    starts_at = provider.starts_at(line.key)
    return None if starts_at is None else max(0.0, starts_at - ctx.clock.now())
