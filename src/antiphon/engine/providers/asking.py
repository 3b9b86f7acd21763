"""Asking a provider: whether it has a job whose answer was lost, and how a job stands that it has."""

from __future__ import annotations

import logging

from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import JobStatus, JobTrigger
from antiphon.domain.submissions import Submission, SubmissionEvent, SubmissionState, SubmissionTrigger
from antiphon.domain.work import JobKind
from antiphon.engine.context import EngineContext
from antiphon.engine.providers.ending import end_with
from antiphon.engine.providers.followed import SILENT, Followed
from antiphon.engine.providers.ledger import note, tell
from antiphon.engine.providers.pauses import before_look
from antiphon.engine.providers.reading import read_work
from antiphon.errors import ExecutionError
from antiphon.ports.provider import (
    Provider,
    ProviderJob,
    ProviderJobState,
    RefusedByProviderError,
    TransientProviderError,
)

log = logging.getLogger("antiphon.engine")

ABSENT = 2
"""So often a provider has to say that it does not have a job: a listing may lag behind, an answer may be an old one."""

LISTED_BEFORE_S = 300.0
"""A listing begins so long before the intent: clocks differ."""


def reconcile(ctx: EngineContext, followed: Followed, line: Submission) -> float | None:
    """Find out whether a job arrived whose answer is lost; nothing is sent before that is known.

    Returns:
        Seconds until the next step; None when the job is over.
    """
    provider = ctx.providers[line.target]
    if line.state is SubmissionState.SENT:
        why = "the engine that sent it died before it wrote down the answer"
        event = SubmissionEvent(trigger=SubmissionTrigger.ANSWER_LOST, at=ctx.clock.now())
        followed.job, line = note(ctx, followed.job, line, event, JobTrigger.IN_DOUBT, why)
    asked_at = ctx.clock.now()
    try:
        found = provider.find(line.key, line.intended_at - LISTED_BEFORE_S)
        _check(found is None or found.key in (None, line.key))
    except NotImplementedError:
        # Only an operator can say (`doubt.resolve_in_doubt`); until then the store is looked at now and then.
        return ctx.settings.provider_most_seconds
    except Exception as error:  # noqa: BLE001 - a question without an answer says nothing, whatever went wrong
        return unanswered(ctx, followed, error)
    answered(ctx, followed)
    if found is not None:
        event = SubmissionEvent(trigger=SubmissionTrigger.FOUND, at=ctx.clock.now(), provider_id=found.id)
        followed.job, _ = note(ctx, followed.job, line, event, _resolved(followed), "its provider has it")
        followed.pause = provider.poll_seconds
        return 0.0 if found.state.is_final else followed.pause
    if asked_at < (line.sent_at or line.intended_at) + provider.settle_seconds:
        return _slower(ctx, followed)
    followed.absent += 1
    if followed.absent < ABSENT:
        return _slower(ctx, followed)
    followed.absent = 0
    event = SubmissionEvent(trigger=SubmissionTrigger.NOT_FOUND, at=ctx.clock.now(), error=NOT_THERE.to_dict())
    followed.job, _ = note(ctx, followed.job, line, event, _resolved(followed), NOT_THERE.message)
    followed.pause = provider.poll_seconds
    return 0.0


NOT_THERE = ExecutionError("Its provider does not have it: it never arrived.", code="provider-never-had-it")


def look(ctx: EngineContext, followed: Followed, line: Submission) -> float | None:
    """See how a job stands that its provider has, and end it if it has ended there.

    Returns:
        Seconds until the next look; None when the job is over.
    """
    provider, provider_id = ctx.providers[line.target], line.provider_id or ""
    if (followed.job.status is JobStatus.CANCELLATION_REQUESTED or followed.overdue) and not followed.cancel_asked:
        _ask_to_stop(ctx, followed, provider_id)
    try:
        found = provider.look(provider_id)
        _check(found.id == provider_id)
        if found.execution is None and _has_outcomes(followed, found):
            found = _fetched(ctx, followed, provider, found)
    except RefusedByProviderError as error:
        found = ProviderJob(id=provider_id, state=ProviderJobState.FAILED, error=_lost_there(error))
    except Exception as error:  # noqa: BLE001 - it is not failed because it could not be asked
        return unanswered(ctx, followed, error)
    answered(ctx, followed)
    if found.state.is_final:
        end_with(ctx, followed.job, line, found, overdue=followed.overdue, waited_until=followed.waited_until)
        return None
    _watch_time(ctx, followed, found)
    return _slower(ctx, followed)


