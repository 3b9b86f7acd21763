"""One key, one job."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from antiphon.client.job import Job
from antiphon.client.kit.check import Check
from antiphon.client.kit.checks.shots import PROGRAM
from antiphon.client.kit.subject import Subject
from antiphon.client.kit.verdicts import CheckFailedError

AT_ONCE = 4


def _run(subject: Subject) -> dict[str, Any]:
    name = subject.new_name("double submit")
    key = secrets.token_hex(16)

    def submit(key: str = key) -> Job:
        return subject.target.submit(PROGRAM, subject.shots, key=key, name=name)

    first = subject.accepted(submit)
    subject.finished(first)
    second = submit()
    _must_be_one([first, second], "A second submit with the same key")
    _must_be_whole(subject, second)
    together = secrets.token_hex(16)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        jobs = list(threads.map(submit, [together] * AT_ONCE))
    _must_be_one(jobs, f"{AT_ONCE} submits at once with the same key")
    _must_be_whole(subject, jobs[0])
    stored = subject.find(name)
    if len(stored) != 2:
        raise CheckFailedError(f"2 keys made {len(stored)} jobs.", jobs=[job.id for job in stored])
    return {"submits": 2 + AT_ONCE, "jobs": len(stored)}


def _must_be_one(jobs: list[Job], what: str) -> None:
    ids = sorted({job.id for job in jobs})
    if len(ids) != 1:
        raise CheckFailedError(f"{what} made {len(ids)} jobs.", jobs=ids)


def _must_be_whole(subject: Subject, job: Job) -> None:
    total = sum(subject.finished(subject.take_up(job.id)).counts.values())
    if total != subject.shots:
        raise CheckFailedError(f"The one job has {total} shots of {subject.shots}: it ran more than once.", job=job.id)


DOUBLE_SUBMITS = Check(
    "double-submit",
    "Submits with one key are one job, one after the other and at once, and it runs once.",
    "A submit that was repeated after a lost answer ran, and was billed, twice.",
    _run,
)
