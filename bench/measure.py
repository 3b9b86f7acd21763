"""Side-by-side timing: passes of each side alternate within one run, so that the machine's moods hit both alike."""

from __future__ import annotations

import contextlib
import gc
import resource
import statistics
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

import psutil


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
class Refused:
    """A peer that cannot do the work at all, in its own words; it stands in the table with them."""

    reason: str


def tried(build: Callable[[], Side]) -> Side | Refused:
    """The side, or how it refused: for work that a peer is expected to refuse, since every error counts as that."""
    try:
        return build()
    except Exception as error:  # noqa: BLE001 - whatever a peer raises is its refusal
        lines = str(error).strip().strip("'\"").splitlines() or [type(error).__name__]
        return Refused(textwrap.shorten(lines[0], 120, placeholder=" …"))


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
        refusal: Why the peer did not do the work at all; empty when it did.
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
    refusal: str = ""

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


@contextlib.contextmanager
def at_most_memory(more_bytes: int) -> Iterator[None]:
    """Let this process have so much more memory and no more, for a peer that would take all there is and then fail."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + more_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


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


def interleave(
    sides: Mapping[str, Side], rounds: int, at_most: Mapping[str, int] | None = None
) -> dict[str, list[Pass]]:
    """Run every side once in each round, in order (A B A B), and return the passes of each.

    `at_most` bounds the rounds of sides that take long: they take part in the first ones only.
    """
    passes: dict[str, list[Pass]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, side in sides.items():
            if number < (at_most or {}).get(name, rounds):
                passes[name].append(side(number))
    return passes


def compare(
    case: str,
    unit: str,
    ours: Side,
    peers: Mapping[str, Side | Refused],
    *,
    rounds: int,
    check: Check,
    aims: Mapping[str, float] | None = None,
    at_most: Mapping[str, int] | None = None,
    note: str = "",
) -> list[Row]:
    """Time `ours` beside each peer and return one row a peer; every round's outcomes are checked against each other.

    Args:
        case: Name of the case.
        unit: What one unit of a pass is.
        ours: Antiphon's side.
        peers: The other sides by name; a peer whose passes do fewer units says so in the row, and so does one that
            refused.
        rounds: How many interleaved rounds.
        check: Compares two outcomes.
        aims: Upper bound on the ratio for the peers that have one.
        at_most: Rounds of the peers that take too long for all of them.
        note: Goes on every row.

    Raises:
        DisagreementError: A peer computed something else.
    """
    able = {name: peer for name, peer in peers.items() if not isinstance(peer, Refused)}
    passes = interleave({"": ours, **able}, rounds, at_most)
    mine = passes.pop("")
    took = Spread.of([a.per_unit for a in mine])
    rows = []
    for name, peer in peers.items():
        if isinstance(peer, Refused):
            told = (note, f"refuses: {peer.reason}")
            rows.append(Row(case, unit, took, name, notes=tuple(filter(None, told)), refusal=peer.reason))
            continue
        pairs = list(zip(mine, passes[name], strict=False))  # it may have been in the first rounds only
        for a, b in pairs:
            check(name, a.outcome, b.outcome)
        theirs = passes[name]
        fewer = (
            f"{theirs[0].units} in a peer's pass, {mine[0].units} in ours" if theirs[0].units != mine[0].units else ""
        )
        short = f"{len(theirs)} of {len(mine)} rounds" if len(theirs) < len(mine) else ""
        rows.append(
            Row(
                case,
                unit,
                took,
                name,
                Spread.of([b.per_unit for b in theirs]),
                Spread.of([a.per_unit / b.per_unit for a, b in pairs]),
                (aims or {}).get(name),
                tuple(filter(None, (note, fewer, short))),
            )
        )
    return rows
