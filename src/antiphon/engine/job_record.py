"""The record of a job: everything that is needed to run it again, as JSON values."""

from __future__ import annotations

import datetime as dt
import json
import struct
from typing import Any

from antiphon.domain.batches import BatchItem
from antiphon.domain.jobs import Job, PubSpec, as_told
from antiphon.domain.submissions import Submission
from antiphon.engine.artefacts import decode_parameters, read_artefact
from antiphon.engine.calibrations import CALIBRATION
from antiphon.engine.context import EngineContext
from antiphon.ports.job_store import StoredEvent, Transaction

SCHEMA = "antiphon-record/1"
TEXT_FORMATS = frozenset({"openqasm2", "openqasm3", "qir-text", "cirq-json", "ionq-json"})


def record_of(ctx: EngineContext, job: Job) -> dict[str, Any]:
    """The whole record: what was asked, programs as submitted and as compiled, how it ran, and its log."""
    with ctx.store.read() as tx:
        stored = tx.result(job.id)
        result: Any = None
        if stored is not None:
            body = stored.body if stored.artefact is None else read_artefact(ctx, tx, stored.artefact).decode()
            result = json.loads(body or "null")
        named = {pub.program: pub.name for pub in reversed(job.spec.pubs)}
        programs = {digest: _program(ctx, tx, digest, named[digest]) for digest in reversed(named)}
        return {
            "schema": SCHEMA,
            "id": job.id,
            "name": job.name,
            "workspace": job.workspace,
            "kind": job.spec.kind.value,
            "target": job.spec.target,
            "status": as_told(job).status.value,
            "created_by": job.created_by,
            "created_at": iso(job.created_at),
            "started_at": iso(job.started_at),
            "ended_at": iso(job.ended_at),
            "session_id": job.session_id,
            "priority": job.priority.value,
            "in_doubt": job.in_doubt,
            "estimate": None if job.estimate is None else dict(job.estimate),
            "idempotency_key": job.key,
            "seed": job.spec.seed,
            "shots": job.spec.pubs[0].shots,
            "options": dict(job.spec.options),
            "noise": job.spec.options.get("noise"),
            "mitigation": job.spec.options.get("mitigation"),
            "calibration": _calibration(ctx, tx, job),
            "metadata": dict(job.spec.metadata),
            "execution": {"asked": job.spec.execution, "executor": job.executor, "max_seconds": job.spec.max_seconds},
            "pubs": [_pub(ctx, tx, pub, programs[pub.program]) for pub in job.spec.pubs],
            "programs": programs,
            "provenance": _provenance(ctx, tx, job),
            "attempts": job.attempts,
            "yields": job.yields,
            "stages": job.stages.to_json(),
            "cost": [dict(line) for line in job.cost],
            "error": dict(job.error) if job.error else None,
            "result": result,
            "items": [_item(item) for item in tx.items(job.id)],
            "submissions": [_submission(line) for line in tx.submissions(job.id)],
            "events": [event_to_json(event) for event in tx.events(job.id)],
        }


def event_to_json(event: StoredEvent) -> dict[str, Any]:
    """One line of a log as JSON values."""
    return {
        "seq": event.seq,
        "version": event.version,
        "event": event.event,
        "status": event.status,
        "at": iso(event.at),
        "who": event.who,
        "why": event.why,
    }


def iso(at: float | None) -> str | None:
    """A time as ISO 8601 in UTC with microseconds, or None."""
    if at is None:
        return None
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _provenance(ctx: EngineContext, tx: Transaction, job: Job) -> dict[str, Any]:
    provenance = dict(job.provenance)
    if "environment" in provenance:
        provenance["environment"] = json.loads(read_artefact(ctx, tx, provenance["environment"]))
    if "compiled" in provenance:
        # Of a batch, some may not be compiled yet, or could not be.
        texts = {digest: read_artefact(ctx, tx, digest).decode() for digest in {*provenance["compiled"]} - {None}}
        provenance["compiled"] = [
            None if digest is None else {"digest": digest, "format": "openqasm3", "circuit": texts[digest]}
            for digest in provenance["compiled"]
        ]
    return provenance


def _calibration(ctx: EngineContext, tx: Transaction, job: Job) -> dict[str, Any] | None:
    told = job.provenance.get(CALIBRATION)
    if told is None:
        return None
    return {**told, "snapshot": json.loads(read_artefact(ctx, tx, told["digest"]))}


def _program(ctx: EngineContext, tx: Transaction, digest: str, name: str | None) -> dict[str, Any]:
    stored = tx.artefact(digest)
    facts = dict(stored.facts or {}) if stored is not None else {}
    source = read_artefact(ctx, tx, digest)
    compiled = facts.pop("compiled", None)
    text = facts.get("format") in TEXT_FORMATS
    return {
        **facts,
        "name": facts.get("name", "") if name is None else name,
        "digest": digest,
        "source": source.decode() if text else source.hex(),
        "source_encoding": "utf-8" if text else "hex",
        "compiled_digest": compiled,
        "compiled": read_artefact(ctx, tx, compiled).decode() if compiled else None,
        "compiled_format": "openqasm3" if compiled else None,
    }


def _pub(ctx: EngineContext, tx: Transaction, pub: PubSpec, program: dict[str, Any]) -> dict[str, Any]:
    data = decode_parameters(ctx, tx, pub.parameters)
    observables = None
    if pub.observables is not None:
        observables = [json.loads(read_artefact(ctx, tx, digest)) for digest in pub.observables]
    return {
        "program": pub.program,
        "parameter_names": program.get("parameters", []),
        "parameters_shape": list(pub.parameters_shape),
        "parameters": list(struct.unpack(f"<{len(data) // 8}d", data)),
        "observables_shape": list(pub.observables_shape),
        "observables": observables,
        "shots": pub.shots,
        "seed": pub.seed,
    }


def _submission(line: Submission) -> dict[str, Any]:
    return {
        "id": line.id,
        "position": line.position,
        "parent": line.parent,
        "key": line.key,
        "fence": line.fence,
        "state": line.state.value,
        "intended_at": iso(line.intended_at),
        "sent_at": iso(line.sent_at),
        "settled_at": iso(line.settled_at),
        "provider_id": line.provider_id,
        "error": None if line.error is None else dict(line.error),
        "cost": [dict(cost) for cost in line.cost],
    }


def _item(item: BatchItem) -> dict[str, Any]:
    return {
        "index": item.index,
        "status": item.status.value,
        "error": item.error,
        "started_at": iso(item.started_at),
        "ended_at": iso(item.ended_at),
    }
