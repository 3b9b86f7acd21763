"""Drift: how the figures of a device wander between its calibrations.

The logarithm of each figure follows a mean-reverting (Ornstein-Uhlenbeck) walk around the snapshot that the device is
built from. A calibration publishes the figures as they are then, and takes back part of what gates and readout have
wandered, as tuning pulses and thresholds does; coherence times it cannot mend. Rarely something happens to the whole
device at once, and is forgotten over days. So there are two states: the published one, which programs are compiled
for, and the true one, which they meet.

The spreads are those of dated snapshots of the same IBM devices (17 devices, 20 pairs; σ is the spread of the log ratio
over √2). The correlation time is an assumption: three short pairs cannot give one.

The state at any time is a pure function of snapshot, seed and time. Within an epoch, the time between two calibrations,
the walk is laid by halving: its end first, then the middle given both ends, so that any point costs the logarithm of
the points before it, and is the same whichever was asked for first.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from antiphon.domain.calibrations import Calibration, GateFigures, QubitFigures
from antiphon.errors import LimitError

DAY_S = 86_400.0
FORGOTTEN = 1e-3
"""What has faded to this part of a walk is left out of it."""
MOST_EPOCHS = 1_000
MOST_STARTS = 16
WORST_READOUT = 0.5


@dataclass(frozen=True, slots=True)
class Drift:
    """How much the figures wander, and how fast.

    Attributes:
        t1, t2, readout, gates_1q, gates_2q: Standard deviation of the log of such a figure, in the long run and without
            calibrations.
        correlation_s: After so many seconds the correlation of a figure with itself is 1/e; an assumption.
        kept_coherence, kept_readout, kept_gates: Part of a deviation that a calibration leaves.
        jumps_per_day: Probability that something happens to the whole device on a day.
        jump: Standard deviation of what it does to the log of each kind of figure.
        jump_memory_s: After so many seconds 1/e of it is left.
        resolution_s: The figures stay the same for at most so long.
    """

    t1: float = 0.35
    t2: float = 0.40
    readout: float = 0.35
    gates_1q: float = 0.45
    gates_2q: float = 0.33
    correlation_s: float = DAY_S
    kept_coherence: float = 1.0
    kept_readout: float = 0.3
    kept_gates: float = 0.3
    jumps_per_day: float = 1 / 30
    jump: float = 0.35
    jump_memory_s: float = 7 * DAY_S
    resolution_s: float = 600.0

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value, (least, most) = getattr(self, name), _RANGES.get(name, (0.0, 10.0))
            if not (isinstance(value, int | float) and least <= value <= most):
                raise LimitError(
                    f"A device cannot drift with {name}={value!r}.",
                    code="life-invalid",
                    next_step=f"Give a number from {least:g} to {most:g}.",
                )


_RANGES = {
    "correlation_s": (1.0, 1e9),
    "resolution_s": (1.0, 1e9),
    "jump_memory_s": (1.0, 366 * DAY_S),
    "jumps_per_day": (0.0, 1.0),
    "kept_coherence": (0.0, 1.0),
    "kept_readout": (0.0, 1.0),
    "kept_gates": (0.0, 1.0),
}
"""From and to; the spreads of logarithms, which are all others, are from 0 to 10."""


class Kind(NamedTuple):
    """One kind of figure: its place among the kinds, the spread of its logarithm, what calibrations leave of it."""

    place: int
    sigma: float
    kept: float


class Wandering:
    """One device whose figures wander; every method is a pure function of what it was made from.

    Args:
        base: The snapshot that it wanders around.
        seed: Another seed is another history.
        every_s: Seconds from one calibration to the next.
        first_s: Time of any one calibration, seconds since the epoch; the others follow from it in both directions.
    """

    def __init__(self, base: Calibration, drift: Drift, seed: int, every_s: float, first_s: float = 0.0) -> None:
        self.base = base
        self.drift = drift
        self.seed = seed
        self.every_s = every_s
        self.first_s = first_s
        self._gates = sorted({(name, tuple(sorted(on))) for name, found in base.gates.items() for on in found})
        self._kinds = _kinds(drift, len(base.qubits), self._gates)
        self._levels = max(0, math.ceil(math.log2(max(1.0, every_s / drift.resolution_s))))
        self._starts: dict[int, Sequence[float]] = {}

    def published_at(self, at: float) -> float:
        """When the calibration in force at `at` was published."""
        return self.first_s + self._epoch(at) * self.every_s

    def published(self, at: float) -> Calibration:
        """The calibration in force at `at`: the true figures as they were when it was made."""
        epoch = self._epoch(at)
        when = self.first_s + epoch * self.every_s
        return self._figures(self._after_calibration(epoch), when)

    def true(self, at: float) -> Calibration:
        """The figures as they are at `at`; nobody on the real thing knows them."""
        epoch = self._epoch(at)
        began = self.first_s + epoch * self.every_s
        steps = 2**self._levels
        step = min(int((at - began) / self.every_s * steps), steps - 1)
        return self._figures(self._walk(epoch, step), began + step * self.every_s / steps)

    def _epoch(self, at: float) -> int:
        return math.floor((at - self.first_s) / self.every_s)

    def _figures(self, logs: Sequence[float], at: float) -> Calibration:
        shifts = self._jumped(at)
        factors = iter([math.exp(x + shifts[kind.place]) for x, kind in zip(logs, self._kinds, strict=True)])
        qubits = [(each, next(factors), next(factors), next(factors)) for each in self.base.qubits]
        gates = dict(zip(self._gates, factors, strict=True))
        return replace(
            self.base,
            taken_at=at,
            source=f"drift with seed {self.seed} around {self.base.source or 'a snapshot'}",
            qubits=tuple(_qubit(*each) for each in qubits),
            gates={
                name: {on: _gate(figures, gates[name, tuple(sorted(on))], len(on)) for on, figures in found.items()}
                for name, found in self.base.gates.items()
            },
        )

    def _after_calibration(self, epoch: int) -> Sequence[float]:
        """Deviations right after the calibration that begins an epoch: what is left of the epochs before it."""
        known = self._starts.get(epoch)
        if known is not None:
            return known
        fade = math.exp(-self.every_s / self.drift.correlation_s)
        total = [0.0] * len(self._kinds)
        back = min(MOST_EPOCHS, max(_epochs(kind.kept * fade) for kind in self._kinds))
        for ago in range(1, back + 1):
            for index, (kind, noise) in enumerate(zip(self._kinds, self._noise(epoch - ago, "end"), strict=True)):
                total[index] += kind.kept**ago * fade ** (ago - 1) * _spread(kind.sigma, fade) * noise
        if len(self._starts) >= MOST_STARTS:
            self._starts.clear()
        self._starts[epoch] = total
        return total

    def _walk(self, epoch: int, step: int) -> Sequence[float]:
        """Deviations at a step of an epoch."""
        left = self._after_calibration(epoch)
        if step == 0:
            return left
        fade = math.exp(-self.every_s / self.drift.correlation_s)
        noises = self._noise(epoch, "end")
        right: Sequence[float] = [
            x * fade + _spread(kind.sigma, fade) * noise
            for x, kind, noise in zip(left, self._kinds, noises, strict=True)
        ]
        low, high = 0, 2**self._levels
        while high - low > 1:
            middle = (low + high) // 2
            half = math.exp(-self.every_s * (high - low) / 2 / 2**self._levels / self.drift.correlation_s)
            pull, spread = half / (1 + half * half), math.sqrt((1 - half * half) / (1 + half * half))
            noises = self._noise(epoch, f"{low // (high - low)} of {2**self._levels // (high - low)}")
            between = [
                (a + b) * pull + kind.sigma * spread * noise
                for a, b, kind, noise in zip(left, right, self._kinds, noises, strict=True)
            ]
            if step == middle:
                return between
            if step < middle:
                high, right = middle, between
            else:
                low, left = middle, between
        return left

    def _noise(self, epoch: int, name: str) -> Sequence[float]:
        draw = hashed_random(self.seed, self.base.target, "drift", epoch, name).gauss
        return [draw(0.0, 1.0) for _ in self._kinds]

    def _jumped(self, at: float) -> Sequence[float]:
        """What whole-device events of the past still do to each kind of figure."""
        drift, shifts = self.drift, [0.0] * 5
        if drift.jumps_per_day <= 0.0 or drift.jump <= 0.0:
            return shifts
        today = math.floor(at / DAY_S)
        for day in range(today - math.ceil(-math.log(FORGOTTEN) * drift.jump_memory_s / DAY_S), today + 1):
            luck = hashed_random(self.seed, self.base.target, "jump", day)
            if luck.random() >= drift.jumps_per_day:
                continue
            when = (day + luck.random()) * DAY_S
            sizes = [luck.gauss(0.0, drift.jump) for _ in shifts]
            if when <= at:
                left = math.exp(-(at - when) / drift.jump_memory_s)
                shifts = [shift + size * left for shift, size in zip(shifts, sizes, strict=True)]
        return shifts


def hashed_random(*names: object) -> random.Random:
    """A source of randomness of its own for each name: neighbouring names share nothing."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return random.Random(int.from_bytes(digest[:16], "big"))  # noqa: S311 - it plays a device, and keeps no secret


