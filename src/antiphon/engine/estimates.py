"""Estimates of jobs, before and after they are submitted, and how well those of a target held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.policies.bills import Bill
from antiphon.domain.policies.estimates import (
    IDLE_S,
    LEAST,
    NEWEST,
    Coverage,
    Estimate,
    Quantiles,
    Source,
    Spread,
    run_spread,
    score,
    wait_spread,
)
from antiphon.domain.policies.metering import WorkFacts
from antiphon.domain.policies.prices import PriceList
from antiphon.domain.queues import Priority, rank_of
from antiphon.domain.shown import span
from antiphon.domain.submissions import Submission
from antiphon.domain.work import Plan, Pub, Work
from antiphon.engine.ahead import Ahead, Place, look_ahead
from antiphon.engine.calibrations import for_driver
from antiphon.engine.cancel import job_not_found
from antiphon.engine.charging import PRICED, Metered, metered
from antiphon.engine.context import EngineContext
from antiphon.engine.planning import plan_to_queue
from antiphon.engine.prices import Tariff, prices_of
from antiphon.engine.providers.waiting import at_provider, starts_in_s
from antiphon.engine.queues.policies import known_policy
from antiphon.engine.requests import SubmitRequest
from antiphon.engine.validate import check_request, find_driver
from antiphon.ports.provider import KnowsItsQueue
from antiphon.ports.queue_store import QueueOutcome

LEARNED_S = 5.0
"""A history of so many seconds ago is new enough."""


@dataclass(frozen=True, slots=True)
class History:
    """What a target's newest jobs tell: how long they ran compared with their plans, and how long they waited."""

    run: Spread
    wait_behind_work: Spread
    wait_behind_none: Spread
    typical_s: float | None

    def waited(self, ahead: Ahead) -> Quantiles:
        """How long a job waits behind so much work."""
        if not ahead.queued:
            return Quantiles(0.0, 0.0, 0.0, Source.HISTORY)
        spread = self.wait_behind_work if ahead.seconds > 0.0 else self.wait_behind_none
        if spread.source is not Source.MODEL:
            return spread.of(ahead.seconds, upper_bound=ahead.upper_bound)
        # What a provider tells of its own queue is no model.
        here_s = ahead.seconds - ahead.there_s
        here = spread.of(here_s, upper_bound=ahead.upper_bound)
        if here_s <= 0.0:
            here = Quantiles(*IDLE_S, Source.MODEL, spread.jobs)
        p50, p80, p95 = (bound + ahead.there_s for bound in (here.p50, here.p80, here.p95))
        return evolve(here, p50=p50, p80=p80, p95=p95)


def estimate_before(ctx: EngineContext, request: SubmitRequest) -> Estimate:
    """What to expect of a request if it were submitted now; nothing is stored.

    Raises:
        NotFoundError: No such target.
        ProgramError, LimitError: The job would be refused.
    """
    return estimate_of_plan(ctx, request, *planned(ctx, request))


def estimate_of_plan(ctx: EngineContext, request: SubmitRequest, work: Work, plan: Plan) -> Estimate:
    """The same of a request that is planned already."""
    driver = find_driver(ctx.drivers, request.target)
    to_charge = metered(ctx, work, plan, driver.info, request.priority)
    rank = rank_of(request.priority, in_session=request.session_id is not None)
    now = ctx.clock.now()
    place = Place(request.target, rank, request.workspace, request.who, now, request.session_id, plan.cost)
    limit = driver.info.limits.max_seconds if request.max_seconds is None else float(request.max_seconds)
    if _runs_at_once(ctx, request, plan):
        ahead = Ahead(0.0, queued=False, notes=("it runs at once, in the process that takes it",))
    else:
        with ctx.store.read() as tx:
            ahead = look_ahead(ctx, tx, place, now, history_of(ctx, request.target, request.priority).typical_s)
    found = _estimate(ctx, place, request.priority, ahead, to_charge, limit, now)
    return evolve(found, notes=(*plan.warnings, *found.notes))


def estimate_at_submit(ctx: EngineContext, job: Job, to_charge: Metered | None) -> Estimate:
    """What a job that will wait, and is not stored yet, keeps of what was expected of it."""
    with ctx.store.read() as tx:
        typical_s = history_of(ctx, job.spec.target, job.priority).typical_s
        ahead = look_ahead(ctx, tx, _place(job), job.created_at, typical_s, is_last=True)
    return _estimate(ctx, _place(job), job.priority, ahead, to_charge, job.spec.max_seconds, job.created_at)