def unanswered(ctx: EngineContext, followed: Followed, error: Exception) -> float:
    """Count a question without an answer; when they are many, the job's log says so. Returns when to ask again."""
    if not isinstance(error, TransientProviderError):
        log.warning("the provider of job %s could not be asked: %s: %s", followed.job.id, type(error).__name__, error)
    followed.unanswered += 1
    if followed.unanswered >= SILENT and not followed.is_silent:
        why = f"{followed.unanswered} questions in a row were not answered; it goes on asking"
        followed.job = tell(ctx, followed.job, JobTrigger.UNREACHABLE, why)
        followed.is_silent = True
    return _slower(ctx, followed)


def answered(ctx: EngineContext, followed: Followed) -> None:
    """The provider answers (again)."""
    if followed.is_silent:
        why = f"after {followed.unanswered} questions without an answer"
        followed.job = tell(ctx, followed.job, JobTrigger.REACHED, why)
        followed.is_silent = False
        followed.pause = ctx.providers[followed.job.spec.target].poll_seconds
    followed.unanswered = 0


def _ask_to_stop(ctx: EngineContext, followed: Followed, provider_id: str) -> None:
    provider = ctx.providers[followed.job.spec.target]
    try:
        provider.cancel(provider_id)
    except (RefusedByProviderError, NotImplementedError):
        pass  # it does not stop it; the job ends as it ends
    except Exception as error:  # noqa: BLE001 - asked again with the next look
        log.warning("the provider of job %s could not be asked to stop it: %s", followed.job.id, error)
        return
    followed.cancel_asked = True
    followed.pause = provider.poll_seconds


def _has_outcomes(followed: Followed, found: ProviderJob) -> bool:
    """Whether there is something to fetch; of a job that failed it counts where programs have ends of their own."""
    if found.state is ProviderJobState.FAILED:
        return found.finished > 0 and followed.job.spec.kind is JobKind.BATCH
    return found.state is ProviderJobState.SUCCEEDED


def _fetched(ctx: EngineContext, followed: Followed, provider: Provider, found: ProviderJob) -> ProviderJob:
    """The job with its outcomes, or with why there will never be any: it succeeded, and is not lost."""
    try:
        return evolve(found, execution=provider.fetch(found.id, *read_work(ctx, followed.job)))
    except RefusedByProviderError as error:
        return evolve(found, error=found.error or error)


def _watch_time(ctx: EngineContext, followed: Followed, found: ProviderJob) -> None:
    """The limit of a job counts from its start there: what it waits at its provider is not its fault."""
    now = ctx.clock.now()
    if found.state is ProviderJobState.QUEUED:
        followed.waited_until = now
    if found.state is not ProviderJobState.RUNNING:
        return
    if followed.job.started_at is None:
        why = "its provider runs it"
        followed.job = tell(ctx, followed.job, JobTrigger.STARTED, why, found.started_at)
    started_at = followed.job.started_at
    if started_at is not None and now - started_at > followed.job.spec.max_seconds:
        followed.overdue = True


def _resolved(followed: Followed) -> JobTrigger | None:
    return JobTrigger.RESOLVED if followed.job.in_doubt else None


def _slower(ctx: EngineContext, followed: Followed) -> float:
    pause = followed.pause
    followed.pause = before_look(ctx.settings, pause)
    return pause


def _check(is_about_this: bool) -> None:
    if not is_about_this:
        raise TransientProviderError("The provider's answer was about another job.")


def _lost_there(error: RefusedByProviderError) -> ExecutionError:
    return ExecutionError(
        "The provider took the job, and says now that it has none of that name.",
        code="provider-lost-it",
        cause=error.message,
        next_step="Ask the provider; what it charged for the job is not known here.",
    )
