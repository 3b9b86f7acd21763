"""What a job returns: counts or expectation values, one outcome for each program of the job.

Bit order is stated in `circuits`: bit 0 of a register is the rightmost character, registers are separated by one space,
the last declared leftmost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from antiphon.domain.calibrations import Calibration

Counts: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ShotNoise:
    """What an interval has to know of the shots behind estimated values, beside their standard errors.

    Each is flat in the order of the values, or has one entry that counts for all of them.

    Attributes:
        edge: √Σ (h/n)² over the circuits behind a value, each of n shots. h is half of the distance of the two numbers
            that have the mean, the variance and the skewness of what its shots contribute; where those are all alike,
            half of the range that they have.
        pull: c/n averaged over them by what each adds to the variance; c is the distance from the mean to the middle of
            the two numbers, or of the range.
        low, high: Between which the value lies in every state; None where nothing bounds what is estimated.
        two_valued: Whether the value is of one circuit whose shots contribute one of two numbers.
        freedom: Degrees of freedom of the standard error; None where they are too many to matter.
    """

    edge: tuple[float, ...]
    pull: tuple[float, ...]
    low: tuple[float | None, ...] = (None,)
    high: tuple[float | None, ...] = (None,)
    two_valued: tuple[bool, ...] = (False,)
    freedom: tuple[float | None, ...] = (None,)

    def packed(self) -> ShotNoise:
        """The same with one entry for what is alike for all values, and as many digits as an interval can need."""
        found = {name: tuple(map(_short, getattr(self, name))) for name in ShotNoise.__slots__}
        return ShotNoise(**{name: each[:1] if len(set(each)) == 1 else each for name, each in found.items()})

    def to_json(self) -> dict[str, list[Any]]:
        """As JSON values."""
        return {name: list(getattr(self, name)) for name in ShotNoise.__slots__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ShotNoise:
        """The inverse of `to_json`."""
        return cls(**{name: tuple(data[name]) for name in ShotNoise.__slots__ if name in data})


def _short(value: Any) -> Any:
    return float(f"{value:.12g}") if isinstance(value, float) else value


@dataclass(frozen=True, slots=True)
class Sampled:
    """Counts of one program, one mapping for each parameter set.

    `counts` is flat in C order over `shape`; for a single set `shape` is () and `counts` has one entry. The counts of
    every entry sum to `shots`. `outcomes` is "bits" for bit strings, or "values" when the program returns numbers or
    nested tuples (Q#), whose keys are then the Q# display of the value.

    `probabilities` is None unless exact ones were asked for: then one mapping for each parameter set, with the keys of
    counts, outcomes of probability zero left out.

    `details` has, as JSON values, what only some jobs have: "mitigation" (settings, corrected probabilities, verdict,
    overhead, the counts of every circuit).
    """

    shape: tuple[int, ...]
    counts: tuple[Counts, ...]
    shots: int
    outcomes: str = "bits"
    probabilities: tuple[Mapping[str, float], ...] | None = None
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Estimated:
    """Expectation values of one program, flat in C order over `shape` (parameters and observables broadcast).

    `stderr` is the standard error of each value: 0.0 for an exact engine, in which case `shots` is None. Values are
    those after mitigation, where there was any. `noise` is None for exact ones.

    `details` has, as JSON values, what only some jobs have: "mitigation" (settings, raw values, verdict, overhead, the
    counts of every circuit) and "allocation" (how the shots were shared, round by round).
    """

    shape: tuple[int, ...]
    values: tuple[float, ...]
    stderr: tuple[float, ...]
    shots: int | None = None
    details: Mapping[str, Any] | None = None
    noise: ShotNoise | None = None


Outcome: TypeAlias = "Sampled | Estimated"


@dataclass(frozen=True, slots=True)
class Execution:
    """What a driver did: one outcome for each program, and how it ran (for the record).

    `provenance` holds JSON values: engine, engine version, method, why it was chosen, simulator seconds
    (`engine_s`), settings. `calibration` is the snapshot of the device that was true while it ran, kept whole beside
    the result.
    """

    outcomes: tuple[Outcome, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    calibration: Calibration | None = None


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON values; floats keep every bit."""
    if isinstance(outcome, Sampled):
        found: dict[str, Any] = {
            "kind": "sampled",
            "shape": list(outcome.shape),
            "counts": [dict(counts) for counts in outcome.counts],
            "shots": outcome.shots,
            "outcomes": outcome.outcomes,
        }
        if outcome.probabilities is not None:
            found["probabilities"] = [dict(each) for each in outcome.probabilities]
    else:
        found = {
            "kind": "estimated",
            "shape": list(outcome.shape),
            "values": list(outcome.values),
            "stderr": list(outcome.stderr),
            "shots": outcome.shots,
        }
        if outcome.noise is not None:
            found["noise"] = outcome.noise.to_json()
    if outcome.details is not None:
        found["details"] = dict(outcome.details)
    return found


def outcome_from_json(data: Mapping[str, Any]) -> Outcome:
    """The inverse of `outcome_to_json`."""
    shape, details = tuple(data["shape"]), data.get("details")
    if data["kind"] == "sampled":
        exact = data.get("probabilities")
        probabilities = None if exact is None else tuple(exact)
        return Sampled(shape, tuple(data["counts"]), data["shots"], data["outcomes"], probabilities, details)
    noise = data.get("noise")
    return Estimated(
        shape,
        tuple(data["values"]),
        tuple(data["stderr"]),
        data["shots"],
        details,
        None if noise is None else ShotNoise.from_json(noise),
    )
