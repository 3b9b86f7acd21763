"""The resources as models: what OpenAPI says of every answer. Hot routes build the same shapes by hand.

Times are ISO 8601 in UTC with microseconds; lengths of time are seconds.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from antiphon.domain.jobs import JobStatus
from antiphon.domain.policies.estimates import Source
from antiphon.domain.queues import Priority
from antiphon.domain.sessions import FailurePolicy, SessionStatus
from antiphon.domain.work import JobKind


class Resource(BaseModel):
    """Base of what is sent."""

    model_config = ConfigDict(extra="forbid")


class Misfit(BaseModel):
    """A place of a request that does not fit."""

    pointer: str = Field(description="JSON pointer, from /body, /query, /path or /header on.")
    detail: str


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str = Field(description="urn:antiphon:problem: and the code.")
    title: str = Field(description="What went wrong, in one sentence.")
    status: int
    detail: str = Field(description="The cause; empty when the title says it all.")
    code: str = Field(description="Stable and kebab-case; scripts may compare it.")
    category: str = Field(description="Code of the kind of error it is one of.")
    solution: str = Field(description="What to do now.")
    details: dict[str, Any] = Field(description="Facts behind it: limits, names, positions.")
    request_id: str
    errors: list[Misfit] | None = Field(default=None, description="Of a request that does not fit: where, and why.")


class StoredError(Resource):
    """Why a job or an item ended without a result."""

    code: str
    message: str
    cause: str = ""
    next_step: str = ""
    details: dict[str, Any] = Field(default_factory=dict)


class StagesView(Resource):
    """Seconds spent in each stage; null for one that was not reached."""

    compile: float | None
    queue: float | None
    execute: float | None
    reconcile: float | None


class PubView(Resource):
    """One program of a job with its parameter sets; what is large is named by content hash."""

    program: str
    parameters_shape: list[int]
    parameters: str = Field(description="Base64 of float64, little-endian, C order; or sha256:… of those bytes.")
    shots: int | None
    seed: int
    observables: list[str] | None
    observables_shape: list[int]


class OutcomeView(Resource):
    """Counts or expectation values of one program, flat in C order over `shape`."""

    kind: Literal["sampled", "estimated"]
    shape: list[int]
    counts: list[dict[str, int]] | None = None
    outcomes: str | None = Field(
        default=None, description="bits: keys are bit strings, bit 0 rightmost; values: Q# values."
    )
    probabilities: list[dict[str, float]] | None = Field(
        default=None, description="Exact ones, where the option exact_probabilities asked for them."
    )
    values: list[float] | None = None
    stderr: list[float] | None = None
    shots: int | None
    details: dict[str, Any] | None = Field(
        default=None, description="Of mitigated jobs and those with an allocation: raw values, verdicts, every circuit."
    )
    noise: dict[str, Any] | None = Field(
        default=None, description="Of values from shots: what intervals have to know beside the standard errors."
    )
    interval: dict[str, Any] | None = Field(
        default=None,
        description="With ?level=: `low` and `high` of each value, or in `probabilities` both of each outcome.",
    )


class CachedView(Resource):
    """Of a job that did not run: whose result it has, and how old that was."""

    job: str
    age_s: float


class ResultView(Resource):
    """The one result of a job; immutable."""

    id: str
    outcomes: list[OutcomeView]
    cached: CachedView | None = Field(description="Null when the job ran itself.")


class ItemView(Resource):
    """One program of a batch, with its outcome once it has one."""

    index: int
    status: JobStatus
    error: StoredError | None
    outcome: OutcomeView | None
    provenance: dict[str, Any] | None
    started_at: str | None
    ended_at: str | None


class ItemList(Resource):
    """The programs of a batch in order; empty for any other job."""

    id: str
    status: JobStatus
    items: list[ItemView]


class QuantilesView(Resource):
    """Bounds that hold for 50, 80 and 95 % of jobs like this."""

    p50: float
    p80: float
    p95: float
    source: Source = Field(description="history: the target's newest jobs; model: its cost model, while those are few.")
    jobs: int = Field(description="How many jobs the history has.")
    upper_bound: bool = Field(description="Less is known than that: it is what it takes at most, as far as is known.")


class QuoteView(Resource):
    """What to expect of a job. Seconds; the cost in `currency`, null where the target has no prices."""

    at: float = Field(description="When it was made, seconds since the epoch.")
    target: str
    priority: Priority
    ahead_s: float = Field(description="Planned work before it, divided by how many jobs run at a time.")
    planned_s: float
    wait: QuantilesView
    run: QuantilesView
    cost: QuantilesView | None
    currency: str | None
    notes: list[str] = Field(description="What it rests on, and what is not known.")


class JobView(Resource):
    """A job."""

    id: str
    name: str
    kind: JobKind
    workspace: str
    target: str
    status: JobStatus
    session_id: str | None
    created_by: str
    created_at: str
    queued_at: str | None
    started_at: str | None
    ended_at: str | None
    cancel_requested_at: str | None
    shots: int
    seed: int
    pubs: list[PubView]
    options: dict[str, Any]
    execution: str
    executor: str
    max_seconds: float
    metadata: dict[str, str]
    key: str | None
    version: int
    attempts: int
    priority: Priority
    planned_s: float = Field(description="Seconds that its target planned it to run.")
    yields: int = Field(description="How often it gave way to others after its quantum.")
    in_doubt: bool = Field(
        description="Nobody knows whether its provider took it; nothing is sent before that is known."
    )
    estimate: QuoteView | None = Field(
        description="What was expected of it when it was submitted; null if it did not wait."
    )
    stages: StagesView
    error: StoredError | None
    provenance: dict[str, Any]
    cost: list[dict[str, Any]]
    cached: CachedView | None = Field(description="Null when the job runs itself.")
    links: dict[str, str]
    warnings: list[str]
    result: ResultView | None = Field(
        None,
        description="Only in the answer to a submit or replay, when the job ended at once and its result is small.",
    )


class Estimate(Resource):
    """What is expected of a job that has not ended."""

    execute_s: float | None = Field(description="Seconds in the target; an order of magnitude.")


class StatusView(Resource):
    """Where a job stands."""

    id: str
    status: JobStatus
    version: int = Field(description="Grows with every change; give it as `known_version` to wait for the next.")
    stage: Literal["queue", "execute", "done"]
    queue_position: int | None = Field(description="Jobs that start before it; null when it is not waiting.")
    estimate: Estimate | None
    links: dict[str, str]


class JobList(Resource):
    """One page of jobs."""

    jobs: list[JobView]
    next: str | None = Field(description="Address of the next page; null on the last.")


class EventView(Resource):
    """One line of the log of a job or session."""

    seq: int = Field(description="Grows within the server's database; the id in event streams.")
    version: int
    event: str
    status: str
    at: str
    who: str
    why: str


class AgreementView(Resource):
    """Whether two results of the same work agree, and how that was found."""

    agrees: bool
    test: str
    detail: str
    figures: dict[str, Any]


class ReplayView(Resource):
    """A finished replay: the new job, its original, the verdict, and what differed between the two runs."""

    job: JobView
    original: JobView
    agreement: AgreementView
    changed: list[str]


class SessionView(Resource):
    """A session."""

    id: str
    name: str
    workspace: str
    target: str
    status: SessionStatus
    created_by: str
    created_at: str
    key: str | None
    failure_policy: FailurePolicy
    idle_limit_s: float
    total_limit_s: float
    max_jobs: int | None
    max_seconds: float | None
    max_cost: float | None
    version: int
    accepting_jobs: bool
    jobs: int
    pending: int
    failed: int
    used_seconds: float = Field(description="Seconds that its jobs that have ended were in the target.")
    used_cost: float = Field(description="What its jobs that have ended cost.")
    holding_since: str | None = Field(description="Since when it holds its target; null while it does not.")
    held_s: float = Field(description="How long it held the target before that.")
    first_job_at: str | None
    last_activity_at: str | None
    ended_at: str | None
    due_at: str | None
    end_reason: str
    links: dict[str, str]


class SessionList(Resource):
    """One page of sessions, newest first."""

    sessions: list[SessionView]
    next: str | None = Field(description="Address of the next page; null on the last.")


class RootView(Resource):
    """The service, and who the caller is to it."""

    name: Literal["antiphon"]
    version: str
    workspace: str
    who: str
    role: str
    scopes: list[str]
    links: dict[str, str]
