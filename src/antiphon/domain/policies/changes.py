"""What changed on a device between two of its calibrations, and whether a program would notice."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from antiphon.domain.calibrations import Calibration
from antiphon.domain.shown import Shown

SHOTS = 1_000
"""So many are taken for what a user runs."""
NOTICED = 2.0
"""A difference of so many standard errors is noticed."""


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of figure, over the whole device.

    Attributes:
        figure: "T1", "T2", "readout error", "1-qubit gate error" or "2-qubit gate error".
        unit: "s", or "" for probabilities.
        then, now: Medians.
        worst: Where it got worse most, in words; "" where it got worse nowhere.
        worst_then, worst_now: The figure there.
    """

    figure: str
    unit: str
    then: float
    now: float
    worst: str
    worst_then: float
    worst_now: float


@dataclass(frozen=True, slots=True)
class DeviceDrift(Shown):
    """What changed on a target between two calibrations. Prints well.

    Attributes:
        since, until: Digests of the two snapshots; `since_at` and `until_at` are when they were published.
        fidelity_then, fidelity_now: Expected fidelity of the program that was asked about, under each.
        matters: Whether that is a difference that `SHOTS` shots show; None when no program was asked about.
        verdict: The same in a sentence.
    """

    target: str
    since: str
    since_at: float
    until: str
    until_at: float
    changes: tuple[Change, ...]
    fidelity_then: float | None = None
    fidelity_now: float | None = None
    matters: bool | None = None
    verdict: str = ""

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {**asdict(self), "changes": [asdict(change) for change in self.changes]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DeviceDrift:
        """The inverse of `to_json`."""
        return cls(**{**data, "changes": tuple(Change(**change) for change in data["changes"])})

    def __str__(self) -> str:
        """The verdict, then a line for each kind of figure."""
        lines = [self.verdict] if self.verdict else []
        for change in self.changes:
            then, now, was, became = (
                figure_text(change.figure, value)
                for value in (change.then, change.now, change.worst_then, change.worst_now)
            )
            worst = f"; {change.worst} {was} to {became}" if change.worst else ""
            lines.append(f"  {change.figure}: median {then} to {now}{worst}")
        return "\n".join(lines)


def changes_between(then: Calibration, now: Calibration) -> tuple[Change, ...]:
    """Each kind of figure that both snapshots have, compared; what only one has is left out."""
    before, after = dict(_figures(then)), dict(_figures(now))
    found = []
    for figure, unit, higher_is_worse in _KINDS:
        pairs = [
            (where, before[kind, where], after[kind, where])
            for kind, where in before
            if kind == figure and (kind, where) in after
        ]
        if not pairs:
            continue
        where, was, became = max(pairs, key=lambda pair: _worse(pair[1], pair[2], higher_is_worse))
        got_worse = _worse(was, became, higher_is_worse) > 0.0
        found.append(
            Change(
                figure,
                unit,
                median(pair[1] for pair in pairs),
                median(pair[2] for pair in pairs),
                where if got_worse else "",
                was,
                became,
            )
        )
    return tuple(found)


def medians(calibration: Calibration) -> dict[str, float]:
    """The median of each kind of figure that a snapshot has, by the names that `Change` uses."""
    return {figure: median(values) for figure, values in figures_of(calibration).items()}


def figures_of(calibration: Calibration) -> dict[str, list[float]]:
    """All figures that a snapshot has, by kind, each kind sorted."""
    found: dict[str, list[float]] = {}
    for (figure, _), value in _figures(calibration):
        found.setdefault(figure, []).append(value)
    return {figure: sorted(values) for figure, values in found.items()}


def figure_text(figure: str, value: float) -> str:
    """A figure for people: times with their unit."""
    if figure in ("T1", "T2"):
        return f"{value * 1e6:,.3g} µs" if value < 0.1 else f"{value:,.3g} s"
    return f"{value:.2g}"


def whether_it_matters(then: float, now: float, shots: int = SHOTS) -> tuple[bool, str]:
    """Whether results of a program with these expected fidelities differ by more than so many shots hide, in words."""
    error = math.sqrt((then * (1.0 - then) + now * (1.0 - now)) / shots)
    matters = abs(now - then) > NOTICED * error
    way = "fell" if now < then else "rose"
    said = f"The program's expected fidelity {way} from {then:.3f} to {now:.3f}"
    if abs(now - then) < 5e-4:
        said = f"The program's expected fidelity stayed at {now:.3f}"
    if matters:
        return True, f"{said}: {shots:,} shots show that, so results of then and now are not of one kind."
    return False, f"{said}: less than {shots:,} shots show."


_KINDS = (
    ("T1", "s", False),
    ("T2", "s", False),
    ("readout error", "", True),
    ("1-qubit gate error", "", True),
    ("2-qubit gate error", "", True),
)


def _figures(calibration: Calibration) -> Iterator[tuple[tuple[str, str], float]]:
    for number, qubit in enumerate(calibration.qubits):
        where = f"qubit {number}"
        if math.isfinite(qubit.t1):
            yield ("T1", where), qubit.t1
        if math.isfinite(qubit.t2):
            yield ("T2", where), qubit.t2
        yield ("readout error", where), (qubit.readout_p01 + qubit.readout_p10) / 2
    for name, found in calibration.gates.items():
        for on, figures in found.items():
            # A gate without any error is done in software, and a pair is one pair in both directions.
            if figures.error > 0.0 and list(on) == sorted(on):
                kind = "1-qubit gate error" if len(on) == 1 else "2-qubit gate error"
                yield (kind, f"{name} on {', '.join(map(str, on))}"), figures.error


def _worse(was: float, became: float, higher_is_worse: bool) -> float:
    if was <= 0.0 or became <= 0.0:
        return (became - was) if higher_is_worse else (was - became)
    return math.log(became / was) if higher_is_worse else math.log(was / became)
