"""A device as a picture: its qubits where they are, coloured by their errors, as SVG without any other package."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from antiphon.client.picture import Picture
from antiphon.domain.calibrations import Calibration
from antiphon.domain.devices import DeviceShape
from antiphon.domain.policies.changes import figure_text

STEP = 46.0
"""Pixels from one place of the grid to the next."""
MARGIN = 34.0
LEGEND = 58.0
_RADIUS = 13.0
# ColorBrewer's "Blues" and "Oranges" without their lightest: legible for colour-blind readers, and in grey.
_QUBITS = ("#deebf7", "#9ecae1", "#4292c6", "#2171b5", "#084594")
_PAIRS = ("#fdd0a2", "#fdae6b", "#f16913", "#d94801", "#8c2d04")
_BRIGHT = 2
"""Shades from which on white letters are read better than black ones."""


class DeviceMap(Picture):
    """The picture of a device under one calibration. Notebooks show it; `save` writes it.

    Each qubit has the colour of its readout error, each line that of the worse direction of its two-qubit gate; both
    scales are logarithmic, darker is worse. Hovering tells the figures.
    """

    __slots__ = ()


def device_map(name: str, shape: DeviceShape, calibration: Calibration) -> DeviceMap:
    """Draw a device.

    Args:
        name: What to call it.
        shape: Where its qubits are; those without a place are drawn in a ring.
        calibration: What their colours tell.
    """
    places = _places(shape, len(calibration.qubits))
    width = max(right for right, _ in places) + MARGIN
    height = max(down for _, down in places) + MARGIN
    width = max(width, 420.0)
    readout = {q: (each.readout_p01 + each.readout_p10) / 2 for q, each in enumerate(calibration.qubits)}
    pairs = _pairs(calibration)
    qubit_scale, pair_scale = _Scale.of(readout.values(), _QUBITS), _Scale.of(pairs.values(), _PAIRS)
    joined = _chords(places, pairs, pair_scale) if not shape.coupling else _lines(places, pairs, pair_scale)
    body = [
        *joined,
        *(_qubit(q, places[q], readout[q], qubit_scale, calibration) for q in range(len(places))),
        *_legend("readout error", qubit_scale, 14.0, height),
        *_legend("two-qubit gate error", pair_scale, 14.0 + width / 2, height),
    ]
    size = f"{width:.0f} {height + LEGEND:.0f}"
    return DeviceMap(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{width:.0f}" '
        f'height="{height + LEGEND:.0f}" font-family="sans-serif" font-size="11" role="img">'
        f"<title>{escape(name)}: qubits by readout error, pairs by the error of their gate</title>"
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(body)}</svg>'
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Errors to shades, by their logarithm between the least and the worst."""

    low: float
    high: float
    shades: tuple[str, ...]

    @classmethod
    def of(cls, errors: Iterable[float], shades: tuple[str, ...]) -> _Scale:
        found = [error for error in errors if error > 0.0] or [1e-4]
        return cls(min(found), max(found), shades)

    def step(self, error: float) -> int:
        if error <= self.low or self.high <= self.low:
            return 0
        part = math.log(error / self.low) / math.log(self.high / self.low)
        return min(len(self.shades) - 1, int(part * len(self.shades)))

    def bounds(self) -> list[float]:
        steps = len(self.shades)
        return [self.low * (self.high / self.low) ** (step / steps) for step in range(steps + 1)]


def _places(shape: DeviceShape, num_qubits: int) -> list[tuple[float, float]]:
    if len(shape.positions) == num_qubits:
        left = min(right for right, _ in shape.positions)
        top = min(down for _, down in shape.positions)
        return [(MARGIN + STEP * (right - left), MARGIN + STEP * (down - top)) for right, down in shape.positions]
    radius = max(80.0, num_qubits * 2.6 * _RADIUS / (2 * math.pi))
    middle = MARGIN + radius
    turn = 2 * math.pi / max(num_qubits, 1)
    return [(middle + radius * math.sin(turn * q), middle - radius * math.cos(turn * q)) for q in range(num_qubits)]


def _pairs(calibration: Calibration) -> Mapping[tuple[int, int], float]:
    """The error of the gate of each pair, of the better gate and the worse direction."""
    found: dict[tuple[int, int], float] = {}
    for gates in calibration.gates.values():
        own: dict[tuple[int, int], float] = {}
        for on, figures in gates.items():
            if len(on) == 2:
                pair = (min(on), max(on))
                own[pair] = max(own.get(pair, 0.0), figures.error)
        for pair, error in own.items():
            found[pair] = min(found.get(pair, 1.0), error)
    return found


def _lines(places: list[tuple[float, float]], pairs: Mapping[tuple[int, int], float], scale: _Scale) -> Iterable[str]:
    for (a, b), error in sorted(pairs.items()):
        told = f"{a}–{b}: gate error {figure_text('2-qubit gate error', error)}"  # noqa: RUF001 - a range
        yield (
            f'<line x1="{places[a][0]:.1f}" y1="{places[a][1]:.1f}" x2="{places[b][0]:.1f}" y2="{places[b][1]:.1f}" '
            f'stroke="{scale.shades[scale.step(error)]}" stroke-width="7" stroke-linecap="round">'
            f"<title>{told}</title></line>"
        )


def _chords(places: list[tuple[float, float]], pairs: Mapping[tuple[int, int], float], scale: _Scale) -> Iterable[str]:
    """Every pair is joined: thin lines of each shade, as one path."""
    by_shade: dict[str, list[str]] = {}
    for (a, b), error in pairs.items():
        ends = f"M{places[a][0]:.0f} {places[a][1]:.0f}L{places[b][0]:.0f} {places[b][1]:.0f}"
        by_shade.setdefault(scale.shades[scale.step(error)], []).append(ends)
    for shade, all_ends in by_shade.items():
        yield f'<path d="{"".join(all_ends)}" stroke="{shade}" stroke-width="0.4" fill="none"/>'


def _qubit(number: int, place: tuple[float, float], error: float, scale: _Scale, calibration: Calibration) -> str:
    right, down = place
    figures = calibration.qubits[number]
    step = scale.step(error)
    told = [f"qubit {number}: readout error {figure_text('readout error', error)}"]
    times = (("T1", figures.t1), ("T2", figures.t2))
    told += [f"{name} {figure_text(name, value)}" for name, value in times if math.isfinite(value)]
    return (
        f'<g><circle cx="{right:.1f}" cy="{down:.1f}" r="{_RADIUS}" fill="{scale.shades[step]}" stroke="#555555"/>'
        f'<text x="{right:.1f}" y="{down + 4:.1f}" text-anchor="middle" '
        f'fill="{"#ffffff" if step >= _BRIGHT else "#000000"}">{number}</text><title>{", ".join(told)}</title></g>'
    )


def _legend(what: str, scale: _Scale, left: float, top: float) -> Iterable[str]:
    yield f'<text x="{left:.1f}" y="{top + 12:.1f}" fill="#000000">{what}</text>'
    bounds = scale.bounds()
    for step, shade in enumerate(scale.shades):
        yield f'<rect x="{left + 34 * step:.1f}" y="{top + 20:.1f}" width="34" height="12" fill="{shade}"/>'
    for step in (0, len(scale.shades)):
        anchor = "start" if not step else "end"
        told = figure_text("readout error", bounds[step])
        yield (
            f'<text x="{left + 34 * step:.1f}" y="{top + 46:.1f}" text-anchor="{anchor}" fill="#000000">{told}</text>'
        )
