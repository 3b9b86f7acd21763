"""Replay: run a recorded job again, as a new job, and say whether the outcome agrees."""

from __future__ import annotations

from dataclasses import dataclass

from antiphon.domain.jobs import Job
from antiphon.domain.results import Outcome
from antiphon.engine.agreement import Agreement, compare
from antiphon.engine.context import EngineContext
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.resolve import resolve_work
from antiphon.engine.results import outcomes_of
from antiphon.engine.submit import submit
from antiphon.engine.wait import wait


@dataclass(frozen=True, slots=True)
class Replay:
    """A finished replay: the new job, what it was compared with, and the verdict."""

    job: Job
    original: Job
    agreement: Agreement
    changed: tuple[str, ...]


def replay(ctx: EngineContext, original: Job, *, who: str, timeout: float | None = None) -> Replay:
    """Submit the recorded work again with the recorded seed, wait, and compare.

    Raises:
        JobFailedError, JobCancelledError: The original has no result, or the replay ended without one.
        StoreError: What the record names is no longer stored.
    """
    before = outcomes_of(ctx, original)
    with ctx.store.read() as tx:
        work = resolve_work(ctx, tx, original.spec)
    request = SubmitRequest(
        workspace=original.workspace,
        who=who,
        kind=original.spec.kind,
        target=original.spec.target,
        pubs=tuple(
            PubRequest(pub.program, pub.parameters, pub.shots, pub.observables, pub.observables_shape)
            for pub in work.pubs
        ),
        name=original.name,
        seed=original.spec.seed,
        options=original.spec.options,
        execution=original.spec.execution,
        max_seconds=original.spec.max_seconds,
        metadata={**original.spec.metadata, "replay_of": original.id},
    )
    finished = submit(ctx, request)
    job = finished.job
    after: tuple[Outcome, ...] | None = finished.outcomes
    if after is None:
        job = wait(ctx, original.workspace, job.id, timeout)
        after = outcomes_of(ctx, job)
    changed = _changed(original, job)
    agreement = compare(before, after, bitwise=not changed, seed=original.spec.seed)
    return Replay(job, original, agreement, changed)


def _changed(original: Job, job: Job) -> tuple[str, ...]:
    """What differs between the two runs that may change the outcome: then it need only agree statistically."""
    names = ("target_version", "engine", "engine_version", "precision", "method")
    return tuple(
        f"{name}: {original.provenance.get(name)} → {job.provenance.get(name)}"
        for name in names
        if original.provenance.get(name) != job.provenance.get(name)
    )
