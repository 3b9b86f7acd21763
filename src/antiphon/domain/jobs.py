"""Jobs: one submission with one life. Nothing outside this module assigns a job's status.

`advance` is the pure function, `JOB_TRANSITIONS` the table. The store saves what `advance` returns only if the version
is unchanged, and appends the event in the same transaction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.queues import Priority, Rank, rank_of
from antiphon.domain.quotas import Hold
from antiphon.domain.transitions import TransitionTable
from antiphon.domain.work import JobKind
from antiphon.errors import ConflictError


class JobStatus(StrEnum):
    """Where a job stands; the words are Azure Quantum's, which the field already speaks."""

    WAITING = "Waiting"
    EXECUTING = "Executing"
    CANCELLATION_REQUESTED = "CancellationRequested"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def is_final(self) -> bool:
        """True when nothing changes it any more."""
        return self in FINAL_STATUSES


PROVIDER = "provider"
"""As the `executor` of a job: it runs at a provider."""
FINAL_STATUSES = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


class JobTrigger(StrEnum):
    """What can happen to a job."""

    SUBMITTED = "submitted"  # how a job comes to be: the first line of its log, and never a transition
    CLAIMED = "claimed"  # an engine took the lease
    LEASE_LOST = "lease lost"  # its engine died or shut down; the job waits for another
    YIELDED = "yielded"  # a batch gave way after its quantum; what it has done stays done
    STARTED = "started at provider"  # until then it waits there, in the provider's own queue
    IN_DOUBT = "in doubt"  # a provider may have taken it or not; nothing is sent again until that is known
    RESOLVED = "resolved"  # it is known now
    UNREACHABLE = "provider unreachable"  # the provider that has it cannot be asked; that says nothing about the job
    REACHED = "provider reached"  # it can be asked again
    CANCEL_REQUESTED = "cancel requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"  # cancellation confirmed, or its session ended under it


JOB_TRANSITIONS: TransitionTable[JobStatus, JobTrigger] = TransitionTable(
    "job",
    JobStatus.WAITING,
    {
        (JobStatus.WAITING, JobTrigger.CLAIMED): JobStatus.EXECUTING,
        (JobStatus.WAITING, JobTrigger.CANCEL_REQUESTED): JobStatus.CANCELLED,
        (JobStatus.WAITING, JobTrigger.CANCELLED): JobStatus.CANCELLED,
        (JobStatus.WAITING, JobTrigger.FAILED): JobStatus.FAILED,
        (JobStatus.EXECUTING, JobTrigger.LEASE_LOST): JobStatus.WAITING,
        (JobStatus.EXECUTING, JobTrigger.YIELDED): JobStatus.WAITING,
        (JobStatus.EXECUTING, JobTrigger.STARTED): JobStatus.EXECUTING,
        (JobStatus.EXECUTING, JobTrigger.IN_DOUBT): JobStatus.EXECUTING,
        (JobStatus.EXECUTING, JobTrigger.RESOLVED): JobStatus.EXECUTING,
        (JobStatus.EXECUTING, JobTrigger.UNREACHABLE): JobStatus.EXECUTING,
        (JobStatus.EXECUTING, JobTrigger.REACHED): JobStatus.EXECUTING,
        (JobStatus.EXECUTING, JobTrigger.CANCEL_REQUESTED): JobStatus.CANCELLATION_REQUESTED,
        (JobStatus.EXECUTING, JobTrigger.SUCCEEDED): JobStatus.SUCCEEDED,
        (JobStatus.EXECUTING, JobTrigger.FAILED): JobStatus.FAILED,
        # Cancelling is a request: what was already running may still end, and the record says so.
        (JobStatus.CANCELLATION_REQUESTED, JobTrigger.SUCCEEDED): JobStatus.SUCCEEDED,
        (JobStatus.CANCELLATION_REQUESTED, JobTrigger.FAILED): JobStatus.FAILED,
        (JobStatus.CANCELLATION_REQUESTED, JobTrigger.CANCELLED): JobStatus.CANCELLED,
        (JobStatus.CANCELLATION_REQUESTED, JobTrigger.LEASE_LOST): JobStatus.CANCELLED,
        (JobStatus.CANCELLATION_REQUESTED, JobTrigger.YIELDED): JobStatus.CANCELLED,
        (JobStatus.CANCELLATION_REQUESTED, JobTrigger.STARTED): JobStatus.CANCELLATION_REQUESTED,
        (JobStatus.CANCELLATION_REQUESTED, JobTrigger.IN_DOUBT): JobStatus.CANCELLATION_REQUESTED,
        (JobStatus.CANCELLATION_REQUESTED, JobTrigger.RESOLVED): JobStatus.CANCELLATION_REQUESTED,
        (JobStatus.CANCELLATION_REQUESTED, JobTrigger.UNREACHABLE): JobStatus.CANCELLATION_REQUESTED,
        (JobStatus.CANCELLATION_REQUESTED, JobTrigger.REACHED): JobStatus.CANCELLATION_REQUESTED,
    },
    FINAL_STATUSES,
)


