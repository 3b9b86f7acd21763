"""What is before a job in the queue of its target, in seconds of planned work: the part of its wait that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.domain.policies.estimates import ahead_of
from antiphon.domain.queues import Access, QueuePolicy, Rank, Reservation
from antiphon.domain.shown import span
from antiphon.engine.context import EngineContext
from antiphon.engine.queues.policies import known_policy
from antiphon.ports.job_store import Transaction
from antiphon.ports.provider import KnowsItsQueue

MOST_COUNTED = 1_000
"""So many jobs of each group before a job are counted; a longer queue is extrapolated."""


@dataclass(frozen=True, slots=True)
class Place:
    """A job's place in a queue, or that of a job to be. `planned_s` is what its target planned it to run."""

    target: str
    rank: Rank
    workspace: str
    user: str
    created_at: float
    session_id: str | None = None
    planned_s: float = 0.0
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ahead:
    """Seconds before a job can start, by plan; `queued` is False for a job that runs where it is submitted.

    `there_s` of them are in the provider's own queue, as that tells. `upper_bound` says that it is what it takes at
    most, as far as is known.
    """

    seconds: float
    queued: bool
    upper_bound: bool = False
    notes: tuple[str, ...] = ()
    there_s: float = 0.0


def look_ahead(
    ctx: EngineContext, tx: Transaction, place: Place, now: float, typical_s: float | None, *, is_last: bool = False
) -> Ahead:
    """What is before a job, by the order of the queue; its cost does not grow with the jobs that wait.

    Others of the same class count as before it, although fair shares may let it go first: what then comes is learned.

    Args:
        typical_s: How long jobs of the target run; None when nothing is known.
        is_last: Whether it is being submitted: then a long queue is not counted anew for each of many.
    """
    policy = known_policy(ctx, place.target)
    there_s, told = _elsewhere(ctx, place.target)
    if policy.slots is None and place.target in ctx.providers:
        return Ahead(there_s, queued=True, notes=told, there_s=there_s)
    slots = _capacity(ctx) if policy.slots is None else policy.slots
    notes: list[str] = list(told)
    blocked, unsure = _blocked(ctx, tx, place, policy, now, notes)
    groups = _groups(ctx, tx, place, is_last=is_last)
    jobs, work = sum(row[2] for row in groups), sum(row[3] for row in groups)
    if any(row[2] >= MOST_COUNTED for row in groups):
        waiting = max(jobs, tx.queue_depths().get(place.target, (0, 0))[0])
        jobs, work, unsure = waiting, work / jobs * waiting, True
        notes.append(f"{waiting:,} jobs wait; all of them are taken to be before it")
    running = tx.running_on(place.target)
    if jobs or running >= slots:
        # Each is taken to be half way through a run of the usual length.
        work += running * (place.planned_s if typical_s is None else typical_s) / 2
    seconds = ahead_of(work, slots, now, blocked, place.planned_s)
    return Ahead(seconds + there_s, queued=True, upper_bound=unsure, notes=tuple(notes), there_s=there_s)


def _elsewhere(ctx: EngineContext, target: str) -> tuple[float, tuple[str, ...]]:
    """Seconds that the provider's own queue adds, as far as it tells, and what is to be said of that."""
    provider = ctx.providers.get(target)
    if provider is None:
        return 0.0, ()
    if not isinstance(provider, KnowsItsQueue):
        return 0.0, ("what waits at its provider is not known",)
    seconds = ctx.recent.get(("queue elsewhere", target), ctx.clock, provider.expected_wait)
    return seconds, (f"{span(seconds)} of it in the queue of {target} itself",) if seconds > 0.0 else ()


def _groups(
    ctx: EngineContext, tx: Transaction, place: Place, *, is_last: bool
) -> Sequence[tuple[Rank, str, int, float]]:
    lane = ("ahead", place.target, place.rank, place.workspace, place.user)
    groups: Sequence[tuple[Rank, str, int, float]] | None = ctx.recent.known(lane, ctx.clock) if is_last else None
    if groups is None:
        groups = tx.work_ahead(place.target, place.rank, place.workspace, place.user, place.created_at, MOST_COUNTED)
        if is_last and any(row[2] >= MOST_COUNTED for row in groups):
            # The rest is extrapolated: what came within the last second makes no difference to that.
            ctx.recent.keep(lane, ctx.clock, groups)
    return groups


def _capacity(ctx: EngineContext) -> int:
    # Other engines' workers are not known here; what they make of the wait is learned.
    workers = ctx.executors.get("process")
    return 1 if workers is None else max(1, workers.capacity)


def _reservations(ctx: EngineContext, tx: Transaction, target: str, now: float) -> list[Reservation]:
    return ctx.recent.get(("reservations", target), ctx.clock, lambda: tx.reservations(target, now))


def _blocked(
    ctx: EngineContext, tx: Transaction, place: Place, policy: QueuePolicy, now: float, notes: list[str]
) -> tuple[list[tuple[float, float]], bool]:
    """Windows in which only others start, and whether one of them may end earlier than it says."""
    windows = []
    for reservation in _reservations(ctx, tx, place.target, now):
        if reservation.workspace != place.workspace:
            windows.append((reservation.starts_at, reservation.ends_at))
            notes.append("a reservation of another workspace is counted")
    state = tx.queue_state(place.target) if policy.is_queued else None
    if state is None or state.held_by is None or state.held_by == place.session_id:
        return windows, False
    if state.held_until is not None:
        if state.held_until > now:
            windows.append((now, state.held_until))
            notes.append("a session holds the target, and goes on holding it if a job of its own comes in time")
        return windows, False
    session = tx.session(state.held_by)
    if policy.access is Access.DEDICATED and session is not None:
        windows.append((now, (session.first_job_at or now) + session.total_limit_s))
        notes.append("upper bound: a session has the target to itself until it closes, or reaches its total limit")
        return windows, True
    windows.append((now, now + policy.gap_s))
    notes.append("a session holds the target while jobs of its own run or follow; for how long is not known")
    return windows, False
