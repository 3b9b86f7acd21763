"""Estimates: wait, run time and cost of a job as 50, 80 and 95 % quantiles, and how well such estimates held.

A quantile is a bound that should hold for so many of all jobs. It is what was planned times a quantile of how what
came compared with what was planned, over the target's newest jobs. Two things keep it honest while a target changes:
old jobs count for less (conformal prediction with weights: Barber, Candès, Ramdas and Tibshirani, 2023), and the level
asked of the history goes up whenever a bound that was given did not hold, and down when it did (adaptive conformal
inference: Gibbs and Candès, 2021). Before there is a history the spread is that of the cost models, which promise an
order of magnitude.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from antiphon.domain.shown import Shown, span

LEVELS = (0.5, 0.8, 0.95)
NEWEST = 500
"""So many of a target's newest jobs are looked at."""
LEAST = 20
"""Fewer are no history."""
MEMORY = 150.0
"""A job counts 1/e of what the newest does once so many came after it."""
GAIN = 0.02
"""How far one bound that did not hold moves the level that is asked of the history."""
MODEL_SPREAD = (1.0, 3.3, 10.0)
"""Before there is a history: a lognormal spread that has nine tenths of all jobs within a factor of ten either way."""
IDLE_S = (0.02, 0.1, 1.0)
"""Before there is a history: how long a target with nothing before a job takes to start it. Never nothing at all, or no
bound would hold."""
RUN_FLOOR_S = 0.01
WAIT_FLOOR_S = 1.0
"""Added to both sides of a ratio: below it differences count, not factors."""


class Source(StrEnum):
    """What an estimate is from."""

    HISTORY = "history"  # the target's newest jobs
    MODEL = "model"  # the spread of the cost models