@dataclass(frozen=True, slots=True)
class PubSpec:
    """One pub as stored: everything large is named by content hash.

    Attributes:
        program: Digest of the program.
        parameters_shape: Shape of the array of parameter sets.
        parameters: The values: base64 of float64 little-endian, or "sha256:…" of those bytes when they are many.
        shots: Repetitions of each set, or None for exact values.
        seed: The pub's own derived seed.
        observables: Digests in C order, or None to sample.
        observables_shape: Shape of the array of observables.
        name: What the program is called in this job: the stored program belongs to everybody who submits the same. None
            for jobs from before it was kept.
    """

    program: str
    parameters_shape: tuple[int, ...]
    parameters: str
    shots: int | None
    seed: int
    observables: tuple[str, ...] | None = None
    observables_shape: tuple[int, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What was asked, immutable from submit on.

    Attributes:
        kind: Which call made it.
        target: Name of the target.
        pubs: What runs.
        seed: The job's seed as given, or drawn at submit; every pub's seed is hashed from it.
        options: The target's options (JSON values).
        execution: "auto", "inline" or "process", as asked.
        max_seconds: Wall-clock limit of the execution.
        metadata: The user's own labels.
    """

    kind: JobKind
    target: str
    pubs: tuple[PubSpec, ...]
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)
    execution: str = "auto"
    max_seconds: float = 3_600.0
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stages:
    """Seconds spent in each stage; None for a stage the job did not reach."""

    compile: float | None = None  # reading, validating and planning the program, before it was queued
    queue: float | None = None  # from queued to claimed, all attempts; at a provider to its start there
    execute: float | None = None  # in the target, last attempt; of a batch that gave way, all its turns
    reconcile: float | None = None  # from the target's answer to the result being recorded

    def to_json(self) -> dict[str, float | None]:
        """The stages as JSON values."""
        return {name: getattr(self, name) for name in ("compile", "queue", "execute", "reconcile")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One submission: what was asked (`spec`), where it stands, and what is known of how it ran.

    Times are seconds since the epoch (UTC). `queued_at` is when it last began to wait (None: at `created_at`),
    `started_at` when it first ran; what an engine has handed to a provider runs once that has started it.
    `executor` is where it runs: "inline", "process" or "provider". `fence` grows with every claim: a result that
    carries an older fence is refused. `version` grows with every change: a save against an older version is refused.
    `holds` is what it holds of its workspace's quotas until it is final; `trace` is the W3C traceparent of the submit,
    so that spans of whatever process runs it link to it. `work_digest` names all that its result depends on, where
    results may be given again (see `engine.cached`). `planned_s` is what its target planned at submit, `estimate` the
    quantiles of wait, run time and cost that were given then. `yields` counts how often it gave way to others.
    `in_doubt` is True while nobody knows whether a provider took it.
    """

    id: str
    workspace: str
    spec: JobSpec
    name: str
    created_by: str
    created_at: float
    session_id: str | None = None
    key: str | None = None
    request_digest: str = ""
    status: JobStatus = JobStatus.WAITING
    version: int = 1
    fence: int = 0
    owner: str | None = None
    executor: str = "process"
    queued_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    cancel_requested_at: float | None = None
    stages: Stages = Stages()
    error: Mapping[str, Any] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    cost: tuple[Mapping[str, Any], ...] = ()
    holds: tuple[Hold, ...] = ()
    trace: str | None = None
    work_digest: str | None = None
    priority: Priority = Priority.STANDARD
    planned_s: float = 0.0
    yields: int = 0
    in_doubt: bool = False
    estimate: Mapping[str, Any] | None = None

    @property
    def rank(self) -> Rank:
        """Its class in the queue of its target."""
        return rank_of(self.priority, in_session=self.session_id is not None)

    @property
    def waits_there(self) -> bool:
        """Whether an engine sees it through, and the provider that has it, or is to get it, has not started it."""
        return self.status is JobStatus.EXECUTING and self.started_at is None

    @property
    def attempts(self) -> int:
        """How often an engine has taken it, not counting what it took up again after giving way."""
        return self.fence - self.yields

    @property
    def shots(self) -> int:
        """Shots of all its pubs and parameter sets together; 0 for exact expectation values."""
        return sum((pub.shots or 0) * math.prod(pub.parameters_shape) for pub in self.spec.pubs)

    @property
    def is_cached(self) -> bool:
        """Whether it was answered with an earlier job's result: then no target ran anything for it."""
        return "cached" in self.provenance

    @property
    def charged_shots(self) -> int:
        """Shots that count for quotas and sums: all that it asked for, unless it is cached."""
        return 0 if self.is_cached else self.shots


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """Something that happened to a job: when, who, why, and what it brought.

    Only the fields that belong to `trigger` are read: `owner` with CLAIMED; `fence` with everything an owner reports
    (SUCCEEDED, FAILED or CANCELLED of a claimed job); `error` with what ends the job as Failed or Cancelled; `stages`,
    `provenance` and `cost` with the end of an execution; `started_at` with STARTED and the end of a job that ran at a
    provider, if that tells it.
    """

    trigger: JobTrigger
    at: float
    who: str
    why: str = ""
    owner: str | None = None
    fence: int | None = None
    error: Mapping[str, Any] | None = None
    stages: Stages | None = None
    provenance: Mapping[str, Any] | None = None
    cost: tuple[Mapping[str, Any], ...] = ()
    started_at: float | None = None


class StaleLeaseError(ConflictError):
    """A late report of a lease that another engine holds by now."""

    code = "lease-stale"


def advance(job: Job, event: JobEvent) -> Job:
    """The job after `event`; pure.

    Raises:
        TransitionRefusedError: The table does not list the event in the job's status.
        StaleLeaseError: The event reports for a fencing token that is no longer the job's.
    """
    if event.fence is not None and event.fence != job.fence:
        raise StaleLeaseError(
            f"Job {job.id} is held under lease {job.fence} by now; a report for lease {event.fence} is refused.",
            details={"job": job.id, "fence": job.fence, "reported": event.fence},
        )
    status = JOB_TRANSITIONS.next(job.status, event.trigger)
    changes: dict[str, Any] = {"status": status, "version": job.version + 1}
    match event.trigger:
        case JobTrigger.CLAIMED:
            changes |= {"fence": job.fence + 1, "owner": event.owner}
            if job.executor != PROVIDER:
                started_at = event.at if job.started_at is None else job.started_at
                changes |= {"started_at": started_at, "stages": _queued_until(job, job.stages, event.at)}
        case JobTrigger.STARTED if job.started_at is None:
            at = _start(job, event)
            changes |= {"started_at": at, "stages": _queued_until(job, job.stages, at)}
        case JobTrigger.LEASE_LOST:
            # What its provider has not started waits on, whoever sees it through.
            changes |= {"owner": None} if job.waits_there else {"owner": None, "queued_at": event.at}
        case JobTrigger.YIELDED:
            changes |= {"owner": None, "queued_at": event.at, "yields": job.yields + 1}
            changes["stages"] = _with_earlier_turns(job, event.stages)
        case JobTrigger.IN_DOUBT:
            changes["in_doubt"] = True
        case JobTrigger.RESOLVED:
            changes["in_doubt"] = False
        case JobTrigger.STARTED | JobTrigger.UNREACHABLE | JobTrigger.REACHED:
            pass
        case JobTrigger.CANCEL_REQUESTED:
            changes["cancel_requested_at"] = event.at
        case _:
            changes["owner"] = None
    if status.is_final:
        changes |= {
            "ended_at": event.at,
            "owner": None,
            "in_doubt": False,
            "error": None if status is JobStatus.SUCCEEDED else event.error,
            "stages": _with_earlier_turns(job, event.stages),
            "provenance": {**job.provenance, **(event.provenance or {})},
            "cost": job.cost + event.cost,
        }
        if job.executor == PROVIDER and job.owner is not None and job.started_at is None:
            changes |= _ended_there(job, event, changes["stages"], succeeded=status is JobStatus.SUCCEEDED)
    return evolve(job, **changes)


def as_told(job: Job) -> Job:
    """The job as its users are told of it: it waits until its provider has started it, whoever sees it through."""
    return evolve(job, status=JobStatus.WAITING) if job.waits_there else job


def _queued_until(job: Job, stages: Stages, at: float) -> Stages:
    since = job.created_at if job.queued_at is None else job.queued_at
    return evolve(stages, queue=(job.stages.queue or 0.0) + max(0.0, at - since))


def _start(job: Job, event: JobEvent) -> float:
    """When a provider started it: as it tells, if that can be (its clock is another)."""
    told = event.at if event.started_at is None else event.started_at
    return max(job.created_at, min(told, event.at))


def _ended_there(job: Job, event: JobEvent, stages: Stages, *, succeeded: bool) -> dict[str, Any]:
    """What is known of a job that nobody saw run at its provider: it was too short for that, or never ran."""
    ran = stages.execute or 0.0
    if not (succeeded or ran > 0.0 or event.started_at is not None):
        return {"stages": _queued_until(job, stages, event.at)}
    at = _start(job, event if event.started_at is not None else evolve(event, started_at=event.at - ran))
    return {"started_at": at, "stages": _queued_until(job, stages, at)}


def _with_earlier_turns(job: Job, stages: Stages | None) -> Stages:
    """The stages of an event, which tells of the last turn alone, with the seconds of those before it."""
    if stages is None:
        return job.stages
    if not job.yields or job.stages.execute is None:
        return stages
    return evolve(stages, execute=job.stages.execute + (stages.execute or 0.0))
