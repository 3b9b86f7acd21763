"""How a device's figures went over its calibrations, as a picture."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from antiphon.client.picture import Picture
from antiphon.domain.calibrations import Calibration
from antiphon.domain.policies.changes import figure_text, figures_of

WIDTH, LEFT, RIGHT = 640.0, 132.0, 92.0
TOP, PANEL, GAP, BOTTOM = 30.0, 64.0, 16.0, 26.0
BLUE = "#0072B2"
_TELLING = 1.25
"""What differs by a smaller factor is not blown up to the height of its panel."""


class CalibrationHistory(Picture):
    """The figures of a device, calibration by calibration: a panel each, with a logarithmic scale of its own.

    The line is the median over the device, the band around it has half of all qubits or gates. Each calibration counts
    until the next.
    """

    __slots__ = ()


class _Step(NamedTuple):
    """A figure in one calibration: its lower quartile, median and upper quartile."""

    at: float
    low: float
    middle: float
    high: float


def calibration_history(name: str, calibrations: Sequence[Calibration]) -> CalibrationHistory:
    """Draw calibrations, newest first as `target.calibrations()` gives them; at least one.

    The newest is drawn as long as one lasted on average: it counts still.

    Args:
        name: What to call the device.
    """
    steps: dict[str, list[_Step]] = {}
    for each in reversed(calibrations):
        for figure, values in figures_of(each).items():
            steps.setdefault(figure, []).append(
                _Step(each.taken_at, *(_at(values, part) for part in (0.25, 0.5, 0.75)))
            )
    begin, newest = calibrations[-1].taken_at, calibrations[0].taken_at
    end = newest + ((newest - begin) / (len(calibrations) - 1) if newest > begin else 1.0)
    body: list[str] = []
    for number, (figure, path) in enumerate(steps.items()):
        body += _panel(figure, path, TOP + number * (PANEL + GAP), begin, end)
    height = TOP + len(steps) * (PANEL + GAP) + BOTTOM
    title = f"{name}: {len(calibrations)} calibration{'s' if len(calibrations) > 1 else ''}, medians and middle halves"
    body.append(_text(LEFT, height - 8, _date(begin)))
    body.append(_text(WIDTH - RIGHT, height - 8, f"newest {_date(newest)}", "end"))
    return CalibrationHistory(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" width="{WIDTH:.0f}" '
        f'height="{height:.0f}" font-family="sans-serif" font-size="11" role="img"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{_text(8.0, 18.0, title)}{"".join(body)}</svg>'
    )


def _panel(figure: str, path: Sequence[_Step], top: float, begin: float, end: float) -> Iterable[str]:
    known = [value for step in path for value in step[1:] if value > 0.0] or [1e-4]
    low, high = min(known), max(known)
    if high < low * _TELLING:
        middle = math.sqrt(low * high)
        low, high = middle / math.sqrt(_TELLING), middle * math.sqrt(_TELLING)

    def right(at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (at - begin) / (end - begin)

    def down(value: float) -> float:
        part = math.log(max(value, low) / low) / math.log(high / low)
        return top + PANEL * (1.0 - min(1.0, part))

    ends = [*(step.at for step in path[1:]), end]
    spans = [(right(step.at), right(over), step) for step, over in zip(path, ends, strict=True)]
    upper = [f"{x:.1f},{down(step.high):.1f}" for x0, x1, step in spans for x in (x0, x1)]
    lower = [f"{x:.1f},{down(step.low):.1f}" for x0, x1, step in reversed(spans) for x in (x1, x0)]
    middle_line = [f"{x:.1f},{down(step.middle):.1f}" for x0, x1, step in spans for x in (x0, x1)]
    yield f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{PANEL}" fill="#f5f5f5"/>'
    yield f'<polygon points="{" ".join([*upper, *lower])}" fill="{BLUE}" fill-opacity="0.22"/>'
    yield f'<polyline points="{" ".join(middle_line)}" fill="none" stroke="{BLUE}" stroke-width="1.8"/>'
    for x0, x1, step in spans:
        told = f"{figure} from {_date(step.at)}: {figure_text(figure, step.middle)}"
        told += f", half of all between {figure_text(figure, step.low)} and {figure_text(figure, step.high)}"
        yield (
            f'<rect x="{x0:.1f}" y="{top}" width="{max(2.0, x1 - x0):.1f}" height="{PANEL}" fill="#ffffff" '
            f'fill-opacity="0"><title>{escape(told)}</title></rect>'
        )
    yield _text(LEFT - 10, top + PANEL / 2 + 4, figure, "end")
    yield _text(WIDTH - RIGHT + 8, top + 10, figure_text(figure, high))
    yield _text(WIDTH - RIGHT + 8, top + PANEL, figure_text(figure, low))


def _at(values: Sequence[float], part: float) -> float:
    """A quantile of sorted values, between its neighbours."""
    place = part * (len(values) - 1)
    under = math.floor(place)
    over = min(under + 1, len(values) - 1)
    return values[under] + (place - under) * (values[over] - values[under])


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#000000">{escape(words)}</text>'


def _date(at: float) -> str:
    return f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m-%d %H:%M}Z"
