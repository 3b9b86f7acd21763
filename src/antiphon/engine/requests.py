"""What a caller asks of the engine: programs read and parameters bound, nothing stored yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from antiphon.domain.observables import Observable
from antiphon.domain.parameters import NO_PARAMETERS, ParameterSets
from antiphon.domain.programs import Program
from antiphon.domain.queues import Priority
from antiphon.domain.work import JobKind


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for the audit log; what is asked in this process has none, and no line there.

    Attributes:
        via: How the caller proved who it is (`Principal.via`).
        where: Its address.
    """

    via: str
    where: str


@dataclass(frozen=True, slots=True)
class PubRequest:
    """One pub before it has a seed."""

    program: Program
    parameters: ParameterSets = NO_PARAMETERS
    shots: int | None = None
    observables: tuple[Observable, ...] | None = None
    observables_shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reuse:
    """Whether the result of an earlier job may answer a submit, and this job's own result later ones.

    Attributes:
        max_age_s: How old the earlier result may be; None runs the job in any case.
        even_sampled: Also where running it again would give another sample: noise, or no seed.
    """

    max_age_s: float | None = None
    even_sampled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitRequest:
    """One job to be.

    Attributes:
        seed: None draws one; the drawn seed is recorded.
        key: Idempotency key: a second submit under it returns the first job.
        read_seconds: Time the caller spent reading the program, counted in the compile stage.
        trace: W3C traceparent of the caller's span, kept on the job.
        reuse: None neither uses nor offers results.
        origin: Who sent it from where; with it the audit log has a line "job.submit".
        priority: Its priority in the queue of its target.
    """

    workspace: str
    who: str
    kind: JobKind
    target: str
    pubs: tuple[PubRequest, ...]
    name: str = ""
    seed: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    execution: str = "auto"
    max_seconds: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    session_id: str | None = None
    key: str | None = None
    read_seconds: float = 0.0
    trace: str | None = None
    reuse: Reuse | None = None
    origin: Origin | None = None
    priority: Priority = Priority.STANDARD


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSessionRequest:
    """One session to be. A `key` that names a live session returns that session.

    With an `origin` the audit log has a line "session.open".
    """

    workspace: str
    who: str
    target: str
    name: str = ""
    failure_policy: str = "abort"
    idle_limit_s: float | None = None
    total_limit_s: float | None = None
    max_jobs: int | None = None
    max_seconds: float | None = None
    max_cost: float | None = None
    key: str | None = None
    origin: Origin | None = None
