"""Advise: whether the same work is cheaper and faster as single jobs, as one batch, or as a session."""

from __future__ import annotations

import math

from antiphon.domain.policies.advice import Advice, Loop
from antiphon.domain.policies.advice import advise as advise_loop
from antiphon.domain.policies.metering import WorkFacts, meter
from antiphon.domain.queues import Rank, rank_of
from antiphon.engine.ahead import Place, look_ahead
from antiphon.engine.context import EngineContext
from antiphon.engine.estimates import History, history_of, planned
from antiphon.engine.prices import tariff_of
from antiphon.engine.queues.policies import known_policy
from antiphon.engine.requests import SubmitRequest
from antiphon.engine.validate import find_driver
from antiphon.errors import InvalidRequestError

MOST_JOBS = 1_000_000
LONGEST_CLASSICAL_S = 30 * 86_400.0


def advise(
    ctx: EngineContext,
    *,
    workspace: str,
    target: str,
    request: WorkFacts | SubmitRequest,
    jobs: int,
    classical_s: float = 0.0,
) -> Advice:
    """What `jobs` such jobs with `classical_s` seconds of the caller's own work between each two cost, in each way.

    Bills are by the target's prices for the median run, walls by the median wait as the queue stands; nothing is
    stored. Waits are those of a workspace's user who has nothing waiting.

    Args:
        request: One of the jobs, or what is charged of one; of a request the target and workspace given here count.

    Raises:
        NotFoundError: No such target.
        ProgramError, LimitError: The job would be refused.
        InvalidRequestError: No job, too many, or a negative time.
    """
    driver = find_driver(ctx.drivers, target)
    if not 1 <= jobs <= MOST_JOBS:
        raise InvalidRequestError(f"{jobs} jobs cannot be compared.", next_step=f"Give 1 to {MOST_JOBS:,}.")
    if not (math.isfinite(classical_s) and 0.0 <= classical_s <= LONGEST_CLASSICAL_S):
        raise InvalidRequestError(
            f"{classical_s:g} s between two jobs cannot be compared.",
            next_step=f"Give 0 to {LONGEST_CLASSICAL_S:,.0f} seconds.",
        )
    user = ""
    if isinstance(request, SubmitRequest):
        user = request.who
        work, plan = planned(ctx, request)
        facts = meter(work, plan, priority=request.priority, most_gates=driver.info.limits.max_operations)
    else:
        facts = request
    history = history_of(ctx, target, facts.priority)
    facts = facts.after(history.run.of(facts.seconds).p50)

    def wait(rank: Rank) -> float:
        return _wait(ctx, history, Place(target, rank, workspace, user, ctx.clock.now(), None, facts.seconds))

    policy = known_policy(ctx, target)
    tariff = tariff_of(ctx, target)
    loop = Loop(
        facts=facts,
        jobs=jobs,
        classical_s=classical_s,
        wait_s=wait(rank_of(facts.priority, in_session=False)),
        session_wait_s=wait(rank_of(facts.priority, in_session=True)),
        access=policy.access,
        gap_s=policy.gap_s,
    )
    return advise_loop(None if tariff is None else tariff.prices, loop)


def _wait(ctx: EngineContext, history: History, place: Place) -> float:
    with ctx.store.read() as tx:
        ahead = look_ahead(ctx, tx, place, place.created_at, history.typical_s)
    return history.waited(ahead).p50
