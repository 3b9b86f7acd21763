"""Submit: check, plan, and store a job with its first events in one transaction. What is stored will be finished."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import PROVIDER, Job, JobEvent, JobSpec, JobTrigger, PubSpec, Stages, advance
from antiphon.domain.policies.best import Choice
from antiphon.domain.queues import Priority
from antiphon.domain.work import JobKind, Plan, Pub, Work
from antiphon.engine.access.audit import note_work
from antiphon.engine.access.quotas import hold
from antiphon.engine.artefacts import (
    compiled_artefacts,
    encode_parameters,
    environment_artefact,
    observable_artefact,
    program_artefacts,
)
from antiphon.engine.best import BEST, CHOICE, choose_target
from antiphon.engine.cached import answer_with, find_earlier, work_digest
from antiphon.engine.calibrations import check_age, for_driver
from antiphon.engine.charging import metered
from antiphon.engine.conflicts import decided_again
from antiphon.engine.context import EngineContext, Finished
from antiphon.engine.entering import enter_session, first_of_key
from antiphon.engine.estimates import estimate_at_submit, most_seconds
from antiphon.engine.execute import run_here
from antiphon.engine.ids import new_id
from antiphon.engine.leases import register
from antiphon.engine.planning import plan_to_queue
from antiphon.engine.queues.policies import known_policy
from antiphon.engine.requests import SubmitRequest
from antiphon.engine.seeds import draw_seed, pub_seed
from antiphon.engine.shot_bank import look_into_bank
from antiphon.engine.tasks import task_id
from antiphon.engine.validate import LONGEST_NAME, check_memory, check_request, find_driver
from antiphon.errors import AntiphonError, QuotaExceededError, StoreError
from antiphon.ports.job_store import Artefact, KeyTakenError, Transaction
from antiphon.ports.target_driver import TargetDriver


def submit(ctx: EngineContext, request: SubmitRequest) -> Finished:
    """Queue one job, or run it at once when it is cheap and safe; either way it is stored before anything runs.

    Returns:
        The job: final, with its outcomes, when it ran inline.

    Raises:
        NotFoundError: No such target or session.
        ProgramError, LimitError: The job is refused, or no target fits one that is for the "best"; nothing is stored.
        SessionEndedError: The session takes no more jobs.
        ConflictError: The key was used for another request (code "key-reused").
        QuotaExceededError: The workspace may not have so much; nothing is stored.
    """
    began = time.perf_counter()
    asked = request
    request, choice = choose_target(ctx, request)
    driver = find_driver(ctx.drivers, request.target)
    check_request(request, driver.info)
    try:
        return _submit(ctx, asked, request, choice, driver, began)
    except StoreError:
        raise
    except AntiphonError:
        # What was accepted under this key stays accepted: more may have been compiled, and be known, by now.
        first = _first_accepted(ctx, asked, request, driver)
        if first is None:
            raise
        return Finished(first, repeated=True)


def _submit(
    ctx: EngineContext,
    asked: SubmitRequest,
    request: SubmitRequest,
    choice: Choice | None,
    driver: TargetDriver,
    began: float,
) -> Finished:
    check_age(request.options, driver, ctx.clock.now())
    seed = draw_seed() if request.seed is None else int(request.seed)
    work = _work(request, driver, seed)
    plan = plan_to_queue(driver, work)
    spec, artefacts = _spec(ctx, request, work, seed, driver.info.limits.max_seconds)
    environment, found = environment_artefact(ctx)
    artefacts += found
    digest = work_digest(request, spec, driver.info, environment)
    earlier = find_earlier(ctx, request, digest, driver.info)
    asked_spec, bank = spec, look_into_bank(ctx, request, spec, plan, driver)
    if bank is not None and bank.is_enough:
        earlier = bank.earlier
    elif bank is not None:
        digest = bank.digest
        work, spec = bank.rest(work, spec)
        plan = plan if bank.earlier is None else plan_to_queue(driver, work)
    if earlier is None:
        executor = _choose_executor(ctx, request, plan)
        if executor in ctx.executors:
            check_memory(plan, ctx.executors[executor])
    else:
        # Its seeds, too: the result is theirs.
        executor, spec, digest = "inline", evolve(spec, seed=earlier.spec.seed, pubs=earlier.spec.pubs), None
    provenance: dict[str, Any] = {
        "target_version": driver.info.version,
        "plan": plan.to_json(),
        "environment": environment,
    }
    compiled, found = compiled_artefacts(ctx, plan)
    if compiled:
        provenance["compiled"] = compiled
        artefacts += found
    if choice is not None:
        provenance[CHOICE] = choice.to_json()
    if bank is not None and earlier is None:
        provenance |= bank.provenance()
    cost = 0.0
    to_charge = metered(ctx, work, plan, driver.info, request.priority)
    if to_charge is not None:
        provenance |= to_charge.provenance()
        seconds = most_seconds(ctx, spec.target, request.priority, plan.cost, spec.max_seconds)
        cost = to_charge.bound(seconds).total
    now = ctx.clock.now()
    job = Job(
        id=new_id("job"),
        workspace=request.workspace,
        spec=spec,
        name=request.name or _own_name(request) or request.kind.value,
        created_by=request.who,
        created_at=now,
        session_id=request.session_id,
        key=request.key,
        request_digest=_request_digest(asked, spec if bank is None else asked_spec) if request.key else "",
        executor=executor,
        stages=Stages(compile=request.read_seconds + time.perf_counter() - began),
        provenance=provenance,
        trace=request.trace,
        work_digest=digest,
        priority=request.priority,
        planned_s=plan.cost,
    )
    submitted = JobEvent(trigger=JobTrigger.SUBMITTED, at=now, who=request.who)
    log = [(job.version, submitted.trigger.value, job.status.value, submitted)]
    if executor != "inline":
        job = evolve(job, estimate=estimate_at_submit(ctx, job, to_charge).to_json())
        stored, repeated = _store(ctx, request, job, log, artefacts, plan, cost)
        if not repeated:
            ctx.tell_submitted(stored)
        ctx.wakeup.set()
        ctx.announce_change(stored.id)
        return Finished(stored, repeated=repeated)
    # Claimed in the transaction that stores it: no other engine can take it, and if this process dies the lease is
    # found broken and the job runs elsewhere.
    why = "runs inline" if earlier is None else f"has the result of {earlier.id}"
    claimed = JobEvent(trigger=JobTrigger.CLAIMED, at=now, who=ctx.engine_id, why=why, owner=ctx.engine_id)
    job = advance(job, claimed)
    log.append((job.version, claimed.trigger.value, job.status.value, claimed))
    try:
        ctx.held.add(task_id(job))
        stored, repeated = _store(ctx, request, job, log, artefacts, plan, cost, runs=earlier is None)
        if repeated:
            return Finished(stored, repeated=True)
        ctx.tell_submitted(stored)
        return run_here(ctx, stored, work, plan) if earlier is None else answer_with(ctx, stored, earlier)
    finally:
        # Ctrl-C may have landed anywhere; what is claimed and not held is put back into the queue.
        ctx.held.discard(task_id(job))


def _work(request: SubmitRequest, driver: TargetDriver, seed: int) -> Work:
    return Work(
        request.kind,
        tuple(
            Pub(
                pub.program,
                pub.parameters,
                None if pub.shots is None else int(pub.shots),
                pub_seed(seed, index),
                pub.observables,
                pub.observables_shape,
            )
            for index, pub in enumerate(request.pubs)
        ),
        for_driver(request.options, driver),
    )


def _first_accepted(
    ctx: EngineContext, asked: SubmitRequest, request: SubmitRequest, driver: TargetDriver
) -> Job | None:
    """The job that the same request made under the same key, if there is one."""
    if request.key is None:
        return None
    with ctx.store.read() as tx:
        first = tx.job_by_key(request.workspace, request.key)
    if first is None:
        return None
    seed = 0 if request.seed is None else int(request.seed)
    spec, _ = _spec(ctx, request, _work(request, driver, seed), seed, driver.info.limits.max_seconds)
    return first if first.request_digest == _request_digest(asked, spec) else None


@decided_again
def _store(
    ctx: EngineContext,
    request: SubmitRequest,
    job: Job,
    log: list[tuple[int, str, str, JobEvent]],
    artefacts: list[Artefact],
    plan: Plan,
    cost: float,
    *,
    runs: bool = True,
) -> tuple[Job, bool]:
    """Store the job with all it names and holds in one transaction; or return the first job of its key, and True."""
    try:
        with ctx.store.write() as tx:
            if request.key is not None:
                first = tx.job_by_key(request.workspace, request.key)
                if first is not None:
                    return first_of_key(first, job), True
            for value in artefacts:
                tx.add_artefact(value)
            enter_session(tx, job)
            if job.owner is not None:
                _own(ctx, tx)
            holds = hold(tx, job, plan.cost, job.created_at, runs=runs, planned_cost=cost)
            if holds:
                job = evolve(job, holds=holds)
            tx.add_job(job, log)
            if request.kind is JobKind.BATCH:
                tx.add_items(job.id, len(request.pubs))
            note_work(
                ctx,
                tx,
                request.origin,
                "job.submit",
                job.id,
                workspace=job.workspace,
                who=job.created_by,
                details={"target": job.spec.target},
            )
    except (KeyTakenError, QuotaExceededError):
        if request.key is None:
            raise
        # Another process stored it between our look and our insert, and may have taken the last of a quota for it
        # (PostgreSQL).
        with ctx.store.read() as tx:
            first = tx.job_by_key(request.workspace, request.key)
        if first is None:
            raise
        return first_of_key(first, job), True
    ctx.remember(value.digest for value in artefacts)
    return job, False


def _own_name(request: SubmitRequest) -> str:
    """The program's name, as far as it can be stored: its SDK may have allowed more."""
    return _storable(request.pubs[0].program.name)


