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
    those after mitigation, where there was any.

    `details` has, as JSON values, what only some jobs have: "mitigation" (settings, raw values, verdict, overhead, the
    counts of every circuit) and "allocation" (how the shots were shared, round by round).
    """

    shape: tuple[int, ...]
    values: tuple[float, ...]
    stderr: tuple[float, ...]
    shots: int | None = None
    details: Mapping[str, Any] | None = None


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
    return Estimated(shape, tuple(data["values"]), tuple(data["stderr"]), data["shots"], details)
