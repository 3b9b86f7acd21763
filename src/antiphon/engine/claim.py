"""Claim: take the lease on waiting jobs. Two engines on one store never get the same job."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.domain.jobs import Job
from antiphon.domain.policies.holds import holds_now
from antiphon.domain.queues import Access, QueuePolicy, QueueState
from antiphon.engine.context import EngineContext
from antiphon.engine.leases import recover
from antiphon.engine.queues.policies import known_policies
from antiphon.engine.queues.taking import take
from antiphon.ports.job_store import Transaction


def claim(ctx: EngineContext, limit: int, elsewhere: int = 0) -> list[Job]:
    """Claim waiting jobs for this engine, of each target in the order of its queue; none once it is closing.

    Scarce targets come first. Targets that only workers limit take turns, so that a long queue of one does not keep the
    workers from the others.

    Args:
        limit: How many more jobs may run in the workers of this engine.
        elsewhere: How many more it may see through that run at providers.
    """
    if limit <= 0 and elsewhere <= 0 and not ctx.queues:
        return []
    scarce, pooled = _worth_a_look(ctx)
    claimed: list[Job] = []
    for target in scarce:
        room = max(0, elsewhere if target in ctx.providers else limit)
        if not room and target not in ctx.queues:
            continue
        taken = take(ctx, target, room)
        if target in ctx.providers:
            elsewhere -= len(taken)
        else:
            limit -= len(taken)
        claimed += taken
    for target in [target for target in pooled if target in ctx.providers]:
        taken = take(ctx, target, elsewhere) if elsewhere > 0 else []
        elsewhere -= len(taken)
        claimed += taken
    return claimed + _in_turn(ctx, [target for target in pooled if target not in ctx.providers], limit)


def _in_turn(ctx: EngineContext, targets: Sequence[str], limit: int) -> list[Job]:
    """Share out free workers among targets, beginning with the one whose last turn was longest ago."""
    claimed: list[Job] = []
    waiting = sorted(targets, key=lambda target: ctx.turns.get(target, 0))
    while waiting and limit > 0:
        still_waiting = []
        for place, target in enumerate(waiting):
            part = -(-limit // (len(waiting) - place))
            taken = take(ctx, target, part) if part > 0 else []
            if taken:
                ctx.turns[target] = max(ctx.turns.values(), default=0) + 1
            if len(taken) == part:
                still_waiting.append(target)
            limit -= len(taken)
            claimed += taken
        waiting = still_waiting
    return claimed


def _worth_a_look(ctx: EngineContext, *, recovers: bool = True) -> tuple[list[str], list[str]]:
    """The targets with slots, and those without, of whose queues something may be taken now.

    Only looks, so that a queue at which nothing can be done costs no transaction that writes. The queues of an engine
    whose process is gone are taken back at once.
    """
    policies = known_policies(ctx, ctx.drivers)
    scarce = sorted(target for target, policy in policies.items() if policy.is_queued)
    with ctx.store.read() as tx:
        waited_for = [target for target in tx.targets_waited_for() if target in policies]
        pooled = [target for target in waited_for if not policies[target].is_queued]
        if not scarce:
            return [], pooled
        now = ctx.clock.now()
        states = {state.target: state for state in tx.queue_states()}
        worth, others = [], set()
        for target in scarce:
            state = states.get(target, QueueState(target=target))
            waits = target in waited_for
            if state.owner not in (None, ctx.engine_id):
                others |= {state.owner} if waits else set()
            elif _is_over(state, now) or (
                waits
                and (
                    _can_start(tx, policies[target], state, now)
                    or (target in ctx.providers and bool(tx.left_at_provider(target)))
                )
            ):
                worth.append(target)
        ctx.queues = {state.target for state in states.values() if state.owner == ctx.engine_id}
        gone = others and any(engine.id in others and ctx.liveness.is_dead(engine) for engine in tx.engines())
    if gone and recovers:
        recover(ctx)
        return _worth_a_look(ctx, recovers=False)
    return worth, pooled


def _is_over(state: QueueState, now: float) -> bool:
    return state.held_by is not None and not holds_now(state, now)


def _can_start(tx: Transaction, policy: QueuePolicy, state: QueueState, now: float) -> bool:
    if policy.slots is not None and tx.running_on(state.target) >= policy.slots:
        return False
    if state.held_by is None or state.held_until is None or policy.access is Access.SHARED:
        return True
    if not holds_now(state, now) or state.held_until > now + policy.gap_s:
        return True
    if tx.first_of_session(state.target, state.held_by) is not None:
        return True
    # A window that is open goes before a hold of another workspace.
    booked = tx.reservations(state.target, now)
    return any(each.starts_at <= now and each.workspace != state.held_workspace for each in booked)
