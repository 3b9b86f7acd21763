"""Usage: what a workspace's jobs used in a period, summed by target, by user or by day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from antiphon.domain.quotas import Period
from antiphon.domain.usage import MOST_DAYS, UsageBy
from antiphon.engine.access.tenants import require_tenant
from antiphon.engine.context import EngineContext
from antiphon.errors import LimitError
from antiphon.ports.access_store import UsageLine

DAY_S = 86_400.0
LATEST = 253_370_764_800.0
"""The year 9999 begins: later times cannot be written as dates."""


@dataclass(frozen=True, slots=True)
class UsageSum:
    """Sums over the jobs of one target, one user, or one day (`key`: seconds since the epoch at its UTC midnight).

    `jobs` counts those under way too; `seconds` is time spent in targets.
    """

    key: str | float
    jobs: int
    succeeded: int
    failed: int
    cancelled: int
    shots: int
    seconds: float


@dataclass(frozen=True, slots=True)
class UsageSummary:
    """What jobs created in [since, until) used; `sums` are ordered by key."""

    workspace: str
    since: float
    until: float
    by: UsageBy
    total: UsageSum
    sums: tuple[UsageSum, ...]


def last_days(now: float, days: int) -> tuple[float, float]:
    """The period of the last `days` days in UTC: it ends with today's last moment and begins at a midnight.

    Raises:
        LimitError: Not 1 to 3,660 days (code "period-invalid").
    """
    if not 1 <= days <= MOST_DAYS:
        raise LimitError(
            f"{days} days cannot be summed up.",
            code="period-invalid",
            next_step=f"Ask for 1 to {MOST_DAYS:,} days.",
        )
    until = Period.DAY.start(now) + DAY_S
    return until - days * DAY_S, until


def summarise_usage(
    ctx: EngineContext, workspace: str, *, since: float, until: float, by: UsageBy = UsageBy.TARGET
) -> UsageSummary:
    """Sum up what the jobs created in [since, until) used so far.

    Raises:
        NotFoundError: No such workspace.
        LimitError: The period ends before it begins, or is longer than 3,660 days (code "period-invalid").
    """
    if not 0 <= since < until <= LATEST or until - since > MOST_DAYS * DAY_S:
        raise LimitError(
            "This period cannot be summed up.",
            code="period-invalid",
            cause=f"it must begin after 1969 and before it ends, and have at most {MOST_DAYS:,} days",
            next_step="Give a period such as the last 28 days.",
        )
    with ctx.store.read() as tx:
        require_tenant(tx, workspace)
        lines = tx.usage(workspace, since, until)
    keys: dict[UsageBy, Callable[[UsageLine], str | float]] = {
        UsageBy.TARGET: lambda line: line.target,
        UsageBy.USER: lambda line: line.who,
        UsageBy.DAY: lambda line: line.day,
    }
    groups: dict[str | float, list[UsageLine]] = {}
    for line in lines:
        groups.setdefault(keys[by](line), []).append(line)
    # One summary has keys of one kind.
    ordered = sorted(groups, key=lambda key: (0.0, key) if isinstance(key, str) else (key, ""))
    sums = tuple(_sum(key, groups[key]) for key in ordered)
    return UsageSummary(workspace, since, until, by, _sum("", lines), sums)


def _sum(key: str | float, lines: Iterable[UsageLine]) -> UsageSum:
    lines = list(lines)
    return UsageSum(
        key,
        sum(line.jobs for line in lines),
        sum(line.succeeded for line in lines),
        sum(line.failed for line in lines),
        sum(line.cancelled for line in lines),
        sum(line.shots for line in lines),
        sum(line.seconds for line in lines),
    )
