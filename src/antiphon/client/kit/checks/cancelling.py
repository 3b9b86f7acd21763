"""A job that is cancelled ends."""

from __future__ import annotations

import functools
import time
from typing import Any

from antiphon.client.job import Job
from antiphon.client.kit.check import Check
from antiphon.client.kit.checks.long_runs import start_endless
from antiphon.client.kit.checks.shots import PROGRAM
from antiphon.client.kit.subject import Subject
from antiphon.client.kit.verdicts import CheckFailedError
from antiphon.domain.jobs import JobStatus
from antiphon.errors import JobCancelledError

LOOK_S = 0.05


def _run(subject: Subject) -> dict[str, Any]:
    endless = start_endless(subject)
    job = endless
    if job is None:
        job = subject.accepted(functools.partial(subject.target.submit, PROGRAM, subject.shots, execution="process"))
    else:
        _wait_until_it_runs(job, subject.patience_s)
    job.cancel()
    subject.ended(job)
    evidence = {"endless": endless is not None, "status": job.status.value, "job": job.id}
    if job.status is JobStatus.CANCELLED:
        try:
            job.result()
        except JobCancelledError:
            return evidence
        raise CheckFailedError("A cancelled job has a result.", **evidence)
    if job.status is JobStatus.SUCCEEDED and endless is None:
        # It had ended before the word arrived, which is no fault; but then it must be whole.
        if sum(job.result().counts.values()) == subject.shots:
            return evidence
        raise CheckFailedError("A job that ended before it was cancelled lacks shots.", **evidence)
    raise CheckFailedError(f"A cancelled job ended as {job.status.value}.", error=job.error, **evidence)


def _wait_until_it_runs(job: Job, patience_s: float) -> None:
    # What runs is harder to stop than what waits.
    deadline = time.monotonic() + patience_s
    while job.status is JobStatus.WAITING:
        if time.monotonic() > deadline:
            raise CheckFailedError(f"The job did not start within {patience_s:g} s.", job=job.id)
        time.sleep(LOOK_S)


CANCELLING = Check(
    "cancel",
    "A cancelled job ends in time, as Cancelled and without a result, or whole if it was done before.",
    "Jobs stuck in RUNNING after a cancel; a finished job's result lost to a late one.",
    _run,
)
