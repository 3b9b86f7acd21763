"""Synthetic arrivals: many users of many targets, a few of whom ask for most.

Each user submits by a Poisson process whose rate follows the day and the week; given how many jobs there are in all,
who and when are independent draws, which is how they are made. Rates of users and of workspaces are heavy-tailed, run
times lognormal about each user's own. All by one seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from antiphon.domain.queues import DAY_S, Rank
from antiphon.simulation.targets import Closure, SimTarget, in_order
from antiphon.simulation.workload import NONE, Floats, Indices, Workload

HOUR_S = 3_600.0
KNOWN = (0.55, 0.25, 0.15, 0.05)
"""How a user's jobs go to the targets that it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """What is asked. Times in seconds.

    Attributes:
        jobs, users, targets: How many in all; `workspaces` None is one for 20 users.
        load: The work that is asked of all targets together, as a part of what they can do while they are open; it
            decides how long the arrivals take. Targets differ in how much they are asked for.
        slots: Of each target.
        in_sessions: The part of the jobs that are in sessions; `session_jobs` how many a session has on average, and
            `think_s` the median time of the classical program between a result and its next job.
        unclosed: The part of the sessions that are left to their idle limit.
        high: The part of the arrivals with high priority; `batches` the part that are batches.
        run_s: Median run time of a job outside of sessions; in sessions they are a quarter of it, batches 20 times.
        outage_every_s, outage_s: Mean time between outages of a target, and their median length.
        calibration_every_s, calibration_s: A window in which nothing is started.
    """

    jobs: int = 100_000
    users: int = 1_000
    workspaces: int | None = None
    targets: int = 20
    slots: int = 1
    load: float = 0.85
    in_sessions: float = 0.3
    session_jobs: float = 20.0
    think_s: float = 5.0
    unclosed: float = 0.2
    high: float = 0.1
    batches: float = 0.02
    run_s: float = 45.0
    outage_every_s: float = 7 * DAY_S
    outage_s: float = HOUR_S
    calibration_every_s: float = DAY_S
    calibration_s: float = 1_200.0


def synthesise(mixture: Mixture, seed: int) -> tuple[Workload, tuple[SimTarget, ...]]:
    """Arrivals, and the targets they go to with their outages."""
    chance = np.random.Generator(np.random.PCG64(seed))
    homes = _homes(mixture, chance)
    sessions, size = _sizes(mixture, chance)
    arrivals = len(size)
    share = _heavy(mixture.users, chance, 0.4 / mixture.targets)
    own_pace = np.exp(0.5 * chance.standard_normal(mixture.users))
    user = chance.choice(mixture.users, size=arrivals, p=share).astype(np.int32)
    known = _known_targets(mixture, share * own_pace, chance)
    target = known[user, chance.choice(len(KNOWN), size=arrivals, p=KNOWN)]
    high = chance.random(arrivals) < mixture.high
    batch = (chance.random(arrivals) < mixture.batches) & ~sessions

    first = np.repeat(np.cumsum(size) - size, size)
    of = np.repeat(np.arange(arrivals), size)
    position = np.arange(len(of)) - first
    scale = mixture.run_s * np.where(sessions, 0.25, np.where(batch, 20.0, 1.0))
    run_s = (scale * own_pace[user])[of] * np.exp(1.0 * chance.standard_normal(len(of)))
    planned_s = run_s * np.exp(0.3 * chance.standard_normal(len(of)))
    think_s = np.minimum(mixture.think_s * np.exp(chance.standard_normal(len(of))), 500.0)
    follows = np.where(position > 0, np.arange(len(of)) - 1, NONE).astype(np.int32)
    rank = np.where(sessions, np.where(high, Rank.SESSION_HIGH, Rank.SESSION), np.where(high, Rank.HIGH, Rank.STANDARD))

    horizon = float(run_s.sum()) / (mixture.load * mixture.slots * mixture.targets * _open_part(mixture))
    at = _times(arrivals, horizon, chance)[of]
    number_of_session = np.cumsum(sessions) - 1
    workload = Workload(
        submitted_at=np.where(position > 0, np.nan, at),
        follows=follows,
        think_s=np.where(position > 0, think_s, 0.0),
        target=target[of],
        user=user[of],
        session=np.where(sessions, number_of_session, NONE)[of].astype(np.int32),
        rank=rank[of].astype(np.int8),
        planned_s=planned_s,
        run_s=run_s,
        batch=batch[of],
        targets=tuple(f"target-{number:03d}" for number in range(mixture.targets)),
        workspaces=tuple(f"workspace-{number:04d}" for number in range(int(homes.max()) + 1)),
        users=tuple(f"user-{number:05d}" for number in range(mixture.users)),
        user_workspace=homes,
        session_closes=chance.random(int(sessions.sum())) >= mixture.unclosed,
    )
    return workload, tuple(_closures(mixture, horizon, chance) for _ in range(mixture.targets))


def _homes(mixture: Mixture, chance: np.random.Generator) -> Indices:
    """The workspace of each user; every workspace has one at least, and some have many."""
    count = min(mixture.users, mixture.workspaces or max(1, mixture.users // 20))
    homes = chance.choice(count, size=mixture.users, p=_heavy(count, chance))
    homes[:count] = np.arange(count)
    return homes.astype(np.int32)


def _heavy(count: int, chance: np.random.Generator, most: float = 1.0) -> Floats:
    """Shares that sum to one, Pareto with exponent 1.2: few ask for most, but none for more than `most`."""
    shares: Floats = (1.0 - chance.random(count)) ** (-1.0 / 1.2)
    shares /= shares.sum()
    while shares.max() > 1.01 * most >= 1.01 / count:
        shares = np.minimum(shares, most)
        shares /= shares.sum()
    return shares


def _sizes(mixture: Mixture, chance: np.random.Generator) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], Indices]:
    """Which arrivals are sessions, and how many jobs each brings; `mixture.jobs` in all."""
    mean = max(1.0, mixture.session_jobs)
    part = mixture.in_sessions / mean
    is_session = part / (part + 1.0 - mixture.in_sessions)
    expected = mixture.jobs * (part + 1.0 - mixture.in_sessions)
    drawn = int(expected + 10 * np.sqrt(expected) * mean) + 10
    sessions = chance.random(drawn) < is_session
    size = np.where(sessions, chance.geometric(1.0 / mean, size=drawn), 1)
    count = int(np.searchsorted(np.cumsum(size), mixture.jobs)) + 1
    sessions, size = sessions[:count], size[:count]
    size[-1] -= int(size.sum()) - mixture.jobs
    return sessions, size.astype(np.int32)


def _known_targets(mixture: Mixture, asks: Floats, chance: np.random.Generator) -> Indices:
    """The targets of each user, the one used the most first.

    Whoever asks for much goes where there is room, as people do; the others where the others are.
    """
    popular = np.exp(0.15 * chance.standard_normal(mixture.targets))
    known = chance.choice(mixture.targets, size=(mixture.users, len(KNOWN)), p=popular / popular.sum())
    most = np.argsort(-asks)
    rest = most[mixture.users // 5 :]
    taken = np.zeros(mixture.targets)
    np.add.at(taken, known[rest], asks[rest, None] * np.array(KNOWN))
    for user in most[: mixture.users // 5]:
        for place, part in enumerate(KNOWN):
            known[user, place] = at = int(np.argmin(taken / popular))
            taken[at] += part * asks[user]
    chosen: Indices = known.astype(np.int32)
    return chosen


def _times(count: int, horizon: float, chance: np.random.Generator) -> Floats:
    """Moments of a process whose rate is highest at 15 h, three times that at 3 h, and at a weekend half of a day's."""
    edges = np.linspace(0.0, horizon, max(2, int(horizon / 900.0) + 2))
    middle = (edges[1:] + edges[:-1]) / 2
    rate = 1.0 + 0.5 * np.cos(2 * np.pi * (middle / DAY_S - 15 / 24))
    rate *= np.where((middle // DAY_S) % 7 >= 5, 0.5, 1.0)
    passed = np.concatenate([[0.0], np.cumsum(rate * np.diff(edges))])
    times: Floats = np.interp(chance.random(count) * passed[-1], passed, edges)
    return times


def _open_part(mixture: Mixture) -> float:
    out = mixture.outage_s / mixture.outage_every_s if mixture.outage_every_s > 0 else 0.0
    calibrating = mixture.calibration_s / mixture.calibration_every_s if mixture.calibration_every_s > 0 else 0.0
    return max(0.1, 1.0 - out - calibrating)


def _closures(mixture: Mixture, horizon: float, chance: np.random.Generator) -> SimTarget:
    """Outages and calibrations of one target, also for the time in which queues run empty after the last arrival."""
    until = 3.0 * horizon
    closures: list[Closure] = []
    if mixture.outage_every_s > 0 and mixture.outage_s > 0:
        at = float(chance.exponential(mixture.outage_every_s))
        while at < until:
            length = float(mixture.outage_s * np.exp(0.8 * chance.standard_normal()))
            closures.append(Closure(at, at + length))
            at += length + float(chance.exponential(mixture.outage_every_s))
    if mixture.calibration_every_s > 0 and mixture.calibration_s > 0:
        at = float(chance.random() * mixture.calibration_every_s)
        while at < until:
            closures.append(Closure(at, at + mixture.calibration_s, is_outage=False))
            at += mixture.calibration_every_s
    return SimTarget(slots=mixture.slots, closures=in_order(closures))
