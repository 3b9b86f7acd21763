"""A result is there as often as it is read, for everybody who has the id."""

from __future__ import annotations

from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.checks.shots import PROGRAM
from antiphon.client.kit.subject import Subject
from antiphon.client.kit.verdicts import CheckFailedError


def _run(subject: Subject) -> dict[str, Any]:
    subject.needs_qubits(2)
    first = subject.run(PROGRAM)
    again = [subject.finished(subject.take_up(first.job.id)).to_dict() for _ in range(2)]
    if any(each != first.to_dict() for each in again):
        raise CheckFailedError("The result is another one when it is read again.", first=first.to_dict(), again=again)
    return {"job": first.job.id, "read": 3}


READING_TWICE = Check(
    "reading-twice",
    "A result can be read again, by whoever takes up the job, and is the same.",
    "Results deleted after the first fetch.",
    _run,
)
