"""Side-by-side timing: passes of each side alternate within one run, so that the machine's moods hit both alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias


@dataclass(frozen=True, slots=True)
class Pass:
    """One timed pass: seconds, how many units of work it did, and what came out, for the comparison of the sides."""

    seconds: float
    units: int = 1
    outcome: Any = None

    @property
    def per_unit(self) -> float:
        """Seconds for each unit, so that a slow peer may do fewer units in its pass."""
        return self.seconds / self.units


Side: TypeAlias = Callable[[int], Pass]
"""Runs one pass; the argument is the number of the round, so that every round has its own inputs."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with its extremes."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Median, minimum and maximum of `values`."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what Antiphon took, what the peer took for the same, and the aim if there is one.

    Attributes:
        case: Name of the case.
        unit: What one time is the time of, e.g. "evaluation".
        ours: Seconds a unit.
        peer: Whom Antiphon is compared with; empty for an absolute figure.
        theirs: The peer's seconds a unit.
        ratio: Ours over theirs, pair by pair; None for an absolute figure.
        aim: Upper bound on the ratio, or on `ours` in seconds when there is no ratio.
        notes: What a reader must know to judge the line.
    """

    case: str
    unit: str
    ours: Spread
    peer: str = ""
    theirs: Spread | None = None
    ratio: Spread | None = None
    aim: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def met(self) -> bool | None:
        """Whether the median meets the aim; None without one."""
        if self.aim is None:
            return None
        return (self.ours if self.ratio is None else self.ratio).median <= self.aim


class DisagreementError(AssertionError):
    """The sides computed different things, so their times say nothing."""


Check: TypeAlias = Callable[[str, Any, Any], None]
"""Compares our outcome with that of the named peer; raises `DisagreementError`."""


@dataclass(slots=True)
class Timer:
    """Times the block; `seconds` holds the result. Garbage is collected before: no side pays for another's."""

    seconds: float = 0.0
    _start: float = field(default=0.0, repr=False)

    def __enter__(self) -> Self:
        gc.collect()
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._start


def interleave(sides: Mapping[str, Side], rounds: int) -> dict[str, list[Pass]]:
    """Run every side once in each round, in order (A B A B), and return the passes of each."""
    passes: dict[str, list[Pass]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, side in sides.items():
            passes[name].append(side(number))
    return passes


def compare(
    case: str,
    unit: str,
    ours: Side,
    peers: Mapping[str, Side],
    *,
    rounds: int,
    check: Check,
    aims: Mapping[str, float] | None = None,
    note: str = "",
) -> list[Row]:
    """Time `ours` beside each peer and return one row a peer; every round's outcomes are checked against each other.

    Args:
        case: Name of the case.
        unit: What one unit of a pass is.
        ours: Antiphon's side.
        peers: The other sides by name; a peer whose passes do fewer units says so in the row.
        rounds: How many interleaved rounds.
        check: Compares two outcomes.
        aims: Upper bound on the ratio for the peers that have one.
        note: Goes on every row.

    Raises:
        DisagreementError: A peer computed something else.
    """
    passes = interleave({"": ours, **peers}, rounds)
    mine = passes.pop("")
    rows = []
    for peer, theirs in passes.items():
        for a, b in zip(mine, theirs, strict=True):
            check(peer, a.outcome, b.outcome)
        fewer = (
            f"{theirs[0].units} in a peer's pass, {mine[0].units} in ours" if theirs[0].units != mine[0].units else ""
        )
        rows.append(
            Row(
                case,
                unit,
                Spread.of([a.per_unit for a in mine]),
                peer,
                Spread.of([b.per_unit for b in theirs]),
                Spread.of([a.per_unit / b.per_unit for a, b in zip(mine, theirs, strict=True)]),
                (aims or {}).get(peer),
                tuple(filter(None, (note, fewer))),
            )
        )
    return rows
