"""Where the queue of a target stands: who runs it, what holds it, what waits, and what everybody has used."""

from __future__ import annotations

from dataclasses import dataclass

from antiphon.domain.policies import holds
from antiphon.domain.queues import QueuePolicy, QueueState, Rank, Reservation
from antiphon.engine.context import EngineContext
from antiphon.engine.queues.allotments import USUAL
from antiphon.engine.queues.policies import policy_of
from antiphon.engine.validate import find_driver
from antiphon.ports.queue_store import QueueTransaction

COUNTED = 10_000
"""So many waiting jobs of each class are counted."""


@dataclass(frozen=True, slots=True)
class ShareOf:
    """What a workspace (`user` "") or one of its users has used of a target.

    Attributes:
        used_s: Seconds, faded to now.
        fraction: Of the use of everybody, each workspace by its weight; of a user, of those of its workspace.
    """

    workspace: str
    user: str
    used_s: float
    weight: float
    fraction: float


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """Where a queue stands.

    Attributes:
        state: Who runs it and what holds it; a hold that is over is left out.
        running: How many jobs of the target run.
        waiting: Waiting jobs by class, counted up to `COUNTED`.
        waiting_s: Their planned seconds by class.
        reservation: The window that is open now, `next_reservation` the next.
        shares: Workspaces by name, each before its users.
    """

    policy: QueuePolicy
    state: QueueState
    running: int
    waiting: dict[Rank, int]
    waiting_s: dict[Rank, float]
    reservation: Reservation | None
    next_reservation: Reservation | None
    shares: tuple[ShareOf, ...]


def queue_status(ctx: EngineContext, target: str) -> QueueStatus:
    """Where the queue of a target stands now.

    Raises:
        NotFoundError: No such target.
    """
    find_driver(ctx.drivers, target)
    now = ctx.clock.now()
    with ctx.store.read() as tx:
        policy = policy_of(ctx, tx, target)
        state = tx.queue_state(target)
        first = None if state.held_by is None else tx.first_of_session(target, state.held_by)
        # Everything waits before a job of nobody that comes last.
        ahead = tx.work_ahead(target, Rank.STANDARD, "", "", now, COUNTED)
        now_open, to_come = booked(tx, target, now)
        return QueueStatus(
            policy=policy,
            state=holds.as_of(state, policy, now, None if first is None else first.created_at),
            running=tx.running_on(target),
            waiting={rank: sum(jobs for of, _, jobs, _ in ahead if of is rank) for rank in Rank},
            waiting_s={rank: sum(seconds for of, _, _, seconds in ahead if of is rank) for rank in Rank},
            reservation=now_open,
            next_reservation=to_come,
            shares=_shares(tx, policy, now),
        )


def booked(tx: QueueTransaction, target: str, now: float) -> tuple[Reservation | None, Reservation | None]:
    """The reservation of a target that is open now, and the next."""
    now_open = to_come = None
    for each in tx.reservations(target, now):
        if each.starts_at > now:
            to_come = to_come or each
        elif each.ends_at > now:
            now_open = each
    return now_open, to_come


def _shares(tx: QueueTransaction, policy: QueuePolicy, now: float) -> tuple[ShareOf, ...]:
    weights = tx.allotments()
    rows = [(name, user, use.faded(now, policy.window_s)) for name, user, use in tx.shares(policy.target)]
    by_weight = {
        name: used / weight for name, user, used in rows if not user and (weight := weights.get(name, USUAL)) > 0
    }
    of_workspace = {name: used for name, user, used in rows if not user}
    everybody = sum(by_weight.values())
    return tuple(
        ShareOf(
            name,
            user,
            used,
            weights.get(name, USUAL) if not user else USUAL,
            _part(used, of_workspace.get(name, 0.0)) if user else _part(by_weight.get(name, 0.0), everybody),
        )
        for name, user, used in rows
    )


def _part(of: float, whole: float) -> float:
    return of / whole if whole > 0 else 0.0
