"""Jobs, sessions, targets and items as the native API shows them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.client.connection import TargetView
from antiphon.client.wire.times import from_iso, to_iso
from antiphon.domain.badges import Badge
from antiphon.domain.batches import BatchItem
from antiphon.domain.devices import DeviceShape
from antiphon.domain.jobs import Job, JobSpec, JobStatus, PubSpec, Stages, as_told
from antiphon.domain.programs import Profile
from antiphon.domain.queues import Access, Priority
from antiphon.domain.sessions import FailurePolicy, Session, SessionStatus
from antiphon.domain.targets import Limits, TargetInfo
from antiphon.domain.work import JobKind


def job_to_json(job: Job) -> dict[str, Any]:
    """A job as its resource. What only the service's inside needs (owner, fence, holds) is left out."""
    spec = job.spec
    return {
        "id": job.id,
        "name": job.name,
        "kind": spec.kind.value,
        "workspace": job.workspace,
        "target": spec.target,
        "status": as_told(job).status.value,
        "session_id": job.session_id,
        "created_by": job.created_by,
        "created_at": to_iso(job.created_at),
        "queued_at": to_iso(job.queued_at),
        "started_at": to_iso(job.started_at),
        "ended_at": to_iso(job.ended_at),
        "cancel_requested_at": to_iso(job.cancel_requested_at),
        "shots": job.shots,
        "seed": spec.seed,
        "pubs": [_pub_to_json(pub) for pub in spec.pubs],
        "options": dict(spec.options),
        "execution": spec.execution,
        "executor": job.executor,
        "max_seconds": spec.max_seconds,
        "metadata": dict(spec.metadata),
        "key": job.key,
        "version": job.version,
        "attempts": job.attempts,
        "priority": job.priority.value,
        "planned_s": job.planned_s,
        "yields": job.yields,
        "in_doubt": job.in_doubt,
        "estimate": None if job.estimate is None else dict(job.estimate),
        "stages": job.stages.to_json(),
        "error": None if job.error is None else dict(job.error),
        "provenance": dict(job.provenance),
        "cost": [dict(line) for line in job.cost],
    }


def job_from_json(data: Mapping[str, Any]) -> Job:
    """The inverse of `job_to_json`."""
    spec = JobSpec(
        kind=JobKind(data["kind"]),
        target=data["target"],
        pubs=tuple(_pub_from_json(pub) for pub in data["pubs"]),
        seed=data["seed"],
        options=data["options"],
        execution=data["execution"],
        max_seconds=data["max_seconds"],
        metadata=data["metadata"],
    )
    return Job(
        id=data["id"],
        workspace=data["workspace"],
        spec=spec,
        name=data["name"],
        created_by=data["created_by"],
        created_at=from_iso(data["created_at"]) or 0.0,
        session_id=data["session_id"],
        key=data["key"],
        status=JobStatus(data["status"]),
        version=data["version"],
        fence=data["attempts"] + data["yields"],
        executor=data["executor"],
        queued_at=from_iso(data["queued_at"]),
        started_at=from_iso(data["started_at"]),
        ended_at=from_iso(data["ended_at"]),
        cancel_requested_at=from_iso(data["cancel_requested_at"]),
        stages=Stages(**data["stages"]),
        error=data["error"],
        provenance=data["provenance"],
        cost=tuple(data["cost"]),
        priority=Priority(data["priority"]),
        planned_s=data["planned_s"],
        yields=data["yields"],
        in_doubt=data["in_doubt"],
        estimate=data["estimate"],
    )


def _pub_to_json(pub: PubSpec) -> dict[str, Any]:
    return {
        "program": pub.program,
        "parameters_shape": list(pub.parameters_shape),
        "parameters": pub.parameters,
        "shots": pub.shots,
        "seed": pub.seed,
        "observables": None if pub.observables is None else list(pub.observables),
        "observables_shape": list(pub.observables_shape),
    }


def _pub_from_json(data: Mapping[str, Any]) -> PubSpec:
    observables = data["observables"]
    return PubSpec(
        program=data["program"],
        parameters_shape=tuple(data["parameters_shape"]),
        parameters=data["parameters"],
        shots=data["shots"],
        seed=data["seed"],
        observables=None if observables is None else tuple(observables),
        observables_shape=tuple(data["observables_shape"]),
    )


