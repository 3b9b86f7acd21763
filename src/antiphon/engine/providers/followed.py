"""One job that this engine sees through at a provider, and what it remembers between two steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from antiphon.domain.jobs import Job
from antiphon.domain.submissions import SubmissionEvent
from antiphon.engine.tasks import task_id

SILENT = 5
"""So many questions in a row without an answer are written into the job's log."""


@dataclass(slots=True, eq=False)
class Followed:
    """What is lost with the process may be: the ledger says all that another engine needs to go on.

    Attributes:
        job: As it was when last looked at.
        done: To be called once this engine works on it no more.
        pause: Seconds before the next look.
        answer: What the provider said to a sending, until it is stored.
        unanswered: Questions in a row that the provider did not answer.
        absent: How often the provider said, after nothing could be on its way, that it does not have the job.
        is_silent: Whether the job's log says so.
        cancel_asked: Whether the provider took the request to stop it.
        waited_until: When it was last seen to wait there.
        overdue: Whether it ran longer than it may, so that the provider is to stop it.
        in_step: Whether a thread is at work on it.
        is_nudged: Whether it is to be looked at again at once after the step.
        is_stopping: Whether it was said that the job is to be stopped.
        ticket: Its one entry in the heap that counts.
    """

    job: Job
    done: Callable[[], None]
    pause: float
    answer: SubmissionEvent | None = None
    unanswered: int = 0
    absent: int = 0
    is_silent: bool = False
    cancel_asked: bool = False
    waited_until: float | None = None
    overdue: bool = False
    in_step: bool = False
    is_nudged: bool = False
    is_stopping: bool = False
    ticket: int = -1

    @property
    def task(self) -> str:
        """The name of this attempt at the job."""
        return task_id(self.job)
