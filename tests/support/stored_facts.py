"""Jobs, sessions and events for tests of the store: small, and with every field that a store could lose."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from antiphon.domain.jobs import Job, JobEvent, JobSpec, JobTrigger, PubSpec, Stages, advance
from antiphon.domain.sessions import Session, SessionAction, SessionEvent, open_session
from antiphon.domain.work import JobKind
from antiphon.ports.job_store import JobStore

T0 = 1_700_000_000.0
_numbers = itertools.count(1)


def make_job(*, target: str = "sim.auto", **changes: Any) -> Job:
    """A waiting job; each is a second younger than the one before."""
    number = next(_numbers)
    spec = JobSpec(
        kind=JobKind.ESTIMATE,
        target=target,
        pubs=(
            PubSpec("sha256:" + "a" * 64, (2, 3), "AAAA", None, 2**63 + 11, ("sha256:" + "b" * 64,), (1,)),
            PubSpec("sha256:" + "c" * 64, (), "", 1_000, 7),
        ),
        seed=2**64 - 1,
        options={"noise": {"p": 0.1}, "list": [1, None, "é"]},
        execution="inline",
        max_seconds=12.5,
        metadata={"who": "me"},
    )
    given: dict[str, Any] = {
        "id": f"job-{number:08d}",
        "workspace": "default",
        "spec": spec,
        "name": f"job {number}",
        "created_by": "ada",
        "created_at": T0 + number,
    }
    return Job(**{**given, **changes})


def make_session(**changes: Any) -> Session:
    """A new session; each is a second younger than the one before."""
    number = next(_numbers)
    given: dict[str, Any] = {
        "id": f"ses-{number:08d}",
        "workspace": "default",
        "target": "sim.auto",
        "name": f"session {number}",
        "created_by": "ada",
        "created_at": T0 + number,
    }
    return open_session(Session(**{**given, **changes}))


def submitted(job: Job) -> list[tuple[int, str, str, JobEvent]]:
    """The log that a job is stored with."""
    event = JobEvent(trigger=JobTrigger.SUBMITTED, at=job.created_at, who=job.created_by)
    return [(1, "submitted", job.status.value, event)]


def opened(session: Session) -> SessionEvent:
    """The event that a session is stored with."""
    return SessionEvent(action=SessionAction.CHECK_TIME, at=session.created_at, who=session.created_by, why="opened")


def add_job(store: JobStore, **changes: Any) -> Job:
    """A job, stored."""
    job = make_job(**changes)
    with store.write() as tx:
        tx.add_job(job, submitted(job))
    return job


def add_session(store: JobStore, **changes: Any) -> Session:
    """A session, stored."""
    session = make_session(**changes)
    with store.write() as tx:
        tx.add_session(session, opened(session))
    return session


def claim(store: JobStore, job: Job, owner: str = "eng-1") -> Job:
    """The job after `owner` claimed it, stored."""
    event = JobEvent(trigger=JobTrigger.CLAIMED, at=job.created_at + 1, who=owner, owner=owner)
    with store.write() as tx:
        after = advance(job, event)
        tx.save_job(job, after, event)
    return after


def success(job: Job) -> JobEvent:
    """The event that ends a claimed job well."""
    return JobEvent(
        trigger=JobTrigger.SUCCEEDED,
        at=job.created_at + 2,
        who="eng-1",
        why="the target answered",
        fence=job.fence,
        stages=replace(Stages(compile=0.1), queue=0.2, execute=0.3, reconcile=0.4),
        provenance={"engine": "lightning", "nested": {"list": [1.5]}},
        cost=({"item": "seconds", "amount": 0.3},),
    )