def session_to_json(session: Session) -> dict[str, Any]:
    """A session as its resource."""
    return {
        "id": session.id,
        "name": session.name,
        "workspace": session.workspace,
        "target": session.target,
        "status": session.status.value,
        "created_by": session.created_by,
        "created_at": to_iso(session.created_at),
        "key": session.key,
        "failure_policy": session.failure_policy.value,
        "idle_limit_s": session.idle_limit_s,
        "total_limit_s": session.total_limit_s,
        "max_jobs": session.max_jobs,
        "max_seconds": session.max_seconds,
        "max_cost": session.max_cost,
        "version": session.version,
        "accepting_jobs": session.accepting_jobs,
        "jobs": session.jobs,
        "pending": session.pending,
        "failed": session.failed,
        "used_seconds": session.used_seconds,
        "used_cost": session.used_cost,
        "holding_since": to_iso(session.holding_since),
        "held_s": session.held_s,
        "first_job_at": to_iso(session.first_job_at),
        "last_activity_at": to_iso(session.last_activity_at),
        "ended_at": to_iso(session.ended_at),
        "due_at": to_iso(session.due_at),
        "end_reason": session.end_reason,
    }


def session_from_json(data: Mapping[str, Any]) -> Session:
    """The inverse of `session_to_json`."""
    return Session(
        id=data["id"],
        workspace=data["workspace"],
        target=data["target"],
        name=data["name"],
        created_by=data["created_by"],
        created_at=from_iso(data["created_at"]) or 0.0,
        key=data["key"],
        failure_policy=FailurePolicy(data["failure_policy"]),
        idle_limit_s=data["idle_limit_s"],
        total_limit_s=data["total_limit_s"],
        status=SessionStatus(data["status"]),
        version=data["version"],
        accepting_jobs=data["accepting_jobs"],
        jobs=data["jobs"],
        pending=data["pending"],
        failed=data["failed"],
        first_job_at=from_iso(data["first_job_at"]),
        last_activity_at=from_iso(data["last_activity_at"]),
        ended_at=from_iso(data["ended_at"]),
        due_at=from_iso(data["due_at"]),
        end_reason=data["end_reason"],
        max_jobs=data["max_jobs"],
        max_seconds=data["max_seconds"],
        max_cost=data["max_cost"],
        used_seconds=data["used_seconds"],
        used_cost=data["used_cost"],
        holding_since=from_iso(data["holding_since"]),
        held_s=data["held_s"],
    )


def target_to_json(view: TargetView) -> dict[str, Any]:
    """A target as its resource, with its queue."""
    limits = view.info.limits
    return {
        **view.info.to_json(),
        "limits": {
            "max_qubits": limits.max_qubits,
            "max_shots": limits.max_shots,
            "max_programs": limits.max_programs,
            "max_parameter_sets": limits.max_parameter_sets,
            "max_operations": limits.max_operations,
            "max_seconds": limits.max_seconds,
        },
        "slots": view.slots,
        "access": view.access.value,
        "queue_depth": view.queue_depth,
        "running": view.running,
        "expected_wait": view.expected_wait,
        "badge": None if view.badge is None else badge_to_json(view.badge, view.info.version),
    }


def target_from_json(data: Mapping[str, Any]) -> TargetView:
    """The inverse of `target_to_json`."""
    device = data.get("device")
    info = TargetInfo(
        name=data["name"],
        provider=data["provider"],
        kind=data["kind"],
        version=data["version"],
        profile=Profile(data["profile"]),
        limits=Limits(**data["limits"]),
        estimates=data["estimates"],
        takes_noise=data["takes_noise"],
        seeded=data.get("seeded", True),
        options=data["options"],
        description=data["description"],
        status=data["status"],
        status_reason=data.get("status_reason", ""),
        device=None if device is None else DeviceShape.from_json(device),
    )
    access = Access(data["access"])
    stored = data.get("badge")
    badge = None if stored is None else badge_from_json(stored)
    return TargetView(info, data["queue_depth"], data["running"], data["expected_wait"], data["slots"], access, badge)


def badge_to_json(badge: Badge, version: str) -> dict[str, Any]:
    """A badge as part of its target, which has this version now."""
    return {**badge.to_json(), "at": to_iso(badge.at), "outcome": badge.in_words(version)}


def badge_from_json(data: Mapping[str, Any]) -> Badge:
    """The inverse of `badge_to_json`."""
    facts = {name: value for name, value in data.items() if name != "outcome"}
    return Badge.from_json({**facts, "at": from_iso(data["at"]) or 0.0})


def item_to_json(item: BatchItem) -> dict[str, Any]:
    """One program of a batch, with its outcome once it has one."""
    return {
        "index": item.index,
        "status": item.status.value,
        "error": None if item.error is None else dict(item.error),
        "outcome": None if item.outcome is None else dict(item.outcome),
        "provenance": None if item.provenance is None else dict(item.provenance),
        "started_at": to_iso(item.started_at),
        "ended_at": to_iso(item.ended_at),
    }


def item_from_json(data: Mapping[str, Any]) -> BatchItem:
    """The inverse of `item_to_json`."""
    return BatchItem(
        index=data["index"],
        status=JobStatus(data["status"]),
        error=data["error"],
        outcome=data["outcome"],
        provenance=data["provenance"],
        started_at=from_iso(data["started_at"]),
        ended_at=from_iso(data["ended_at"]),
    )