def estimate_now(ctx: EngineContext, workspace: str, job_id: str) -> Estimate:
    """What is still to come of a job: how long it waits from now on, how long it then runs, what it costs in all.

    Of a job that runs, what is left of the run; of one that has ended, zeros and what it cost.

    Raises:
        NotFoundError: No such job in the workspace.
    """
    now = ctx.clock.now()
    with ctx.store.read() as tx:
        job = tx.job(job_id, workspace=workspace)
        if job is None:
            raise job_not_found(job_id)
        line = at_provider(tx, job)
        is_there = job.waits_there or line is not None
        waits = job.status is JobStatus.WAITING and not is_there
        typical = history_of(ctx, job.spec.target, job.priority).typical_s
        ahead = look_ahead(ctx, tx, _place(job), now, typical) if waits else Ahead(0.0, queued=True)
        to_charge = _kept(ctx, job)
    found = _estimate(ctx, _place(job), job.priority, ahead, to_charge, job.spec.max_seconds, now)
    if waits:
        return found
    if is_there:
        return _still_there(ctx, found, line, now)
    none = Quantiles(0.0, 0.0, 0.0, Source.HISTORY)
    if job.status.is_final:
        total = sum(float(line.get("amount", 0.0)) for line in job.cost)
        cost = None if found.cost is None else Quantiles(total, total, total, Source.HISTORY)
        return evolve(found, wait=none, run=none, cost=cost, notes=("it has ended",))
    ran = max(0.0, now - (job.started_at or now))
    left = evolve(
        found.run, p50=_left(found.run.p50, ran), p80=_left(found.run.p80, ran), p95=_left(found.run.p95, ran)
    )
    return evolve(found, wait=none, run=left, notes=(f"it has been running for {ran:.3g} s", *found.notes))


def _still_there(ctx: EngineContext, found: Estimate, line: Submission | None, now: float) -> Estimate:
    """What is to come of a job that its provider has not started."""
    provider = ctx.providers.get(found.target)
    if isinstance(provider, KnowsItsQueue):
        starts_in = None if line is None else starts_in_s(ctx, line)
        wait_s = provider.expected_wait() if starts_in is None else starts_in
        wait = Quantiles(wait_s, wait_s, wait_s, Source.MODEL)
        return evolve(found, wait=wait, notes=(f"it waits in the queue of {found.target} itself", *found.notes))
    waited = 0.0 if line is None else max(0.0, now - line.intended_at)
    p50, p80, p95 = (_left(bound, waited) for bound in (found.wait.p50, found.wait.p80, found.wait.p95))
    note = f"it has been waiting at its provider for {span(waited)}, which does not say how much longer"
    return evolve(found, wait=evolve(found.wait, p50=p50, p80=p80, p95=p95), notes=(note, *found.notes))


def coverage(ctx: EngineContext, target: str, priority: Priority | None = None) -> Coverage:
    """For how many of a target's newest jobs the bounds that were given held; all priorities together, or one.

    Raises:
        NotFoundError: No such target.
    """
    find_driver(ctx.drivers, target)
    word = None if priority is None else priority.value
    with ctx.store.read() as tx:
        return score(target, word, tx.queue_outcomes(target, NEWEST, word))


def expected_wait(ctx: EngineContext, target: str) -> float:
    """Seconds that a job of standard priority submitted now would wait, at the median; up to a second old.

    It is that of a workspace and user who have nothing waiting. Where a provider can say how long its own queue is,
    that is in it.

    Raises:
        NotFoundError: No such target.
    """
    return expected_waits(ctx, target, Priority.STANDARD).p50


def expected_waits(ctx: EngineContext, target: str, priority: Priority) -> Quantiles:
    """How long a job of a priority submitted now would wait, as `expected_wait` has it, with its bounds.

    Raises:
        NotFoundError: No such target.
    """
    find_driver(ctx.drivers, target)

    def read() -> Quantiles:
        now = ctx.clock.now()
        history = history_of(ctx, target, priority)
        place = Place(target, rank_of(priority, in_session=False), "", "", now)
        with ctx.store.read() as tx:
            ahead = look_ahead(ctx, tx, place, now, history.typical_s)
        return history.waited(ahead)

    return ctx.recent.get(("expected wait", target, priority), ctx.clock, read)


