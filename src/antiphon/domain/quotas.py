"""Quotas: how much a workspace may use, held when a job is submitted and settled when it ends."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class Dimension(StrEnum):
    """What is counted."""

    JOBS_IN_FLIGHT = "jobs-in-flight"  # submitted and not final; never used up, only held
    SHOTS = "shots"
    TARGET_SECONDS = "target-seconds"  # held: as planned; settled: as measured
    COST = "cost"  # in the currency of the target's price list


class Period(StrEnum):
    """After what time the used amount begins at zero again. Calendar days and months are UTC."""

    NONE = "none"
    DAY = "day"
    MONTH = "month"

    def start(self, at: float) -> float:
        """Begin of the period that `at` lies in (seconds since the epoch); 0 for NONE."""
        if self is Period.NONE:
            return 0.0
        day = dt.datetime.fromtimestamp(at, dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return (day if self is Period.DAY else day.replace(day=1)).timestamp()

    def end(self, at: float) -> float | None:
        """When the period that `at` lies in is over; None for NONE."""
        if self is Period.NONE:
            return None
        start = dt.datetime.fromtimestamp(self.start(at), dt.UTC)
        if self is Period.DAY:
            return (start + dt.timedelta(days=1)).timestamp()
        return (start.replace(day=28) + dt.timedelta(days=4)).replace(day=1).timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One limit of a workspace, on one target or on all together (`target` None)."""

    id: str
    workspace: str
    dimension: Dimension
    limit: float
    period: Period = Period.NONE
    target: str | None = None


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """Where a quota stands in one period: `used` is settled, `held` belongs to jobs that have not ended."""

    used: float = 0.0
    held: float = 0.0


@dataclass(frozen=True, slots=True)
class Hold:
    """What one job holds of one quota in the period that began at `period_start`; given back when it ends."""

    quota: str
    dimension: Dimension
    period_start: float
    amount: float
