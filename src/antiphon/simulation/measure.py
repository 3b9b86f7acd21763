"""What an operator wants to know of a policy: waits by class, fairness, utilisation, starvation, turn-around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from antiphon.domain.queues import Rank
from antiphon.simulation.fairness import Fairness, measure_fairness
from antiphon.simulation.played import Played
from antiphon.simulation.targets import SimTarget
from antiphon.simulation.workload import NONE, Floats

CLASSES: dict[str, tuple[Rank, ...]] = {
    "session": (Rank.SESSION_HIGH, Rank.SESSION),
    "high": (Rank.HIGH,),
    "standard": (Rank.STANDARD,),
}
"""What a report tells apart; both priorities of sessions are one."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Of how many, and the seconds that half, and 95 % of them, stayed below, and the most."""

    count: int
    median: float | None = None
    p95: float | None = None
    longest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One policy's figures. Times in seconds.

    Attributes:
        waits: From submit to first start, by class.
        utilisation: The part of the open slot-seconds that was used, from the first arrival to the last.
        kept_idle: The part of the open slot-seconds, until the last end, in which a slot was free, a job waited, and
            the policy kept it for a session or a reservation.
        past_bound: Jobs before which more were started than the starvation bound of `policies.pick` allows;
            `past_patience` those that waited longer than the patience.
        turnaround: From a session's first submit to its last end; `stretch` as a multiple of what it would take alone:
            its run times and its classical program's.
        cut: Jobs that never ran since their session reached its total limit.
        holds, holds_lost: How often a session took its target for itself, and how often it lost it before its end.
        cpu_s: Processor time of the simulation.
    """

    policy: str
    jobs: int
    waits: Mapping[str, Spread]
    fairness: Fairness
    utilisation: float
    kept_idle: float
    past_bound: int
    past_patience: int
    longest_wait_s: float | None
    turnaround: Spread
    stretch: Spread
    cut: int
    yields: int
    interrupted: int
    holds: int
    holds_lost: int
    rules: Mapping[str, int]
    cpu_s: float

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return asdict(self)


def measure(played: Played, targets: Sequence[SimTarget], allotments: Mapping[str, float] | None = None) -> Report:
    """The figures of a run."""
    load, wait_s = played.workload, played.wait_s
    waits = {name: _spread(wait_s[np.isin(load.rank, [int(rank) for rank in of])]) for name, of in CLASSES.items()}
    turnaround, stretch = _sessions(played)
    rules: dict[str, int] = {}
    for queue in played.queues:
        for rule, count in queue.rules.items():
            rules[rule] = rules.get(rule, 0) + count
    utilisation, kept_idle = _use(played, targets)
    return Report(
        policy=played.name,
        jobs=len(load),
        waits=waits,
        fairness=measure_fairness(played, allotments or {}),
        utilisation=utilisation,
        kept_idle=kept_idle,
        past_bound=sum(queue.past_bound for queue in played.queues),
        past_patience=sum(queue.old for queue in played.queues),
        longest_wait_s=_spread(wait_s).longest,
        turnaround=turnaround,
        stretch=stretch,
        cut=sum(queue.cut for queue in played.queues),
        yields=sum(queue.yields for queue in played.queues),
        interrupted=sum(queue.interrupted for queue in played.queues),
        holds=sum(len(queue.holds) for queue in played.queues),
        holds_lost=sum(lost for queue in played.queues for *_, lost in queue.holds),
        rules=dict(sorted(rules.items(), key=lambda item: -item[1])),
        cpu_s=played.cpu_s,
    )


def _spread(values: Floats) -> Spread:
    known = values[~np.isnan(values)]
    if not len(known):
        return Spread(0)
    median, p95 = np.percentile(known, [50, 95])
    return Spread(len(known), float(median), float(p95), float(known.max()))


def _use(played: Played, targets: Sequence[SimTarget]) -> tuple[float, float]:
    begin, end = played.workload.span
    _, since, until = played.runs()
    if not len(since):
        return 0.0, 0.0
    used = float(np.maximum(0.0, np.minimum(until, end) - np.maximum(since, begin)).sum())
    last = float(until.max())
    opened = sum(each.slots * each.open_seconds(begin, end) for each in targets)
    in_all = sum(each.slots * each.open_seconds(begin, last) for each in targets)
    kept = sum(queue.kept_idle_s for queue in played.queues)
    return (used / opened if opened else 0.0), (kept / in_all if in_all else 0.0)


def _sessions(played: Played) -> tuple[Spread, Spread]:
    """Turn-around and stretch of the sessions that had all their jobs done."""
    load = played.workload
    members = np.flatnonzero(load.session != NONE)
    session, count = load.session[members], len(load.session_closes)
    whole = np.bincount(session[np.isnan(played.ended_at[members])], minlength=count) == 0
    first, last, alone = np.full(count, np.inf), np.full(count, -np.inf), np.zeros(count)
    np.fmin.at(first, session, played.submitted_at[members])
    np.fmax.at(last, session, played.ended_at[members])
    np.add.at(alone, session, load.run_s[members] + load.think_s[members])
    known = whole & np.isfinite(first)
    took = last - first
    return _spread(took[known]), _spread(took[known] / np.maximum(alone[known], 1e-9))
