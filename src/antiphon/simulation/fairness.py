"""How evenly a policy divides what several want at the same time: Jain's index over shares served and shares due.

Time is cut into days. In a window of a target, a party (a workspace; or a user, among those of the same
workspace) asks for the work it has waiting at the beginning and what it submits until the end. What all of them got
together is divided anew by max-min fairness: in proportion to the allotments, nobody more than it asks for, and what
one does not need goes to the others. That is the share due. With x = seconds served / seconds due of each party that
asks, the index is (Σx)² / (n Σx²): 1 if everybody got the same part of what was due to it, 1/n if one got all.

Only windows count in which two ask at least and not all of it could be served; each counts by the seconds it served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.domain.queues import DAY_S
from antiphon.simulation.played import Played
from antiphon.simulation.workload import Floats, Indices

FEWEST_WINDOWS, MOST_WINDOWS = 5, 1_000
"""A run of hours is cut into so many shorter windows, one of years into so many longer ones."""
_LEFT_OVER = 1e-6


@dataclass(frozen=True, slots=True)
class Fairness:
    """Jain's index among workspaces and among the users of each; None if nobody ever had to share.

    Attributes:
        contended_s: Seconds of targets that were served while more was asked for than could be.
    """

    workspaces: float | None
    users: float | None
    window_s: float
    contended_s: float


def jain(parts: Sequence[float]) -> float:
    """(Σx)² / (n Σx²); 1 for nobody."""
    squares = sum(x * x for x in parts)
    return sum(parts) ** 2 / (len(parts) * squares) if squares > 0.0 else 1.0


def max_min(wanted: Sequence[float], weights: Sequence[float], amount: float) -> list[float]:
    """`amount` divided in proportion to the weights, nobody more than it wants, while any is left and wanted."""
    given = [0.0] * len(wanted)
    order = sorted((want / weight, at) for at, (want, weight) in enumerate(zip(wanted, weights, strict=True)) if weight)
    left, weight_left = amount, sum(weights[at] for _, at in order)
    for level, at in order:
        if left <= 0.0:
            break
        given[at] = min(wanted[at], left * weights[at] / weight_left) if level * weight_left > left else wanted[at]
        left -= given[at]
        weight_left -= weights[at]
    return given


def measure_fairness(played: Played, allotments: Mapping[str, float]) -> Fairness:
    """The indices of a run, over the time in which jobs came."""
    load = played.workload
    begin, end = load.span
    window_s = min(DAY_S, (end - begin) / FEWEST_WINDOWS)
    window_s = max(window_s, (end - begin) / MOST_WINDOWS)
    count = int((end - begin) / window_s + 1e-9) if window_s > 0 else 0
    sums = _Sums()
    if count:
        weights = [allotments.get(name, 1.0) for name in load.workspaces]
        jobs, since, until = played.runs()
        by_target = np.argsort(load.target[jobs], kind="stable")
        edges = np.searchsorted(load.target[jobs][by_target], np.arange(len(load.targets) + 1))
        for target in range(len(load.targets)):
            rows = by_target[edges[target] : edges[target + 1]]
            if len(rows):
                times = (since[rows] - begin) / window_s, (until[rows] - begin) / window_s
                _add_target(sums, played, jobs[rows], times, (begin, window_s, count), weights)
    return Fairness(
        workspaces=sums.workspaces / sums.between if sums.between else None,
        users=sums.users / sums.within if sums.within else None,
        window_s=window_s,
        contended_s=sums.between,
    )


@dataclass(slots=True)
class _Sums:
    """Indices times the seconds they stand for, and those seconds."""

    workspaces: float = 0.0
    between: float = 0.0
    users: float = 0.0
    within: float = 0.0


def _add_target(
    sums: _Sums,
    played: Played,
    runs: Indices,
    times: tuple[Floats, Floats],
    windows: tuple[float, float, int],
    weights: Sequence[float],
) -> None:
    load = played.workload
    begin, window_s, count = windows
    users, column_of_run = np.unique(load.user[runs], return_inverse=True)
    served = _spread(times[0], times[1], column_of_run, count, len(users)) * window_s
    jobs = np.unique(runs)
    at = ((played.submitted_at[jobs] - begin) / window_s).astype(np.int64)
    inside = (at >= 0) & (at < count)
    asked = np.zeros((count, len(users)))
    np.add.at(asked, (at[inside], np.searchsorted(users, load.user[jobs[inside]])), load.run_s[jobs[inside]])
    before = np.cumsum(served, axis=0) - served
    wanted = np.maximum(np.cumsum(asked, axis=0) - before, served)
    home = load.user_workspace[users]
    order = np.argsort(home, kind="stable")
    starts = np.flatnonzero(np.diff(home[order], prepend=-1))
    homes = home[order][starts].tolist()
    spans = list(zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True))
    wanted, served = wanted[:, order], served[:, order]
    of_workspace = np.add.reduceat(wanted, starts, axis=1), np.add.reduceat(served, starts, axis=1)
    own = [weights[each] for each in homes]
    for window in range(count):
        want, got = of_workspace[0][window], of_workspace[1][window]
        index, seconds = _index(want.tolist(), got.tolist(), own)
        sums.workspaces += index * seconds
        sums.between += seconds
        for each in np.flatnonzero(want > got + _LEFT_OVER).tolist():
            start, stop = spans[each]
            if stop - start > 1 and got[each] > 0.0:
                names = [1.0] * (stop - start)
                index, seconds = _index(wanted[window, start:stop].tolist(), served[window, start:stop].tolist(), names)
                sums.users += index * seconds
                sums.within += seconds


def _index(wanted: list[float], served: list[float], weights: list[float]) -> tuple[float, float]:
    """The index of a window and the seconds it counts for; 0 seconds where nobody had to share."""
    amount = sum(served)
    if amount <= 0.0 or sum(wanted) <= amount + _LEFT_OVER:
        return 1.0, 0.0
    asking = [at for at, want in enumerate(wanted) if want > _LEFT_OVER and weights[at] > 0.0]
    if len(asking) < 2:
        return 1.0, 0.0
    due = max_min([wanted[at] for at in asking], [weights[at] for at in asking], amount)
    return jain([served[at] / share for at, share in zip(asking, due, strict=True)]), amount


def _spread(since: Floats, until: Floats, columns: npt.NDArray[np.intp], count: int, width: int) -> Floats:
    """How much of each window's length the runs of each column fill; times in windows."""
    filled = np.zeros((count, width))
    first = np.floor(since).astype(np.int64)
    last = np.floor(until).astype(np.int64)
    for step in range(int((last - first).max()) + 1 if len(first) else 0):
        at = first + step
        rows = np.flatnonzero((at <= last) & (at >= 0) & (at < count))
        part = np.minimum(until[rows], at[rows] + 1) - np.maximum(since[rows], at[rows])
        np.add.at(filled, (at[rows], columns[rows]), part)
    return filled