def _storable(name: str) -> str:
    return name[:LONGEST_NAME].encode(errors="replace").decode().replace("\0", "")


def _own(ctx: EngineContext, tx: Transaction) -> None:
    """Make sure that others see this engine die while it owns a job.

    Raises:
        StoreError: The workspace is being closed (code "store-closed"); its registration may be gone already.
    """
    if ctx.closing.is_set():
        raise StoreError("The workspace is closed.", code="store-closed", next_step="Open a new workspace.")
    if not ctx.beating:
        register(ctx, tx)


def _choose_executor(ctx: EngineContext, request: SubmitRequest, plan: Plan) -> str:
    if request.target in ctx.providers:
        return PROVIDER
    if known_policy(ctx, request.target).is_queued:
        return "process"  # whatever was asked: what runs here and now would go before those that wait
    if request.execution != "auto":
        return request.execution
    return "inline" if plan.safe_inline and plan.cost <= ctx.settings.inline_seconds else "process"


def _spec(
    ctx: EngineContext, request: SubmitRequest, work: Work, seed: int, max_seconds: float
) -> tuple[JobSpec, list[Artefact]]:
    artefacts: list[Artefact] = []
    pubs = []
    for pub in work.pubs:
        artefacts += program_artefacts(ctx, pub.program)
        parameters, values = encode_parameters(ctx, pub.parameters)
        artefacts += values
        observables = None
        if pub.observables is not None:
            observables = tuple(observable.digest for observable in pub.observables)
            for observable in pub.observables:
                artefacts += observable_artefact(ctx, observable)
        pubs.append(
            PubSpec(
                pub.program.digest,
                pub.parameters.shape,
                parameters,
                pub.shots,
                pub.seed,
                observables,
                pub.observables_shape,
                _storable(pub.program.name),
            )
        )
    spec = JobSpec(
        request.kind,
        request.target,
        tuple(pubs),
        seed,
        request.options,
        request.execution,
        max_seconds if request.max_seconds is None else float(request.max_seconds),
        request.metadata,
    )
    return spec, artefacts


def _request_digest(request: SubmitRequest, spec: JobSpec) -> str:
    # A drawn seed differs from call to call and is not part of what was asked; nor is a target that was chosen.
    is_open = request.target == BEST
    asked = {
        "session": request.session_id,
        "name": request.name,
        "seed": None if request.seed is None else spec.seed,
        "kind": spec.kind.value,
        "target": BEST if is_open else spec.target,
        "options": dict(request.options if is_open else spec.options),
        "execution": spec.execution,
        "max_seconds": spec.max_seconds,
        "metadata": dict(spec.metadata),
        "pubs": [
            [pub.program, pub.parameters_shape, pub.parameters, pub.shots, pub.observables, pub.observables_shape]
            for pub in spec.pubs
        ],
    }
    if request.priority is not Priority.STANDARD:
        asked["priority"] = request.priority.value  # else as it was before there were priorities
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
