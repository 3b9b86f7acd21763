"""What happens on a device that lives, and when: calibrations, outages, and the queue it shares with other tenants.

Everything is a pure function of (device, life, seed, time), so that any process at any time computes the same. Other
tenants arrive hour by hour as Poisson processes, run for lognormal times, and are served in the order of arrival; who
would have to wait longer than their patience stays away.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from antiphon.domain.policies.drift import DAY_S, hashed_random
from antiphon.domain.policies.life import HOUR_S, Life

LONGEST_OUTAGE_S = 12 * HOUR_S
SEARCHED_S = 14 * DAY_S
"""A job that does not fit into a gap of so many days never does."""


class Standing(StrEnum):
    """Whether a device takes and runs jobs; in the words of `TargetInfo.status`."""

    AVAILABLE = "Available"
    DEGRADED = "Degraded"  # it takes jobs, and runs them later: it is being calibrated
    UNAVAILABLE = "Unavailable"  # it is out of order; jobs wait until it is not


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """How a device stands at a time; `until` is when that is over, None when it is available."""

    standing: Standing
    reason: str = ""
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A time in which nothing runs."""

    begins: float
    ends: float
    standing: Standing
    reason: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A job in the queue of a device.

    Attributes:
        came: When; who comes first is served first.
        seconds: How long it runs.
        start: When it starts, if that is settled: it keeps that start, or gets an earlier one from `moves_from` on.
        moves_from: None: its start is settled for good.
    """

    came: float
    seconds: float
    start: float | None = None
    moves_from: float | None = None

    @property
    def ends(self) -> float:
        """When it ends, once its start is settled."""
        return (self.came if self.start is None else self.start) + self.seconds


@dataclass(frozen=True, slots=True)
class Backlog:
    """A queue after everybody who came until `at`: all of them are done at `free`."""

    at: float
    free: float


class Schedule:
    """What happens on a device, and when.

    Args:
        device: Its name; devices of one seed live different lives.
    """

    def __init__(self, device: str, life: Life, seed: int) -> None:
        self.device = device
        self.life = life
        self.seed = seed
        every = life.calibration_every_s
        # Devices are calibrated at different times; who is once a day, before the busy hours.
        self.first_calibration_s = hashed_random(seed, device, "phase").uniform(0.0, min(every, 6 * HOUR_S))

    # --- calibrations and outages

    def calibration_times(self, since: float, until: float) -> list[float]:
        """When figures were published from `since` on and before `until`, oldest first."""
        every, first = self.life.calibration_every_s, self.first_calibration_s
        begin = math.ceil((since - first) / every)
        return [first + k * every for k in range(begin, math.ceil((until - first) / every))]

    def next_calibration(self, at: float) -> float:
        """When figures are published next, after `at`."""
        every, first = self.life.calibration_every_s, self.first_calibration_s
        return first + (math.floor((at - first) / every) + 1) * every

    def stops(self, since: float, until: float) -> list[Stop]:
        """All times in which nothing runs that touch the given one, by their begin; they may overlap."""
        takes = self.life.calibration_takes_s
        found = [
            Stop(ends - takes, ends, Standing.DEGRADED, "it is being calibrated")
            for ends in self.calibration_times(since, until + takes)
            if takes > 0.0
        ]
        if self.life.outages_per_day > 0.0:
            for day in range(math.floor((since - LONGEST_OUTAGE_S) / DAY_S), math.floor(until / DAY_S) + 1):
                found += self._outages(day)
        return sorted(
            (stop for stop in found if stop.begins < until and stop.ends > since), key=lambda stop: stop.begins
        )

    def status_at(self, at: float) -> DeviceStatus:
        """How it stands at `at`; of several reasons the one that lasts longest."""
        now = [stop for stop in self.stops(at, at + 1e-6) if stop.begins <= at < stop.ends]
        if not now:
            return DeviceStatus(Standing.AVAILABLE)
        last = max(now, key=lambda stop: stop.ends)
        return DeviceStatus(last.standing, last.reason, last.ends)

    # --- the queue

    def others(self, since: float, until: float) -> Iterator[Visit]:
        """Jobs of other tenants that come in a time, in order."""
        for hour in range(math.floor(since / HOUR_S), math.ceil(until / HOUR_S)):
            rate = self.life.others_per_hour[hour % 24]
            if rate <= 0.0:
                continue
            luck = hashed_random(self.seed, self.device, "others", hour)
            at, median, spread = hour * HOUR_S, math.log(self.life.others_job_s), self.life.others_spread
            while (at := at + luck.expovariate(rate / HOUR_S)) < (hour + 1) * HOUR_S:
                seconds = luck.lognormvariate(median, spread)
                if since <= at < until:
                    yield Visit(at, seconds)

    def starts(self, own: Sequence[Visit], after: Backlog | None = None) -> list[float | None]:
        """When each of our jobs starts, in the order given; None: it never fits. Who comes first is served first.

        Args:
            after: Where the queue stood before the first of them. None begins with the midnight (UTC) before the day of
                the last, as if nothing had waited then, and leaves out who came before.
        """
        found: list[float | None] = [None] * len(own)
        if not own:
            return found
        until = max(visit.came for visit in own)
        begin, free = (counted_from(until),) * 2 if after is None else (after.at, max(after.at, after.free))
        mine: list[tuple[Visit, int | None]] = [(own[i], i) for i in range(len(own)) if own[i].came >= begin]
        others: list[tuple[Visit, int | None]] = [(visit, None) for visit in self.others(begin, until)]
        until = max(until, free)
        stops = _joined(self.stops(begin, until + SEARCHED_S))
        settled = [(visit.came, index, visit) for visit, index in mine if visit.start is not None]
        place = 0
        for visit, index in sorted(others + mine, key=lambda each: each[0].came):
            earliest = max(free, visit.came)
            if index is None and earliest - visit.came > self.life.patience_s:
                continue
            if visit.start is not None and visit.moves_from is None:
                start: float | None = visit.start
            else:
                earliest = max(earliest, visit.moves_from or 0.0)
                while place < len(stops) and stops[place][1] <= earliest:
                    place += 1
                later = []
                if index is not None:
                    # Who comes after it and has a start is not to be run over.
                    later = [each for came, i, each in settled if (came, i) > (visit.came, index)]
                if later:
                    between = _with_visits(stops[place:], later, earliest, last=until + SEARCHED_S)
                    start = _fit(between, 0, earliest, visit.seconds)
                else:
                    start = _fit(stops, place, earliest, visit.seconds)
                if visit.start is not None:
                    start = visit.start if start is None else min(start, visit.start)
            if start is None:
                continue
            free = max(free, start + visit.seconds)
            if index is not None:
                found[index] = start
        return found

    def queue_wait(self, at: float, own: Sequence[Visit] = (), after: Backlog | None = None) -> float:
        """Seconds that a short job which comes at `at` waits, behind others and those of ours that came before."""
        start = self.starts([*own, Visit(at, self.life.overhead_s)], after)[-1]
        return SEARCHED_S if start is None else start - at

    def _outages(self, day: int) -> list[Stop]:
        luck = hashed_random(self.seed, self.device, "outages", day)
        found, at = [], 0.0
        while (at := at + luck.expovariate(self.life.outages_per_day)) < 1.0:
            begins = (day + at) * DAY_S
            lasts = min(LONGEST_OUTAGE_S, luck.expovariate(1.0 / self.life.outage_s))
            found.append(Stop(begins, begins + lasts, Standing.UNAVAILABLE, "it is out of order"))
        return found

    # --- mishaps of single jobs

    def refuses(self, key: str, at: float) -> float | None:
        """Seconds after which to try again, for a job that is refused for a moment at `at`; None: it is taken."""
        luck = hashed_random(self.seed, self.device, "refusal", key, f"{at:.3f}")
        return luck.uniform(2.0, 30.0) if luck.random() < self.life.refusals else None

    def fails_after(self, key: str) -> float | None:
        """Part of its time after which a job fails; None: it does not."""
        luck = hashed_random(self.seed, self.device, "failure", key)
        return luck.uniform(0.1, 0.9) if luck.random() < self.life.failures else None


def counted_from(at: float) -> float:
    """The time from which on visits count for a job that comes at `at`."""
    return (math.floor(at / DAY_S) - 1) * DAY_S


def _joined(stops: Sequence[Stop]) -> list[tuple[float, float]]:
    """Stops as times that do not touch, in order."""
    found: list[tuple[float, float]] = []
    for stop in stops:
        if found and stop.begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop.ends))
        else:
            found.append((stop.begins, stop.ends))
    return found


def _with_visits(
    stops: Sequence[tuple[float, float]], visits: Sequence[Visit], earliest: float, last: float
) -> list[tuple[float, float]]:
    taken = [(each.ends - each.seconds, each.ends) for each in visits if each.ends > earliest]
    return sorted([*stops, *taken, (last, last)])


def _fit(stops: Sequence[tuple[float, float]], place: int, earliest: float, seconds: float) -> float | None:
    """The earliest start in a gap between stops, of which those before `place` are over; None past the last."""
    if place >= len(stops) or earliest + seconds <= stops[place][0]:
        return earliest
    free = earliest
    for (_, ends), (begins, _) in pairwise(stops[place:]):
        free = max(free, ends)
        if free + seconds <= begins:
            return free
    return None
