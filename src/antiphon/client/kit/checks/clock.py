"""Times of a job are in order, and its stages add up."""

from __future__ import annotations

import datetime as dt
from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.checks.shots import PROGRAM
from antiphon.client.kit.subject import Subject
from antiphon.client.kit.verdicts import CheckFailedError

SLACK_S = 1.0


def _run(subject: Subject) -> dict[str, Any]:
    subject.needs_qubits(2)
    job = subject.take_up(subject.run(PROGRAM).job.id)
    facts = job.facts
    if facts.started_at is None or facts.ended_at is None:
        raise CheckFailedError("A job that succeeded does not say when it started and ended.", job=job.id)
    if not facts.created_at <= facts.started_at <= facts.ended_at:
        raise CheckFailedError(
            "Created, started and ended are not in this order.",
            created_at=facts.created_at,
            started_at=facts.started_at,
            ended_at=facts.ended_at,
        )
    log = job.events
    times = [dt.datetime.fromisoformat(line["at"]) for line in log]
    statuses = [line["status"] for line in log]
    if times != sorted(times):
        raise CheckFailedError("The log of the job is not in order.", at=[line["at"] for line in log])
    if statuses[-1] != "Succeeded" or statuses.count("Succeeded") != 1:
        raise CheckFailedError("The log should end with the job's one success.", statuses=statuses)
    stages = job.stages
    if any(seconds is not None and seconds < 0 for seconds in stages.values()):
        raise CheckFailedError("A stage took less than no time.", stages=stages)
    lived = facts.ended_at - facts.created_at
    told = sum(seconds or 0.0 for name, seconds in stages.items() if name in {"queue", "execute"})
    if told > lived + SLACK_S:
        raise CheckFailedError(f"The job says {told:.2f} s of a life of {lived:.2f} s.", stages=stages)
    return {"stages": stages, "lived": lived, "statuses": statuses}


CLOCK = Check(
    "clock",
    "A job is created, started and ended in that order; its log is too; its stages fit into its life.",
    "Terminal states written for jobs that went on; queue times that were negative.",
    _run,
)
