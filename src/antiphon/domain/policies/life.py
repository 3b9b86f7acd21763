"""The life of a device as it is given: how often it is calibrated, out of order, or busy with other tenants' jobs.

What follows from that, and when, is in `policies.device_schedule`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from antiphon.domain.policies.drift import DAY_S, Drift
from antiphon.errors import LimitError, NotFoundError

HOUR_S = 3_600.0
LEAST_EVERY_S = 1.0
FARTHEST_S = 366 * DAY_S
MOST_AN_HOUR, MOST_A_DAY = 100_000.0, 1_000.0
"""Arrivals and outages: each is played one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How a device lives. Times in seconds, rates for each hour or day, probabilities from 0 to 1.

    Attributes:
        name: Of the profile.
        calibration_every_s, calibration_takes_s: Nothing runs in the second, at the end of which new figures are
            published.
        drift: How its figures wander.
        outages_per_day, outage_s: How often it is out of order, and for how long at the mean (exponential).
        refusals: Probability that a job is refused for a moment, for no fault of its own.
        failures: Probability that a job fails midway.
        others_per_hour: Jobs of other tenants that arrive in each hour of the day, from midnight UTC.
        others_job_s, others_spread: Median of how long such a job runs, and the spread of its logarithm.
        patience_s: Others stay away when they would wait longer.
        overhead_s: Loading one program: what each program of ours takes beside its shots.
        shot_pause_s: Between two shots, for the qubits to relax.
    """

    name: str
    calibration_every_s: float = DAY_S
    calibration_takes_s: float = 45 * 60.0
    drift: Drift = field(default_factory=Drift)
    outages_per_day: float = 0.0
    outage_s: float = HOUR_S
    refusals: float = 0.0
    failures: float = 0.0
    others_per_hour: tuple[float, ...] = (0.0,) * 24
    others_job_s: float = 20.0
    others_spread: float = 1.0
    patience_s: float = 6 * HOUR_S
    overhead_s: float = 2.0
    shot_pause_s: float = 250e-6

    def __post_init__(self) -> None:
        wrong = [name for name in ("refusals", "failures") if not 0.0 <= getattr(self, name) <= 1.0]
        wrong += [name for name in _NOT_NEGATIVE if not 0.0 <= getattr(self, name) <= FARTHEST_S]
        if not max(LEAST_EVERY_S, self.calibration_takes_s) < self.calibration_every_s <= FARTHEST_S:
            wrong.append("calibration_every_s")
        if len(self.others_per_hour) != 24 or not all(0.0 <= rate <= MOST_AN_HOUR for rate in self.others_per_hour):
            wrong.append("others_per_hour")
        if self.outages_per_day > MOST_A_DAY:
            wrong.append("outages_per_day")
        if not self.others_job_s > 0.0 or not self.outage_s > 0.0:
            wrong.append("others_job_s" if not self.others_job_s > 0.0 else "outage_s")
        if wrong:
            raise LimitError(
                f"A device cannot live with {wrong[0]}={getattr(self, wrong[0])!r}.",
                code="life-invalid",
                next_step="Times and rates are not negative, probabilities are from 0 to 1, a calibration is shorter "
                "than the time to the next, and others_per_hour has a rate for each of the 24 hours.",
            )

    def to_json(self) -> dict[str, Any]:
        """The life as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Life:
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, LimitError: It is none.
        """
        drift, others = Drift(**data["drift"]), tuple(data["others_per_hour"])
        return cls(**{**data, "drift": drift, "others_per_hour": others})


_NOT_NEGATIVE = (
    "calibration_takes_s",
    "outages_per_day",
    "others_job_s",
    "others_spread",
    "patience_s",
    "overhead_s",
    "shot_pause_s",
)


def _day(quiet: float, busy: float) -> tuple[float, ...]:
    """Arrivals for each hour: quiet at night, rising from 7, busiest from 13 to 17 UTC, falling until 22."""
    shape = (0, 0, 0, 0, 0, 0, 0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.9, 1, 1, 1, 1, 0.9, 0.7, 0.5, 0.4, 0.2, 0.1, 0)
    return tuple(quiet + part * (busy - quiet) for part in shape)


LIVES: Mapping[str, Life] = {
    life.name: life
    for life in (
        Life(name="quiet", others_per_hour=_day(2.0, 10.0)),
        Life(
            name="busy",
            outages_per_day=0.1,
            refusals=0.02,
            failures=0.01,
            others_per_hour=_day(15.0, 100.0),
        ),
        Life(
            name="bad-day",
            calibration_every_s=8 * HOUR_S,
            drift=Drift(correlation_s=6 * HOUR_S, jumps_per_day=0.3),
            outages_per_day=3.0,
            outage_s=0.75 * HOUR_S,
            refusals=0.25,
            failures=0.10,
            others_per_hour=_day(20.0, 110.0),
        ),
    )
}
"""Profiles by name. The rates are made up: no provider publishes a trace of its queue."""


@dataclass(frozen=True, slots=True)
class LivingDevice:
    """Which device lives how. Devices of one seed live different lives."""

    target: str
    life: Life
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """The choice as JSON values."""
        return {"target": self.target, "life": self.life.to_json(), "seed": self.seed}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LivingDevice:
        """The inverse of `to_json`."""
        if not (isinstance(data["target"], str) and isinstance(data["seed"], int)):
            raise TypeError("a target has a name, and a seed is an integer")
        return cls(data["target"], Life.from_json(data["life"]), data["seed"])


@dataclass(frozen=True, slots=True)
class StillDevice:
    """A device that is to live no more: it is always there, under the snapshot that a job chooses."""

    target: str


def version_with_life(version: str, living: LivingDevice) -> str:
    """The version of a device that lives: another life or seed gives other results."""
    return f"{version}+{living.life.name}.{living.seed}"


def life_in(version: str) -> tuple[str, int] | None:
    """Name of the life and seed in a version that `version_with_life` made; None: it stands still."""
    _, plus, told = version.rpartition("+")
    name, dot, seed = told.rpartition(".")
    return (name, int(seed)) if plus and dot and seed.lstrip("-").isdigit() else None


def life_named(name: str) -> Life:
    """One of `LIVES`.

    Raises:
        NotFoundError: There is none of that name (code "life-unknown").
    """
    if name in LIVES:
        return LIVES[name]
    raise NotFoundError(
        f"There is no life {name!r}.", code="life-unknown", next_step=f"Choose one of {', '.join(LIVES)}."
    )
