"""Quotas at work: held in the transaction that stores a job, settled in the one that ends it.

Between the two the amounts belong to the job (`Job.holds`): a lost lease or a second attempt changes nothing of them.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.quotas import Dimension, Hold, Period, Quota, QuotaUse
from antiphon.errors import QuotaExceededError
from antiphon.ports.access_store import AccessTransaction

_UNITS = {
    Dimension.JOBS_IN_FLIGHT: "jobs in flight",
    Dimension.SHOTS: "shots",
    Dimension.TARGET_SECONDS: "seconds in the target",
    Dimension.COST: "units of cost",
}
GRAIN = 2.0**20
"""Amounts are held in 1/2^20 of a unit: such sums are exact in floating point, and when all is given back nothing is
held."""
TOLERANCE = 1e-6
"""Sums of measured seconds and of money may miss their limit by rounding alone."""
_PER = {Period.NONE: "", Period.DAY: " a day", Period.MONTH: " a month"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a quota stands at a time. `resets_at` is when `used` begins at zero again; None for never."""

    quota: Quota
    use: QuotaUse
    resets_at: float | None

    @property
    def remaining(self) -> float:
        """What a next job may need at most; never below zero."""
        return max(0.0, self.quota.limit - self.use.used - self.use.held)


def hold(
    tx: AccessTransaction,
    job: Job,
    planned_seconds: float,
    now: float,
    *,
    runs: bool = True,
    planned_cost: float = 0.0,
) -> tuple[Hold, ...]:
    """Hold what a job will need of each quota of its workspace; to be called in the transaction that stores the job.

    A workspace without quotas costs one indexed query. Where a target has no prices, cost is not known before its
    provider says it: a job is let in while some is left, and settled with what it came to.

    Args:
        planned_seconds: What the target planned; held of the target's seconds.
        planned_cost: What it costs at most by the prices of its target.
        runs: False for a job that has an earlier one's result: it is in flight for a moment, and needs no more.

    Raises:
        QuotaExceededError: There is not enough left; nothing of the transaction may be stored.
    """
    quotas = tx.quotas(job.workspace)
    if not quotas:
        return ()
    needs = {
        Dimension.JOBS_IN_FLIGHT: 1.0,
        Dimension.SHOTS: float(job.shots) if runs else 0.0,
        Dimension.TARGET_SECONDS: planned_seconds if runs else 0.0,
        Dimension.COST: planned_cost if runs else 0.0,
    }
    holds = []
    # In the order of ids, as everybody does, so that no two transactions wait for each other's rows.
    for quota in sorted(quotas, key=lambda quota: quota.id):
        if quota.target is not None and quota.target != job.spec.target:
            continue
        needed = needs[quota.dimension]
        start = quota.period.start(now)
        use = tx.quota_use(quota.id, start)
        standing = Standing(quota, use, quota.period.end(now))
        counts = runs or quota.dimension is Dimension.JOBS_IN_FLIGHT
        if counts and _goes_beyond(standing, needed):
            raise _exceeded(standing, needed)
        amount = math.ceil(needed * GRAIN) / GRAIN
        tx.change_quota_use(quota.id, start, used=0.0, held=amount)
        holds.append(Hold(quota.id, quota.dimension, start, amount))
    return tuple(holds)


def refusal_ahead(
    tx: AccessTransaction, workspace: str, target: str, now: float, *, shots: float, seconds: float, cost: float
) -> QuotaExceededError | None:
    """Why a job of a workspace with these needs would not be let in to a target now; None if it would."""
    needs = {
        Dimension.JOBS_IN_FLIGHT: 1.0,
        Dimension.SHOTS: shots,
        Dimension.TARGET_SECONDS: seconds,
        Dimension.COST: cost,
    }
    for quota in tx.quotas(workspace):
        if quota.target in (None, target):
            standing = read_standing(tx, quota, now)
            if _goes_beyond(standing, needs[quota.dimension]):
                return _exceeded(standing, needs[quota.dimension])
    return None


def _goes_beyond(standing: Standing, needed: float) -> bool:
    quota, use = standing.quota, standing.use
    spent = quota.dimension is Dimension.COST and use.used > 0 and use.used >= quota.limit
    return spent or use.used + use.held + needed > quota.limit + TOLERANCE


def settle_holds(tx: AccessTransaction, job: Job) -> None:
    """Give back what a job that is final holds, and count what it used; to be called in the transaction that ends it.

    A job that never ran used nothing, nor did one that has an earlier one's result; one that ran used all its shots,
    however it ended.
    """
    for each in sorted(job.holds, key=lambda hold: hold.quota):
        tx.change_quota_use(each.quota, each.period_start, used=_used(job, each), held=-each.amount)


def read_standing(tx: AccessTransaction, quota: Quota, now: float) -> Standing:
    """Where a quota stands now."""
    return Standing(quota, tx.quota_use(quota.id, quota.period.start(now)), quota.period.end(now))


def _used(job: Job, held: Hold) -> float:
    match held.dimension:
        case Dimension.JOBS_IN_FLIGHT:
            return 0.0
        case Dimension.COST:
            return sum(float(line.get("amount", 0.0)) for line in job.cost)
        case Dimension.SHOTS:
            # Not what is held: a cached job holds none, and runs after all when the result it was to have is gone.
            return float(job.shots) if _ran(job) else 0.0
        case Dimension.TARGET_SECONDS:
            if not _ran(job):
                return 0.0
            # Nobody measured a job whose engine died under it: what was planned is all that is known.
            return held.amount if job.stages.execute is None else job.stages.execute


def _ran(job: Job) -> bool:
    return not job.is_cached and (job.status is JobStatus.SUCCEEDED or job.started_at is not None)


def _exceeded(standing: Standing, needed: float) -> QuotaExceededError:
    quota, use = standing.quota, standing.use
    on = "" if quota.target is None else f" on {quota.target}"
    limit = f"{_amount(quota.limit)} {_UNITS[quota.dimension]}{_PER[quota.period]}{on}"
    resets = iso(standing.resets_at)
    shortfall = max(0.0, needed - standing.remaining)
    return QuotaExceededError(
        f"The workspace {quota.workspace} may have {limit}; this job would go beyond that.",
        cause=f"{_amount(use.used)} used, {_amount(use.held)} held by jobs that have not ended, "
        f"{_amount(standing.remaining)} left; this job needs {_amount(needed)}"
        + (f", {_amount(shortfall)} more than that" if shortfall else ""),
        next_step=(
            "Wait until a job of the workspace has ended, or ask an admin for more."
            if resets is None and use.held > 0
            else f"It begins at zero again at {resets}; ask for less, or ask an admin for more."
            if resets is not None
            else "Ask for less, or ask an admin for more."
        ),
        details={**_facts(quota), "used": use.used, "held": use.held, "requested": needed}
        | {"remaining": standing.remaining, "shortfall": shortfall, "resets_at": resets},
    )


def _facts(quota: Quota) -> Mapping[str, Any]:
    return {
        "quota": quota.id,
        "dimension": quota.dimension.value,
        "limit": quota.limit,
        "period": quota.period.value,
        "target": quota.target,
    }


def iso(at: float | None) -> str | None:
    """A time in an error's details and words, ISO 8601 in UTC."""
    return None if at is None else dt.datetime.fromtimestamp(at, dt.UTC).isoformat().replace("+00:00", "Z")


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.6g}"