def most_seconds(ctx: EngineContext, target: str, priority: Priority, planned_s: float, limit: float) -> float:
    """For how long a job planned to run so long is taken to run at most: the 95 % bound, or its own limit."""
    return min(limit, history_of(ctx, target, priority).run.of(planned_s).p95)


def history_of(ctx: EngineContext, target: str, priority: Priority) -> History:
    """What a target's newest jobs of a priority tell, or of all while those are few; up to five seconds old."""

    def read() -> History:
        with ctx.store.read() as tx:
            outcomes = tx.queue_outcomes(target, NEWEST, priority.value)
            if len(outcomes) < LEAST:
                outcomes = tx.queue_outcomes(target, NEWEST)
        return _learned(outcomes)

    return ctx.recent.get(("history", target, priority), ctx.clock, read, LEARNED_S)


def planned(ctx: EngineContext, request: SubmitRequest) -> tuple[Work, Plan]:
    """The request as its target would plan it, with seeds that do not matter.

    Raises:
        NotFoundError, ProgramError, LimitError: It would be refused.
    """
    driver = find_driver(ctx.drivers, request.target)
    check_request(request, driver.info)
    pubs = (
        Pub(pub.program, pub.parameters, None if pub.shots is None else int(pub.shots), 0, pub.observables,
            pub.observables_shape)
        for pub in request.pubs
    )  # fmt: skip
    work = Work(request.kind, tuple(pubs), for_driver(request.options, driver))
    return work, plan_to_queue(driver, work)


def _runs_at_once(ctx: EngineContext, request: SubmitRequest, plan: Plan) -> bool:
    if request.target in ctx.providers or known_policy(ctx, request.target).is_queued:
        return False
    cheap = plan.safe_inline and plan.cost <= ctx.settings.inline_seconds
    return request.execution == "inline" or (request.execution == "auto" and cheap)


def _learned(outcomes: Sequence[QueueOutcome]) -> History:
    ran = sorted(outcome.run_s for outcome in outcomes)
    return History(
        run=run_spread(outcomes),
        wait_behind_work=wait_spread(outcomes, 1.0),
        wait_behind_none=wait_spread(outcomes, 0.0),
        typical_s=ran[len(ran) // 2] if ran else None,
    )


def _estimate(
    ctx: EngineContext,
    place: Place,
    priority: Priority,
    ahead: Ahead,
    to_charge: Metered | None,
    limit: float,
    now: float,
) -> Estimate:
    history = history_of(ctx, place.target, priority)
    run = history.run.of(place.planned_s)
    run = evolve(run, p50=min(run.p50, limit), p80=min(run.p80, limit), p95=min(run.p95, limit))
    cost, currency, notes = None, None, ahead.notes
    if to_charge is not None:
        cost, bill = _cost(to_charge, run)
        currency, notes = bill.currency, (*notes, *bill.notes)
    return Estimate(
        at=now,
        target=place.target,
        priority=priority.value,
        ahead_s=ahead.seconds,
        planned_s=place.planned_s,
        wait=history.waited(ahead),
        run=run,
        cost=cost,
        currency=currency,
        notes=notes,
    )


def _cost(to_charge: Metered, run: Quantiles) -> tuple[Quantiles, Bill]:
    bills = [to_charge.bound(seconds) for seconds in (run.p50, run.p80, run.p95)]
    p50, p80, p95 = (bill.total for bill in bills)
    by_time = to_charge.tariff.prices.per_second > 0.0
    unsure = bool(bills[0].notes) or (by_time and run.upper_bound)
    return Quantiles(p50, p80, p95, run.source, run.jobs, unsure), bills[0]


def _kept(ctx: EngineContext, job: Job) -> Metered | None:
    kept = job.provenance.get(PRICED)
    stored = None if kept is None else prices_of(ctx, job.spec.target, kept["version"])
    if kept is None or stored is None:
        return None
    return Metered(Tariff(stored.version, PriceList.from_json(stored.body)), WorkFacts.from_json(kept["facts"]))


def _place(job: Job) -> Place:
    return Place(
        job.spec.target, job.rank, job.workspace, job.created_by, job.created_at, job.session_id, job.planned_s, job.id
    )


def _left(whole: float, ran: float) -> float:
    return max(0.0, whole - ran)