class Came(Protocol):
    """What was estimated of a job, and what came; `ports.queue_store.QueueOutcome` is one. Times in seconds."""

    @property
    def planned_s(self) -> float: ...  # noqa: D102
    @property
    def ahead_s(self) -> float: ...  # noqa: D102
    @property
    def wait_s(self) -> float: ...  # noqa: D102
    @property
    def run_s(self) -> float: ...  # noqa: D102
    @property
    def cost(self) -> float | None: ...  # noqa: D102
    @property
    def estimate(self) -> Mapping[str, Any] | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Bounds that hold for 50, 80 and 95 % of jobs like this; `jobs` is how many the history had.

    `upper_bound` is True when less is known than that: then they are what it takes at most, as far as is known.
    """

    p50: float
    p80: float
    p95: float
    source: Source
    jobs: int = 0
    upper_bound: bool = False

    def to_json(self) -> dict[str, Any]:
        """The quantiles as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__} | {"source": self.source.value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Quantiles:
        """The quantiles that `to_json` wrote."""
        return cls(
            data["p50"], data["p80"], data["p95"], Source(data["source"]), data["jobs"], upper_bound=data["upper_bound"]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(Shown):
    """What to expect of a job. `wait` and `run` are in seconds, `cost` in `currency` (None: the target has no prices).

    Attributes:
        at: When it was made (seconds since the epoch).
        ahead_s: The planned work before it, divided by how many jobs run at a time, with windows that are not its own.
        planned_s: What its target planned it to run.
        notes: What it rests on, and what is not known, in words.
    """

    at: float
    target: str
    priority: str
    ahead_s: float
    planned_s: float
    wait: Quantiles
    run: Quantiles
    cost: Quantiles | None = None
    currency: str | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The estimate as JSON values: what a job keeps, and what it is later scored by."""
        data: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        data |= {"wait": self.wait.to_json(), "run": self.run.to_json(), "notes": list(self.notes)}
        data["cost"] = None if self.cost is None else self.cost.to_json()
        return data

    def __str__(self) -> str:
        """A line each for wait, run and cost, and the notes."""
        lines = [
            f"{self.priority} job on {self.target}",
            f"  wait  {in_levels(self.wait)}",
            f"  run   {in_levels(self.run)}",
        ]
        if self.cost is not None:
            lines.append(f"  cost  {in_levels(self.cost, lambda amount: f'{amount:,.6g} {self.currency}')}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Estimate:
        """The estimate that `to_json` wrote."""
        known = dict(data)
        known |= {name: Quantiles.from_json(data[name]) for name in ("wait", "run")} | {"notes": tuple(data["notes"])}
        known["cost"] = None if data["cost"] is None else Quantiles.from_json(data["cost"])
        return cls(**known)


def in_levels(found: Quantiles, say: Callable[[float], str] = span) -> str:
    """Such as "12 s (50 %), 40 s (80 %), 3 min (95 %)", with what it rests on where that is little."""
    if found.p50 == found.p95:
        return say(found.p50) + ("; upper bound" if found.upper_bound else "")
    said = [say(getattr(found, name)) for name in _NAMES]
    text = ", ".join(f"{each} ({level:.0%})" for each, level in zip(said, LEVELS, strict=True))
    if len(set(said)) == 1:
        text = said[0]
    unsure = "; upper bound" if found.upper_bound else "; by the cost model" if found.source is Source.MODEL else ""
    return text.replace("%)", " %)") + unsure


@dataclass(frozen=True, slots=True)
class Spread:
    """How what came compares with what was planned: a factor for each level, on both with `floor` added."""

    factors: tuple[float, float, float]
    floor: float
    source: Source
    jobs: int

    def of(self, planned: float, *, upper_bound: bool = False) -> Quantiles:
        """The quantiles for something planned; never negative."""
        p50, p80, p95 = (max(0.0, factor * (planned + self.floor) - self.floor) for factor in self.factors)
        return Quantiles(p50, p80, p95, self.source, self.jobs, upper_bound or self.source is Source.MODEL)


def run_spread(newest_first: Sequence[Came]) -> Spread:
    """How long jobs ran compared with what was planned, by a target's newest ones that ended."""
    return _learn([(came.run_s, came.planned_s, _given(came, "run")) for came in newest_first], RUN_FLOOR_S)


def wait_spread(newest_first: Sequence[Came], ahead_s: float) -> Spread:
    """How long jobs waited compared with the work before them; those before which there was none are a group apart."""
    alike = [came for came in newest_first if (came.ahead_s <= 0.0) == (ahead_s <= 0.0)]
    return _learn([(came.wait_s, came.ahead_s, _given(came, "wait")) for came in alike], WAIT_FLOOR_S)


def _given(came: Came, name: str) -> Mapping[str, Any] | None:
    return None if came.estimate is None else came.estimate.get(name)


def _learn(newest_first: Sequence[tuple[float, float, Mapping[str, Any] | None]], floor: float) -> Spread:
    known = newest_first[:NEWEST]
    if len(known) < LEAST:
        return Spread(MODEL_SPREAD, floor, Source.MODEL, len(known))
    rows = sorted(
        ((came + floor) / (planned + floor), math.exp(-age / MEMORY)) for age, (came, planned, _) in enumerate(known)
    )
    ratios = [ratio for ratio, _ in rows]
    sums: list[float] = []
    for _, weight in rows:
        sums.append((sums[-1] if sums else 0.0) + weight)
    factors: list[float] = []
    for name, level in zip(_NAMES, LEVELS, strict=True):
        given = [(came, bounds[name]) for came, _, bounds in reversed(known) if bounds is not None]
        # The job to come counts as the newest, and as larger than any: that makes the bound hold on average.
        wanted = corrected_level(level, (came <= bound for came, bound in given)) * (sums[-1] + 1.0)
        factors.append(ratios[min(bisect_left(sums, wanted), len(ratios) - 1)])
    p50, p80, p95 = factors
    return Spread((p50, max(p50, p80), max(p50, p80, p95)), floor, Source.HISTORY, len(known))


def corrected_level(level: float, held: Iterable[bool]) -> float:
    """The level to ask of the history, after bounds for `level` held or not, oldest first."""
    asked = level
    for each in held:
        asked = min(0.999, max(0.001, asked + GAIN * (level - each)))
    return asked


_NAMES = ("p50", "p80", "p95")


@dataclass(frozen=True, slots=True)
class Held:
    """For how many of `jobs` the bounds of 50, 80 and 95 % held."""

    jobs: int = 0
    p50: int = 0
    p80: int = 0
    p95: int = 0

    def to_json(self) -> dict[str, int]:
        """The counts as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}

    def in_words(self, level: float = 0.8) -> str:
        """Such as "the 80 % bound held for 79 % of 412 jobs"."""
        if not self.jobs:
            return "no estimate has been scored yet"
        held = getattr(self, _NAMES[LEVELS.index(level)])
        return f"the {level:.0%} bound held for {held / self.jobs:.0%} of {self.jobs:,} jobs".replace("%", " %")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How the estimates of a target's newest jobs did; `priority` None is all together."""

    target: str
    priority: str | None
    wait: Held = Held()
    run: Held = Held()
    cost: Held = Held()

    def to_json(self) -> dict[str, Any]:
        """The coverage as JSON values, with its words."""
        data: dict[str, Any] = {"target": self.target, "priority": self.priority}
        for name in ("wait", "run", "cost"):
            held: Held = getattr(self, name)
            data[name] = held.to_json() | {"in_words": held.in_words()}
        return data


def score(target: str, priority: str | None, outcomes: Iterable[Came]) -> Coverage:
    """How many of the bounds that were given held; a bound is met by what is at most as large."""
    counts = {name: [0, 0, 0, 0] for name in ("wait", "run", "cost")}
    for came in outcomes:
        for name, value in (("wait", came.wait_s), ("run", came.run_s), ("cost", came.cost)):
            bounds = _given(came, name)
            if bounds is None or value is None:
                continue
            row = counts[name]
            row[0] += 1
            for index, level in enumerate(_NAMES, start=1):
                row[index] += value <= bounds[level] + 1e-6  # an amount is rounded to a millionth
    return Coverage(target=target, priority=priority, **{name: Held(*row) for name, row in counts.items()})


def ahead_of(
    work_s: float, slots: int, now: float, blocked: Sequence[tuple[float, float]], own_s: float = 0.0
) -> float:
    """Seconds until a job can start behind `work_s` seconds of work, by plan.

    Args:
        blocked: Windows (from, to) in which only others start.
        own_s: What the job itself is planned to run: it is not started if that would reach into a window.
    """
    left, at = work_s / max(1, slots), now
    for begin, end in sorted(blocked):
        if end <= at:
            continue
        if at < begin and at + left + own_s <= begin:
            break
        left = max(0.0, left - max(0.0, begin - at))
        at = end
    return at + left - now
