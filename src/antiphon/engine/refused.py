"""A job that was refused before it could run, and is kept all the same, because its protocol has no other place for it.

Azure's clients have uploaded the program by the time it is read: what is wrong with it is told by a failed job.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from antiphon.domain.jobs import Job, JobEvent, JobSpec, JobTrigger, PubSpec
from antiphon.domain.parameters import NO_PARAMETERS
from antiphon.domain.work import JobKind
from antiphon.engine.access.audit import note_work
from antiphon.engine.artefacts import artefact, encode_parameters, environment_artefact
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext
from antiphon.engine.ending import Aftermath, settle
from antiphon.engine.entering import enter_session, first_of_key
from antiphon.engine.ids import new_id
from antiphon.engine.requests import Origin
from antiphon.engine.validate import LONGEST_KEY, LONGEST_NAME, check_labels, check_text, find_driver
from antiphon.errors import AntiphonError
from antiphon.ports.job_store import Artefact, KeyTakenError


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRequest:
    """A submit whose program was refused.

    Attributes:
        target: A target of the engine.
        source: The program as it came, whatever it is.
        format: What the caller said it was, in the words of the protocol.
        shots: As asked; None when that is what was wrong.
        error: Why it was refused.
        origin: Who sent it from where; with it the audit log has a line "job.submit" with the code of the error.
    """

    workspace: str
    who: str
    target: str
    source: bytes
    format: str
    error: AntiphonError
    name: str = ""
    shots: int | None = None
    session_id: str | None = None
    key: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    trace: str | None = None
    origin: Origin | None = None


def submit_refused(ctx: EngineContext, request: RefusedRequest) -> Job:
    """Store a job that is Failed from its first moment, with what was sent and why it was refused.

    Its session sees a job come and fail, with all that follows from its failure policy. It holds nothing of a quota and
    is never queued.

    Returns:
        The failed job, or the first job of its key.

    Raises:
        NotFoundError: No such target or session.
        SessionEndedError: The session takes no more jobs.
        LimitError: Name, key or metadata cannot be stored.
        ConflictError: The key was used for another request (code "key-reused").
    """
    driver = find_driver(ctx.drivers, request.target)
    check_text("name", request.name, LONGEST_NAME)
    if request.key is not None:
        check_text("idempotency key", request.key, LONGEST_KEY)
    check_labels(request.metadata)
    program = _source(ctx, request)
    environment, found = environment_artefact(ctx)
    parameters, _ = encode_parameters(ctx, NO_PARAMETERS)
    now = ctx.clock.now()
    job = Job(
        id=new_id("job"),
        workspace=request.workspace,
        spec=JobSpec(
            JobKind.SAMPLE,
            request.target,
            (PubSpec(program.digest, NO_PARAMETERS.shape, parameters, request.shots, 0, name=request.name),),
            0,
            max_seconds=driver.info.limits.max_seconds,
            metadata=request.metadata,
        ),
        name=request.name or JobKind.SAMPLE.value,
        created_by=request.who,
        created_at=now,
        session_id=request.session_id,
        key=request.key,
        request_digest=_request_digest(request, program) if request.key else "",
        provenance={"target_version": driver.info.version, "environment": environment},
        trace=request.trace,
    )
    aftermath = Aftermath()
    stored = _store(ctx, request, job, [program, *found], aftermath)
    if aftermath.ended:
        ctx.tell_submitted(stored)
    aftermath.carry_out(ctx)
    return stored


@decided_again
def _store(
    ctx: EngineContext, request: RefusedRequest, job: Job, artefacts: list[Artefact], aftermath: Aftermath
) -> Job:
    submitted = JobEvent(trigger=JobTrigger.SUBMITTED, at=job.created_at, who=request.who)
    failed = JobEvent(
        trigger=JobTrigger.FAILED,
        at=job.created_at,
        who=ctx.engine_id,
        why=request.error.message,
        error=request.error.to_dict(),
    )
    # A try that lost its transaction has changed nothing, and leaves nothing to carry out.
    aftermath.to_stop.clear()
    aftermath.ended.clear()
    try:
        with ctx.store.write() as tx:
            if request.key is not None:
                first = tx.job_by_key(request.workspace, request.key)
                if first is not None:
                    return first_of_key(first, job)
            for value in artefacts:
                tx.add_artefact(value)
            enter_session(tx, job)
            tx.add_job(job, [(job.version, submitted.trigger.value, job.status.value, submitted)])
            after = settle(tx, job, failed, aftermath)
            note_work(
                ctx,
                tx,
                request.origin,
                "job.submit",
                job.id,
                workspace=job.workspace,
                who=job.created_by,
                outcome=request.error.code,
                details={"target": job.spec.target},
            )
    except KeyTakenError:
        # Another process stored it between our look and our insert (PostgreSQL).
        aftermath.to_stop.clear()
        aftermath.ended.clear()
        with ctx.store.read() as tx:
            first = tx.job_by_key(request.workspace, request.key or "")
        if first is None:
            raise
        return first_of_key(first, job)
    ctx.remember(value.digest for value in artefacts[1:])
    return after


def _source(ctx: EngineContext, request: RefusedRequest) -> Artefact:
    """What was sent, under a digest of its own: the same bytes may be a good program in another format."""
    digest = hashlib.sha256(b"refused\0" + request.format.encode() + b"\0" + request.source).hexdigest()
    facts: dict[str, Any] = {
        "format": request.format,
        "entry_point": None,
        "num_qubits": 0,
        "registers": [],
        "parameters": [],
        "profile": None,
        "made_with": {},
    }
    return artefact(ctx, "program", request.source, f"sha256:{digest}", facts)


def _request_digest(request: RefusedRequest, program: Artefact) -> str:
    asked = {
        "refused": program.digest,
        "session": request.session_id,
        "name": request.name,
        "target": request.target,
        "shots": request.shots,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
