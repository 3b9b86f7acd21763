"""Rows to facts and back, by hand: the order of fields is the order of columns in `tables`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from antiphon.domain.batches import BatchItem
from antiphon.domain.jobs import Job, JobSpec, JobStatus, PubSpec, Stages
from antiphon.domain.queues import Priority
from antiphon.domain.quotas import Dimension, Hold
from antiphon.domain.sessions import FailurePolicy, Session, SessionStatus
from antiphon.domain.work import JobKind


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"not a JSON value: {type(value).__name__}")


encode = json.JSONEncoder(separators=(",", ":"), default=_plain).encode
decode = json.loads

_STATUS = {status.value: status for status in JobStatus}
_SESSION_STATUS = {status.value: status for status in SessionStatus}
_PRIORITY = {priority.value: priority for priority in Priority}
_KIND = {kind.value: kind for kind in JobKind}
_UNKNOWN_STAGES = Stages()


def encode_optional(value: Mapping[str, Any] | None) -> str | None:
    """JSON text, or None for None."""
    return None if value is None else encode(value)


def job_row(job: Job) -> tuple[Any, ...]:
    """All columns of `jobs`."""
    spec = job.spec
    return (
        job.id,
        job.workspace,
        spec.target,
        spec.kind.value,
        job.name,
        job.created_by,
        job.created_at,
        job.session_id,
        job.key,
        job.request_digest,
        job.status.value,
        job.version,
        job.fence,
        job.owner,
        job.executor,
        job.queued_at,
        job.started_at,
        job.ended_at,
        job.cancel_requested_at,
        _encode_spec(spec),
        *_outcome_columns(job),
        job.charged_shots,
        job.stages.execute,
        _encode_holds(job),
        job.trace,
        job.work_digest,
        job.priority.value,
        int(job.rank),
        job.planned_s,
        job.yields,
        job.in_doubt,
        encode_optional(job.estimate),
    )


CHANGING_JOB_COLUMNS = (
    "status",
    "version",
    "fence",
    "owner",
    "executor",
    "queued_at",
    "started_at",
    "ended_at",
    "cancel_requested_at",
    "stages",
    "error",
    "provenance",
    "cost",
    "shots",
    "execute_s",
    "yields",
    "in_doubt",
)
"""What a change of a job may touch; the rest was said at submit."""


def job_changes(job: Job) -> tuple[Any, ...]:
    """The values of `CHANGING_JOB_COLUMNS`."""
    return (
        job.status.value,
        job.version,
        job.fence,
        job.owner,
        job.executor,
        job.queued_at,
        job.started_at,
        job.ended_at,
        job.cancel_requested_at,
        *_outcome_columns(job),
        job.charged_shots,
        job.stages.execute,
        job.yields,
        job.in_doubt,
    )


def job_of(row: tuple[Any, ...]) -> Job:
    """The job of a row of `jobs`."""
    return Job(
        id=row[0],
        workspace=row[1],
        name=row[4],
        created_by=row[5],
        created_at=row[6],
        session_id=row[7],
        key=row[8],
        request_digest=row[9],
        status=_STATUS[row[10]],
        version=row[11],
        fence=row[12],
        owner=row[13],
        executor=row[14],
        queued_at=row[15],
        started_at=row[16],
        ended_at=row[17],
        cancel_requested_at=row[18],
        spec=_decode_spec(row[19]),
        stages=_UNKNOWN_STAGES if row[20] is None else Stages(**decode(row[20])),
        error=None if row[21] is None else decode(row[21]),
        provenance={} if row[22] is None else decode(row[22]),
        cost=() if row[23] is None else tuple(decode(row[23])),
        # 24 and 25, shots and seconds, are there for sums over many jobs.
        holds=() if row[26] is None else tuple(_hold_of(data) for data in decode(row[26])),
        trace=row[27],
        work_digest=row[28],
        priority=_PRIORITY[row[29]],
        # 30, the rank, follows from the priority and the session.
        planned_s=row[31],
        yields=row[32],
        in_doubt=bool(row[33]),
        estimate=None if row[34] is None else decode(row[34]),
    )


def _encode_holds(job: Job) -> str | None:
    if not job.holds:
        return None
    return encode([[hold.quota, hold.dimension.value, hold.period_start, hold.amount] for hold in job.holds])


def _hold_of(data: list[Any]) -> Hold:
    quota, dimension, period_start, amount = data
    return Hold(quota, Dimension(dimension), period_start, amount)


def _outcome_columns(job: Job) -> tuple[str | None, str | None, str | None, str | None]:
    return (
        None if job.stages == _UNKNOWN_STAGES else encode(job.stages.to_json()),
        None if job.error is None else encode(job.error),
        encode(job.provenance) if job.provenance else None,
        encode(job.cost) if job.cost else None,
    )


def _encode_spec(spec: JobSpec) -> str:
    return encode(
        {
            "kind": spec.kind.value,
            "target": spec.target,
            "pubs": [
                {
                    "program": pub.program,
                    "parameters_shape": pub.parameters_shape,
                    "parameters": pub.parameters,
                    "shots": pub.shots,
                    "seed": pub.seed,
                    "observables": pub.observables,
                    "observables_shape": pub.observables_shape,
                    "name": pub.name,
                }
                for pub in spec.pubs
            ],
            "seed": spec.seed,
            "options": spec.options,
            "execution": spec.execution,
            "max_seconds": spec.max_seconds,
            "metadata": spec.metadata,
        }
    )


def _decode_spec(text: str) -> JobSpec:
    data = decode(text)
    return JobSpec(
        kind=_KIND[data["kind"]],
        target=data["target"],
        pubs=tuple(
            PubSpec(
                program=pub["program"],
                parameters_shape=tuple(pub["parameters_shape"]),
                parameters=pub["parameters"],
                shots=pub["shots"],
                seed=pub["seed"],
                observables=None if pub["observables"] is None else tuple(pub["observables"]),
                observables_shape=tuple(pub["observables_shape"]),
                name=pub.get("name"),
            )
            for pub in data["pubs"]
        ),
        seed=data["seed"],
        options=data["options"],
        execution=data["execution"],
        max_seconds=data["max_seconds"],
        metadata=data["metadata"],
    )


def session_row(session: Session) -> tuple[Any, ...]:
    """All columns of `sessions`."""
    return (
        session.id,
        session.workspace,
        session.target,
        session.name,
        session.created_by,
        session.created_at,
        session.key,
        session.failure_policy.value,
        session.idle_limit_s,
        session.total_limit_s,
        *session_changes(session)[:_OLD_SESSION_CHANGES],
        session.max_jobs,
        session.max_seconds,
        session.max_cost,
        *session_changes(session)[_OLD_SESSION_CHANGES:],
    )


CHANGING_SESSION_COLUMNS = (
    "status",
    "version",
    "accepting_jobs",
    "jobs",
    "pending",
    "failed",
    "first_job_at",
    "last_activity_at",
    "ended_at",
    "due_at",
    "end_reason",
    "used_seconds",
    "used_cost",
    "holding_since",
    "held_s",
)
"""What a change of a session may touch; the rest was said when it was opened."""

_OLD_SESSION_CHANGES = CHANGING_SESSION_COLUMNS.index("used_seconds")
# The limits that are said when it is opened stand between them in the table.


def session_changes(session: Session) -> tuple[Any, ...]:
    """The values of `CHANGING_SESSION_COLUMNS`."""
    return (
        session.status.value,
        session.version,
        session.accepting_jobs,
        session.jobs,
        session.pending,
        session.failed,
        session.first_job_at,
        session.last_activity_at,
        session.ended_at,
        session.due_at,
        session.end_reason,
        session.used_seconds,
        session.used_cost,
        session.holding_since,
        session.held_s,
    )


def session_of(row: tuple[Any, ...]) -> Session:
    """The session of a row of `sessions`."""
    return Session(
        id=row[0],
        workspace=row[1],
        target=row[2],
        name=row[3],
        created_by=row[4],
        created_at=row[5],
        key=row[6],
        failure_policy=FailurePolicy(row[7]),
        idle_limit_s=row[8],
        total_limit_s=row[9],
        status=_SESSION_STATUS[row[10]],
        version=row[11],
        accepting_jobs=bool(row[12]),
        jobs=row[13],
        pending=row[14],
        failed=row[15],
        first_job_at=row[16],
        last_activity_at=row[17],
        ended_at=row[18],
        due_at=row[19],
        end_reason=row[20],
        max_jobs=row[21],
        max_seconds=row[22],
        max_cost=row[23],
        used_seconds=row[24],
        used_cost=row[25],
        holding_since=row[26],
        held_s=row[27],
    )


def item_changes(item: BatchItem) -> tuple[Any, ...]:
    """Every column of `batch_items` but its key."""
    return (
        item.status.value,
        item.started_at,
        item.ended_at,
        encode_optional(item.error),
        encode_optional(item.outcome),
        encode_optional(item.provenance),
    )


def item_of(row: tuple[Any, ...]) -> BatchItem:
    """The item of a row of `batch_items` without the job."""
    return BatchItem(
        index=row[0],
        status=_STATUS[row[1]],
        started_at=row[2],
        ended_at=row[3],
        error=None if row[4] is None else decode(row[4]),
        outcome=None if row[5] is None else decode(row[5]),
        provenance=None if row[6] is None else decode(row[6]),
    )
