"""Explain a job: the facts behind `policies.explain`, as the store has them now."""

from __future__ import annotations

import statistics

from antiphon.domain.jobs import Job, JobStatus, JobTrigger, as_told
from antiphon.domain.policies import explain as words
from antiphon.domain.policies.explain import AheadGroup, Explanation, Standing
from antiphon.domain.policies.pick import Rule
from antiphon.domain.policies.shares import standing as compared
from antiphon.domain.queues import QueuePolicy, Rank
from antiphon.domain.submissions import Submission
from antiphon.engine.cancel import job_not_found
from antiphon.engine.context import EngineContext
from antiphon.engine.providers.waiting import at_provider, starts_in_s
from antiphon.engine.queues.holding import as_of
from antiphon.engine.queues.policies import policy_of
from antiphon.engine.queues.status import booked
from antiphon.ports.job_store import Transaction

MOST_COUNTED = 1_000
"""So many jobs of each group are counted."""


def explain(ctx: EngineContext, *, workspace: str, job_id: str) -> Explanation:
    """Why a job is where it is: who is ahead (as a class, not by name), by which rule, and what would change it.

    Its cost does not grow with the jobs that wait.

    Raises:
        NotFoundError: No such job in the workspace.
    """
    with ctx.store.read() as tx:
        job = tx.job(job_id, workspace=workspace)
        if job is None:
            raise job_not_found(job_id)
        line = at_provider(tx, job)
        if job.waits_there or line is not None:
            return _there(ctx, job, line)
        if job.status is not JobStatus.WAITING:
            return Explanation(job_id=job.id, status=job.status.value, rule=_how(tx, job))
        return _waiting(ctx, tx, job)


def _how(tx: Transaction, job: Job) -> str:
    why = [event.why for event in tx.events(job.id) if event.event == JobTrigger.CLAIMED.value]
    return f"it was started: {why[-1]}" if why else "it was never started"


def _there(ctx: EngineContext, job: Job, line: Submission | None) -> Explanation:
    """An engine sees it through, or did, and its provider has not started it, as far as is known."""
    starts_in = None if line is None else starts_in_s(ctx, line)
    rule = words.waits_there(job.spec.target, None if line is None else line.state, starts_in)
    if job.owner is None:
        rule += words.NOT_FOLLOWED
    return Explanation(job_id=job.id, status=as_told(job).status.value, rule=rule, starts_in_s=starts_in)


def _waiting(ctx: EngineContext, tx: Transaction, job: Job) -> Explanation:
    target, now = job.spec.target, ctx.clock.now()
    policy = policy_of(ctx, tx, target)
    stored = tx.queue_state(target)
    first = None if stored.held_by is None else tx.first_of_session(target, stored.held_by)
    state = as_of(tx, stored, policy, now, None if first is None else first.created_at)
    now_open, to_come = booked(tx, target, now)
    standing, before_by_share = _standing(tx, job, policy, now)
    ahead = _ahead(tx, job, before_by_share)
    holds_it = state.held_by is not None and state.held_by == job.session_id
    if holds_it:
        ahead = tuple(each for each in ahead if each.rule == "age")
    held = words.held_by(state, job.workspace, job.session_id, now, now_open)
    bound = words.starts_bound(policy, _older(tx, job) + tx.running_on(target))
    return Explanation(
        job_id=job.id,
        status=job.status.value,
        rule=Rule.HOLD.value if holds_it else words.STARTS_BY[job.rank],
        position=sum(each.jobs for each in ahead),
        at_least=any(each.at_least for each in ahead),
        ahead=ahead,
        held=held,
        standing=standing,
        reservation=words.reserved(now_open, to_come, job.workspace, now),
        changes=words.changes(
            policy, state, job.rank, job.priority, now - job.created_at, now, ahead, held, standing, bound
        ),
        starts_bound=bound,
    )


def _standing(tx: Transaction, job: Job, policy: QueuePolicy, now: float) -> tuple[Standing | None, set[str]]:
    """How the job's workspace and user stand, and which relations have somebody who comes before them by shares."""
    target, rank, window = job.spec.target, job.rank, policy.window_s
    own, others = None, []
    for name, use, allotment in tx.waiting_workspaces(target, rank):
        if name == job.workspace:
            own = (compared(use, allotment, window), use, allotment)
        else:
            others.append((compared(use, allotment, window), use, allotment))
    if own is None:
        return None, {"workspace", "user"}
    before = set()
    # Names decide between equals, and others' are not to be told: equals count as before it.
    if any(each[0] <= own[0] for each in others):
        before.add("workspace")
    users = {name: compared(use, 1.0, window) for name, use in tx.waiting_users(target, rank, job.workspace)}
    mine = users.pop(job.created_by, 0.0)
    if any(value <= mine for value in users.values()):
        before.add("user")
    used = [use.faded(now, window) / allotment for _, use, allotment in others if allotment > 0]
    allotment = own[2]
    mine_s = own[1].faded(now, window) / allotment if allotment > 0 else 0.0
    return Standing(allotment, mine_s, statistics.median(used) if used else None), before


def _ahead(tx: Transaction, job: Job, before_by_share: set[str]) -> tuple[AheadGroup, ...]:
    rows = tx.work_ahead(job.spec.target, job.rank, job.workspace, job.created_by, job.created_at, MOST_COUNTED)
    return tuple(
        words.group(rank, relation, job.rank, jobs, planned_s, MOST_COUNTED)
        for rank, relation, jobs, planned_s in rows
        if relation not in ("workspace", "user") or rank is not job.rank or relation in before_by_share
    )


def _older(tx: Transaction, job: Job) -> int:
    """At most so many waiting jobs are older than it, whatever their class."""
    before = tx.jobs_before(job, MOST_COUNTED)
    if job.rank is Rank.STANDARD:
        return before
    everything = tx.work_ahead(job.spec.target, Rank.STANDARD, "", "", job.created_at, MOST_COUNTED)
    return max(before, sum(jobs for _, _, jobs, _ in everything) - 1)
