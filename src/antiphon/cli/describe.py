"""Jobs, sessions and targets as the JSON that --json prints: one shape each, wherever they appear."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from antiphon.domain.work import JobKind
from antiphon.errors import MissingExtraError

if TYPE_CHECKING:
    from antiphon.client.job import Job
    from antiphon.client.result import Result
    from antiphon.client.session import Session
    from antiphon.client.target import Target
    from antiphon.domain.jobs import Job as JobFacts


LEVEL = 0.95


def describe_facts(facts: JobFacts) -> dict[str, Any]:
    """A stored job; times are ISO 8601 in UTC, stages seconds."""
    return {
        "id": facts.id,
        "name": facts.name,
        "kind": facts.spec.kind.value,
        "target": facts.spec.target,
        "status": facts.status.value,
        "session_id": facts.session_id,
        "priority": facts.priority.value,
        "in_doubt": facts.in_doubt,
        "shots": facts.spec.pubs[0].shots,
        "seed": facts.spec.seed,
        "created_at": iso(facts.created_at),
        "started_at": iso(facts.started_at),
        "ended_at": iso(facts.ended_at),
        "created_by": facts.created_by,
        "executor": facts.executor,
        "attempts": facts.attempts,
        "engine": facts.provenance.get("engine"),
        "stages": facts.stages.to_json(),
        "estimate": dict(facts.estimate) if facts.estimate else None,
        "cost": [dict(line) for line in facts.cost],
        "metadata": dict(facts.spec.metadata),
        "error": dict(facts.error) if facts.error else None,
    }


def describe_job(job: Job) -> dict[str, Any]:
    """A job as it stands now."""
    return describe_facts(job.facts)


def describe_result(result: Result) -> dict[str, Any]:
    """`counts` of a sampling job (a list of them for a batch or sweep), `values` and `stderr` of an estimating one.

    Either from shots has an `interval` at a `level` of 0.95: `low` and `high` of values, both ends of each outcome in
    `probabilities`. It is left out where SciPy is needed for it and is not installed.

    A mitigated job has `mitigation` (settings, verdict, overhead) beside them, and `raw` values or corrected
    `probabilities`.
    """
    if result.job.spec.kind is JobKind.ESTIMATE:
        found = {"values": _plain(result.values), "stderr": _plain(result.stderr)}
        ends = interval_of(result)
        if ends is not None:
            found["interval"] = {"level": LEVEL, "low": _plain(ends[0]), "high": _plain(ends[1])}
    else:
        found, ends = {"counts": result.counts}, intervals_of(result)
        if ends is not None:
            found["interval"] = {"level": LEVEL, "probabilities": ends}
    if result.mitigation is None or not any(_each(result.mitigation)):
        return found
    if result.job.spec.kind is JobKind.ESTIMATE:
        found |= {"raw": {"values": _plain(result.raw.values), "stderr": _plain(result.raw.stderr)}}
    elif any("probabilities" in each for each in _each(result.mitigation) if each):
        found["probabilities"] = result.probabilities
    told = [None if each is None else _summary(each) for each in _each(result.mitigation)]
    return {**found, "mitigation": told[0] if len(told) == 1 else told}


def interval_of(result: Result) -> tuple[Any, Any] | None:
    """The ends of the confidence intervals of values, each in their shape; None for exact ones and without SciPy."""
    if result.shots is None:
        return None
    found = intervals_of(result)
    return ([low for low, _ in found], [high for _, high in found]) if isinstance(found, list) else found


def intervals_of(result: Result) -> Any:
    """As `Result.interval`; None where SciPy is needed for it and is not installed."""
    try:
        return result.interval(LEVEL)
    except MissingExtraError:
        return None


def _each(told: Any) -> list[Any]:
    return told if isinstance(told, list) else [told]


def _summary(told: Mapping[str, Any]) -> dict[str, Any]:
    """Without the counts of every circuit, which the record has."""
    return {name: told[name] for name in ("settings", "verdict", "verdicts", "overhead") if name in told}


def describe_session(session: Session) -> dict[str, Any]:
    """A session as it stands now."""
    facts = session.facts
    return {
        "id": facts.id,
        "name": facts.name,
        "target": facts.target,
        "status": facts.status.value,
        "accepting_jobs": facts.accepting_jobs,
        "failure_policy": facts.failure_policy.value,
        "jobs": facts.jobs,
        "pending": facts.pending,
        "failed": facts.failed,
        "created_at": iso(facts.created_at),
        "created_by": facts.created_by,
        "ended_at": iso(facts.ended_at),
        "end_reason": facts.end_reason,
        "idle_limit_s": facts.idle_limit_s,
        "total_limit_s": facts.total_limit_s,
        "max_jobs": facts.max_jobs,
        "max_seconds": facts.max_seconds,
        "max_cost": facts.max_cost,
        "used_seconds": facts.used_seconds,
        "used_cost": facts.used_cost,
        "holding_since": iso(facts.holding_since),
        "held_s": facts.held_s,
    }


def describe_target(target: Target) -> dict[str, Any]:
    """A target, with its queue."""
    badge = target.badge
    return {
        **target.info.to_json(),
        "queue_depth": target.queue_depth,
        "expected_wait_s": target.expected_wait,
        "slots": target.slots,
        "access": target.access,
        "badge": None if badge is None else {**badge.to_json(), "outcome": badge.in_words(target.info.version)},
    }


def iso(at: float | None) -> str | None:
    """A time as ISO 8601 in UTC, to the millisecond."""
    if at is None:
        return None
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(values: Any) -> Any:
    if isinstance(values, list):
        return [_plain(value) for value in values]
    return values if isinstance(values, float) else values.tolist()
