"""Charging: a job of a target with prices is metered when it is submitted and billed when it has ended.

What was metered, and by which version of the list, is kept in the job's provenance under "priced": the list that
counted when it was submitted is the one it is billed by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.policies.bills import Bill, bill, bill_of_ended, session_line
from antiphon.domain.policies.metering import WorkFacts, meter
from antiphon.domain.policies.prices import PriceList
from antiphon.domain.queues import Priority
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import Plan, Work
from antiphon.engine.context import EngineContext
from antiphon.engine.prices import Tariff, tariff_of
from antiphon.ports.job_store import Transaction

PRICED = "priced"
RAN = "tasks"
"""In provenance: what ran of each program, where that was decided on the way and not planned (`Tasks`)."""


@dataclass(frozen=True, slots=True)
class Metered:
    """What of a job is charged, and by which list."""

    tariff: Tariff
    facts: WorkFacts

    def provenance(self) -> dict[str, Any]:
        """What the job keeps of it."""
        return {PRICED: {"version": self.tariff.version, "facts": self.facts.to_json()}}

    def bound(self, most_seconds: float) -> Bill:
        """What it may cost if it runs for at most so long."""
        return bill(self.tariff.prices, self.facts.after(most_seconds), most=True)


def metered(ctx: EngineContext, work: Work, plan: Plan, info: TargetInfo, priority: Priority) -> Metered | None:
    """What of a work will be charged; None when its target has no prices, which costs one look into memory."""
    tariff = tariff_of(ctx, info.name)
    if tariff is None:
        return None
    return Metered(tariff, meter(work, plan, priority=priority, most_gates=info.limits.max_operations))


def charged(tx: Transaction, job: Job, seconds: float) -> Job:
    """A job that is final, with what it costs: its provider's lines if it told any, else by its target's price list.

    `seconds` is how long it ran in its target, as far as is known.

    A job that never ran costs nothing, nor does one that has an earlier one's result.
    """
    kept: Mapping[str, Any] | None = job.provenance.get(PRICED)
    if kept is None or job.cost or job.is_cached or job.started_at is None:
        return job
    stored = tx.price_list(job.spec.target, kept["version"])
    if stored is None:
        return job
    prices = PriceList.from_json(stored.body)
    facts = WorkFacts.from_json(kept["facts"]).after(seconds)
    ran = job.provenance.get(RAN)
    if ran is not None and len(ran) == len(job.spec.pubs):
        facts = facts.as_run(ran)
    counts, succeeded = _what_counts(job, facts)
    found = bill_of_ended(prices, counts, succeeded=succeeded)
    idle = session_line(prices, _idle_before(tx, job)) if prices.session_per_second else None
    if idle is not None:
        found = evolve(found, lines=(*found.lines, idle))
    return evolve(job, cost=found.cost_lines(stored.version))


def _what_counts(job: Job, facts: WorkFacts) -> tuple[WorkFacts, bool]:
    if job.status is JobStatus.SUCCEEDED:
        return facts, True
    error = job.error or {}
    failed = error.get("details", {}).get("failed") if error.get("code") == "batch-partial" else None
    if failed and facts.num_programs == len(job.spec.pubs) > len(failed):
        # The others of the batch have results, and cost what they would have cost alone.
        return facts.without(failed), True
    return facts, False


def _idle_before(tx: Transaction, job: Job) -> float:
    """Seconds for which the job's session held the target without running there, since its job before this one."""
    if job.session_id is None or job.started_at is None:
        return 0.0
    session = tx.session(job.session_id)
    if session is None or session.holding_since is None or session.holding_since >= job.started_at:
        return 0.0
    busy_until = tx.busy_until(session.id, job.started_at, job.id)
    return max(0.0, job.started_at - max(session.holding_since, busy_until or 0.0))
