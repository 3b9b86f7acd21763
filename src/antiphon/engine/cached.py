"""Results given again: the same work of the same workspace, which would return the same, is not run twice.

Only for callers who allow it. A job answered so has a life like any other; its provenance says under "cached" which
job's result it has, and how old that was.
"""

from __future__ import annotations

import hashlib
import json

from antiphon.domain.jobs import Job, JobSpec
from antiphon.domain.results import Execution
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import JobKind
from antiphon.engine.context import EngineContext, Finished
from antiphon.engine.record import record
from antiphon.engine.requests import SubmitRequest
from antiphon.engine.results import outcomes_of
from antiphon.ports.executor import Report

OWN = frozenset({"plan", "compiled", "environment", "target_version", "priced", "choice"})
"""What a job knows itself, before it has run."""


def work_digest(request: SubmitRequest, spec: JobSpec, info: TargetInfo, environment: str) -> str | None:
    """Content hash of all that a result depends on: the work, its seed if one was given, target and package versions.

    None when nobody asked for results to be kept in mind, and for batches, whose items have lives of their own.
    """
    if request.reuse is None or spec.kind is JobKind.BATCH:
        return None
    work = {
        "kind": spec.kind.value,
        "target": [spec.target, info.version, environment],
        "seed": None if request.seed is None else spec.seed,
        "options": dict(spec.options),
        "pubs": [
            [pub.program, pub.parameters_shape, pub.parameters, pub.shots, pub.observables, pub.observables_shape]
            for pub in spec.pubs
        ],
    }
    return hashlib.sha256(json.dumps(work, sort_keys=True).encode()).hexdigest()


def find_earlier(ctx: EngineContext, request: SubmitRequest, digest: str | None, info: TargetInfo) -> Job | None:
    """The newest job of the workspace whose result may answer the request, if the request allows one."""
    reuse = request.reuse
    if digest is None or reuse is None or reuse.max_age_s is None:
        return None
    if not (reuse.even_sampled or _is_determined(request, info)):
        return None
    with ctx.store.read() as tx:
        found = tx.succeeded_work(request.workspace, digest)
    if found is None or ctx.clock.now() - (found.ended_at or 0.0) > reuse.max_age_s:
        return None
    return found


def _is_determined(request: SubmitRequest, info: TargetInfo) -> bool:
    """Whether running it again would give the same: a simulator, without noise, seeded or exact."""
    is_exact = all(pub.shots is None for pub in request.pubs)
    return info.kind == "simulator" and not request.options.get("noise") and (request.seed is not None or is_exact)


def answer_with(ctx: EngineContext, job: Job, earlier: Job) -> Finished:
    """End a job that this process holds with the result of an earlier one.

    Raises:
        StoreError: The result is gone, or the end could not be stored; the job goes back into the queue and runs.
    """
    age = max(0.0, ctx.clock.now() - (earlier.ended_at or 0.0))
    provenance = {name: value for name, value in earlier.provenance.items() if name not in OWN}
    provenance["cached"] = {"job": earlier.id, "age_s": age}
    return record(ctx, job, Report(Execution(outcomes_of(ctx, earlier), provenance), None, 0.0))
