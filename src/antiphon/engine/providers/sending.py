"""Sending a job to its provider: intended, set out, and then what the provider said, each written down by itself."""

from __future__ import annotations

from antiphon.domain.jobs import JobStatus, JobTrigger
from antiphon.domain.submissions import Submission, SubmissionEvent, SubmissionState, SubmissionTrigger
from antiphon.domain.work import Plan, Work
from antiphon.engine.context import EngineContext
from antiphon.engine.faults import unexpected
from antiphon.engine.providers.ending import never_sent, stop
from antiphon.engine.providers.followed import Followed
from antiphon.engine.providers.ledger import intend, note, set_out
from antiphon.engine.providers.pauses import before_try
from antiphon.engine.providers.reading import read_work
from antiphon.engine.results import GONE
from antiphon.errors import AntiphonError, ExecutionError, StoreError
from antiphon.ports.provider import AnswerLostError, ProviderJob, RefusedByProviderError, TransientProviderError


def send(ctx: EngineContext, followed: Followed, line: Submission | None, tries: int) -> float | None:
    """Send a job of which nothing is under way; `line` is its newest, refused or only intended.

    Returns:
        Seconds until the next step; None when the job is over.
    """
    job = followed.job
    if job.status is JobStatus.CANCELLATION_REQUESTED:
        stop(ctx, job, line, never_sent(job))
        return None
    is_new = line is None or line.state is SubmissionState.REFUSED
    if is_new and tries >= ctx.settings.provider_tries:
        stop(ctx, job, line, _never_taken(tries, line))
        return None
    try:
        work, plan = read_work(ctx, job)
    except StoreError as error:
        if error.code not in GONE:
            raise
        stop(ctx, job, line, error)
        return None
    except AntiphonError as error:
        stop(ctx, job, line, error)
        return None
    except Exception as error:  # noqa: BLE001 - whatever a stored program does to a front end fails that job alone
        stop(ctx, job, line, unexpected(error))
        return None
    intent = intend(ctx, job, line) if is_new else line
    sending = None if intent is None else set_out(ctx, job, intent)
    if sending is None:
        return 0.0  # cancelled meanwhile: the next step ends it
    if ctx.clock.now() - (sending.sent_at or 0.0) > ctx.settings.lease_seconds / 2:
        # This process stood still. Whoever took the job over may have asked the provider already: nothing may leave.
        late = TransientProviderError("This engine stood still before it could send the job.", code="engine-late")
        note(ctx, job, sending, _refused(ctx, late))
        return 0.0
    return _hand_over(ctx, followed, sending, work, plan, max(tries, 1) if not is_new else tries + 1)


def store_answer(ctx: EngineContext, followed: Followed, line: Submission) -> float | None:
    """Write down an answer that could not be stored when it came."""
    event = followed.answer
    if event is not None and line.state is SubmissionState.SENT:
        followed.job, _ = note(ctx, followed.job, line, event)
    followed.answer = None
    return followed.pause


def _hand_over(
    ctx: EngineContext, followed: Followed, line: Submission, work: Work, plan: Plan, tries: int
) -> float | None:
    provider = ctx.providers[line.target]
    try:
        answer = provider.send(line.key, work, plan)
        _check_key(answer, line)
    except RefusedByProviderError as error:
        stop(ctx, followed.job, line, error)
        return None
    except TransientProviderError as error:
        followed.job, _ = note(ctx, followed.job, line, _refused(ctx, error))
        return before_try(ctx.settings, tries, error.details.get("retry_after_s"))
    except Exception as error:  # noqa: BLE001 - something may have left, so whatever it was, it is in doubt
        lost = error if isinstance(error, AnswerLostError) else AnswerLostError(_words(error))
        event = SubmissionEvent(trigger=SubmissionTrigger.ANSWER_LOST, at=ctx.clock.now(), error=lost.to_dict())
        followed.job, _ = note(ctx, followed.job, line, event, JobTrigger.IN_DOUBT, lost.message)
        return provider.poll_seconds
    followed.answer = SubmissionEvent(trigger=SubmissionTrigger.ACCEPTED, at=ctx.clock.now(), provider_id=answer.id)
    followed.job, _ = note(ctx, followed.job, line, followed.answer)
    followed.answer = None
    followed.pause = provider.poll_seconds
    return 0.0 if answer.state.is_final else followed.pause


def _check_key(answer: ProviderJob, line: Submission) -> None:
    if answer.key is not None and answer.key != line.key:
        raise AnswerLostError(
            "The provider's answer was about another job.", details={"key": line.key, "answered": answer.key}
        )


def _refused(ctx: EngineContext, error: AntiphonError) -> SubmissionEvent:
    return SubmissionEvent(trigger=SubmissionTrigger.REFUSED, at=ctx.clock.now(), error=error.to_dict())


def _never_taken(tries: int, line: Submission | None) -> AntiphonError:
    last = (line.error if line is not None else None) or {}
    return ExecutionError(
        f"The provider took the job at none of {tries} tries.",
        code="provider-busy",
        cause=str(last.get("message", "")),
        next_step="Submit it again later; the record has each try.",
        details={"tries": tries},
    )


def _words(error: Exception) -> str:
    return f"The answer of the provider could not be read: {type(error).__name__}."
