"""Replay: run a recorded job again, as a new job, and say whether the outcome agrees."""

from __future__ import annotations

from dataclasses import dataclass

from antiphon.domain.jobs import Job
from antiphon.domain.results import Outcome
from antiphon.engine.agreement import Agreement, compare
from antiphon.engine.calibrations import OF_THE_ENGINE
from antiphon.engine.context import EngineContext, Finished
from antiphon.engine.requests import Origin, PubRequest, SubmitRequest
from antiphon.engine.resolve import resolve_work
from antiphon.engine.results import outcomes_of, raise_if_unsuccessful
from antiphon.engine.submit import submit
from antiphon.engine.wait import wait
from antiphon.errors import LimitError

REPLAY_OF = "replay_of"
"""Key of the metadata of a replay that names the job it repeats."""


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
    finished = start_replay(ctx, original, who=who)
    job = finished.job
    if finished.outcomes is None:
        job = wait(ctx, original.workspace, job.id, timeout)
    return judge_replay(ctx, original, job, finished.outcomes)


def start_replay(
    ctx: EngineContext, original: Job, *, who: str, trace: str | None = None, origin: Origin | None = None
) -> Finished:
    """Submit the recorded work again with the recorded seed; the new job names the original in its metadata.

    Raises:
        JobFailedError, JobCancelledError: The original has no result to compare with.
        LimitError: Its result holds shots of other jobs too (code "replay-of-many").
        StoreError: What the record names is no longer stored.
    """
    raise_if_unsuccessful(original)
    if original.provenance.get("bank", {}).get("from") is not None:
        raise LimitError(
            "The result holds shots of several jobs.",
            code="replay-of-many",
            cause=", ".join(original.provenance["bank"]["jobs"]),
            next_step="Replay the first of them: the others' own shots are not kept apart.",
        )
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
        options={name: value for name, value in original.spec.options.items() if name not in OF_THE_ENGINE},
        execution=original.spec.execution,
        max_seconds=original.spec.max_seconds,
        metadata={**original.spec.metadata, REPLAY_OF: original.id},
        trace=trace,
        origin=origin,
    )
    return submit(ctx, request)


def judge_replay(ctx: EngineContext, original: Job, job: Job, outcomes: tuple[Outcome, ...] | None = None) -> Replay:
    """Compare a replay that has ended with its original.

    Args:
        outcomes: Those of `job`, when they are still in memory.

    Raises:
        JobFailedError, JobCancelledError: One of the two has no result.
    """
    before = outcomes_of(ctx, original)
    after = outcomes_of(ctx, job) if outcomes is None else outcomes
    changed = _changed(original, job)
    driver = ctx.drivers.get(job.spec.target)
    seeded = driver is None or driver.info.seeded
    agreement = compare(before, after, bitwise=seeded and not changed, seed=original.spec.seed)
    return Replay(job, original, agreement, changed)


def _changed(original: Job, job: Job) -> tuple[str, ...]:
    """What differs between the two runs that may change the outcome: then it need only agree statistically."""
    names = ("target_version", "engine", "engine_version", "precision", "method")
    return tuple(
        f"{name}: {original.provenance.get(name)} → {job.provenance.get(name)}"
        for name in names
        if original.provenance.get(name) != job.provenance.get(name)
    )
