"""`max_seconds` stops a job, and says so."""

from __future__ import annotations

import functools
from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.checks.long_runs import start_endless
from antiphon.client.kit.checks.shots import PROGRAM
from antiphon.client.kit.subject import Subject
from antiphon.client.kit.verdicts import CheckFailedError
from antiphon.domain.jobs import JobStatus
from antiphon.errors import LimitError

TOO_LATE = ("worker-timeout", "provider-timeout")
"""Here, and at a provider."""


def _run(subject: Subject) -> dict[str, Any]:
    beyond = subject.info.limits.max_seconds * 2
    try:
        subject.target.submit(PROGRAM, 1, max_seconds=beyond)
    except LimitError as error:
        refused = error.code
    else:
        raise CheckFailedError(f"max_seconds={beyond:g} is taken, beyond the limit that it declares.")
    job = start_endless(subject, max_seconds=1.0)
    if job is None:
        ample = functools.partial(subject.target.submit, PROGRAM, 1, max_seconds=subject.info.limits.max_seconds)
        subject.finished(subject.accepted(ample))
        return {"endless": False, "beyond the limit": refused}
    subject.ended(job)
    told = job.error or {}
    if job.status is not JobStatus.FAILED or told.get("code") not in TOO_LATE or not told.get("next_step"):
        raise CheckFailedError(
            f"After its max_seconds a job should end as Failed with the code {TOO_LATE[0]} and a next step; "
            f"it ended as {job.status.value}.",
            job=job.id,
            error=told,
        )
    return {"endless": True, "beyond the limit": refused, "code": told["code"]}


TIME_LIMITS = Check(
    "timeout",
    "A job is stopped after its max_seconds and says so; more than the target allows is refused.",
    "No limits at all, or a time-out of polling counted as a failure and bought again.",
    _run,
)