def _kinds(drift: Drift, qubits: int, gates: Sequence[tuple[str, tuple[int, ...]]]) -> list[Kind]:
    """The kind of each figure: of every qubit T1, T2 and readout, then of every gate its error."""
    coherence = [Kind(0, drift.t1, drift.kept_coherence), Kind(1, drift.t2, drift.kept_coherence)]
    each_qubit = [*coherence, Kind(2, drift.readout, drift.kept_readout)]
    one, two = Kind(3, drift.gates_1q, drift.kept_gates), Kind(4, drift.gates_2q, drift.kept_gates)
    return each_qubit * qubits + [one if len(on) == 1 else two for _, on in gates]


def _epochs(fade: float) -> int:
    if fade <= 0.0:
        return 1
    return MOST_EPOCHS if fade >= 1.0 else math.ceil(math.log(FORGOTTEN) / math.log(fade))


def _spread(sigma: float, fade: float) -> float:
    return sigma * math.sqrt(1.0 - fade * fade)


def _qubit(figures: QubitFigures, t1: float, t2: float, readout: float) -> QubitFigures:
    relaxing = figures.t1 * t1
    return QubitFigures(
        relaxing,
        min(figures.t2 * t2, 2 * relaxing),
        min(WORST_READOUT, figures.readout_p01 * readout),
        min(WORST_READOUT, figures.readout_p10 * readout),
    )


def _gate(figures: GateFigures, factor: float, qubits: int) -> GateFigures:
    # A gate that forgets everything has this infidelity; nothing random is worse.
    return GateFigures(min(1.0 - 0.5**qubits, figures.error * factor), figures.seconds)
