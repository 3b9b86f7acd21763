"""What comes of an estimate: its values, raw and mitigated, with their errors, and what is told of how they came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from antiphon.adapters.targets.mitigation.estimate_plan import pairs_of
from antiphon.adapters.targets.mitigation.estimate_run import EstimateRun
from antiphon.adapters.targets.mitigation.estimating import Estimating, Values
from antiphon.adapters.targets.mitigation.randomising import num_twirled
from antiphon.adapters.targets.mitigation.readout import Local
from antiphon.adapters.targets.mitigation.sentinel import Sentinel
from antiphon.adapters.targets.mitigation.statistics import AtZero, Floats
from antiphon.adapters.targets.mitigation.tallies import Tally
from antiphon.adapters.targets.mitigation.verdict import Measurement, judge, overall
from antiphon.adapters.targets.sim.task import estimated_shape
from antiphon.domain.results import Estimated, ShotNoise

MANY = 1_000
"""Degrees of freedom with which Student's distribution is the normal one."""


class _Found(NamedTuple):
    """One value with all that is known of it."""

    value: float
    stderr: float
    raw: float
    raw_stderr: float
    verdict: dict[str, Any] | None
    noise: ShotNoise
    raw_noise: ShotNoise
    low: float
    high: float


class EstimateOutcome:
    """Made of an estimate of which all rounds ran."""

    def __init__(self, run: EstimateRun) -> None:
        self._run = run

    def outcome(self) -> Estimated:
        """What came of all rounds."""
        pub = self._run.pub
        values: dict[tuple[int, int], _Found] = {}
        for part, share in zip(self._run.parts, self._run.shares, strict=True):
            part.settle()
            found = part.values()
            verdicts = self._judge(part, found) if self._mitigates else None
            for row, place in enumerate(share.sets):
                for column, observable in enumerate(share.observables):
                    values[place, observable] = _Found(
                        float(found.mitigated[row, column]),
                        math.sqrt(found.variances[row, column]),
                        float(found.raw[row, column]),
                        math.sqrt(found.raw_variances[row, column]),
                        None if verdicts is None else verdicts[row][column],
                        _noise(found.at_zero, found.freedom, row, column),
                        _noise(found.raw_at, found.raw_freedom, row, column),
                        *part.measured.range_of(column),
                    )
        flat = [values[pair] for pair in zip(*pairs_of(pub), strict=True)]
        details: dict[str, Any] = {}
        if self._mitigates:
            details["mitigation"] = self._told(flat)
        if self._run.allocation is not None:
            details["allocation"] = self._allocation_told()
        return Estimated(
            estimated_shape(pub),
            tuple(each.value for each in flat),
            tuple(each.stderr for each in flat),
            max((part.spent for part in self._run.parts), default=0),
            details,
            # What is mitigated may lie beyond what any state has.
            _joined([each.noise for each in flat]) if self._mitigates else _raw_noise(flat),
        )

    @property
    def _mitigates(self) -> bool:
        return bool(self._run.settings)

    def _judge(self, part: Estimating, found: Values) -> list[list[dict[str, Any]]]:
        known = part.sentinel_values()
        rows = []
        for row in range(found.raw.shape[0]):
            line = []
            for column in range(found.raw.shape[1]):
                sentinel: tuple[Measurement, float] | str = part.known if isinstance(part.known, str) else ""
                if isinstance(part.known, Sentinel) and known is not None:
                    exact = float(part.known.exact[column] + part.measured.constants[column])
                    sentinel = (_measurement(known, 0, column), exact)
                low, high = part.measured.range_of(column)
                line.append(judge(_measurement(found, row, column), low, high, sentinel))
            rows.append(line)
        return rows

    def _told(self, flat: Sequence[_Found]) -> dict[str, Any]:
        verdicts = [each.verdict for each in flat if each.verdict is not None]
        tallies = self._run.tallies()
        program = [tally for tally in tallies if tally.cell.role in {"program", "raw"}]
        first = self._run.parts[0]
        return {
            "settings": self._run.settings,
            "raw": {
                "values": [each.raw for each in flat],
                "stderr": [each.raw_stderr for each in flat],
                "noise": _raw_noise(flat).to_json(),
            },
            "mitigated": {"values": [each.value for each in flat], "stderr": [each.stderr for each in flat]},
            "verdict": overall(verdicts),
            "verdicts": verdicts,
            "overhead": {
                "shots": sum(tally.shots * tally.cell.parameters.num_sets for tally in tallies),
                "program_shots": sum(tally.shots * tally.cell.parameters.num_sets for tally in program),
                "circuits": len(tallies),
                "variance": [self._inflation(each.stderr, each.raw_stderr) for each in flat],
            },
            "shots_rule": "of each parameter set in all: mitigated circuits, calibration and sentinel share them",
            "qubits": [list(self._run.places)],
            "bases": [[basis.letters[::-1] for basis in part.measured.bases] for part in self._run.parts],
            "factors": list(first.program.factors),
            "extrapolation": self._extrapolation(first),
            "gamma": first.program.gamma,
            "twirled_gates": num_twirled(self._run.ground.operations) if self._run.methods.twirls_gates else 0,
            "readout": self._readout_told(),
            "sentinel": first.known if isinstance(first.known, str) else "used",
            "circuits": [tally.to_json() for tally in tallies],
        }

    def _inflation(self, mitigated: float, raw: float) -> float | None:
        """Shots that the mitigated value takes for each of the raw one, for the same standard error."""
        part = self._run.parts[0]
        own = sum(tally.shots for tally in part.tallies if self._is_raw(part, tally))
        return None if not raw or not own else (mitigated / raw) ** 2 * part.spent / own

    @staticmethod
    def _is_raw(part: Estimating, tally: Tally) -> bool:
        return tally.cell.role == part.program.raw_role and tally.cell.factor == 0

    def _extrapolation(self, part: Estimating) -> dict[str, Any] | None:
        if self._run.methods.zne is None or not part.measured.bases:
            return None
        found = part.values().at_zero
        weights = None if found.weights is None else found.weights.tolist()
        return {"weights": weights, "lines_in_place_of_curves": found.fallbacks}

    def _readout_told(self) -> dict[str, Any] | None:
        if self._run.calibrating is None:
            return None
        reader = self._run.calibrating.reader()
        told: dict[str, Any] = {"method": self._run.methods.readout.method, "shots": self._run.calibrating.shots}  # type: ignore[union-attr]
        if isinstance(reader, Local):
            told |= {"p01": reader.p01.tolist(), "p10": reader.p10.tolist()}
        return told

    def _allocation_told(self) -> dict[str, Any]:
        assert self._run.allocation is not None
        return {
            **self._run.allocation.to_json(),
            "ceiling": self._run.pub.shots,
            "reached": all(part.reached for part in self._run.parts),
            "shots": [part.spent for part in self._run.parts],
            "rounds": [part.rounds for part in self._run.parts],
        }


def _measurement(found: Values, row: int, column: int) -> Measurement:
    return Measurement(
        float(found.raw[row, column]),
        math.sqrt(found.raw_variances[row, column]),
        float(found.mitigated[row, column]),
        math.sqrt(found.variances[row, column]),
        math.sqrt(found.shift_variances[row, column]),
    )


def _noise(found: AtZero, freedom: Floats, row: int, column: int) -> ShotNoise:
    """Of one value."""
    edge = float(found.edge[row, column])
    own = float(freedom[row, column])
    return ShotNoise(
        (math.sqrt(edge),), (float(found.pull[row, column]),), freedom=(None if own > MANY else max(1.0, own),)
    )


def _joined(each: Sequence[ShotNoise]) -> ShotNoise:
    return ShotNoise(
        tuple(noise.edge[0] for noise in each),
        tuple(noise.pull[0] for noise in each),
        freedom=tuple(noise.freedom[0] for noise in each),
    ).packed()


def _raw_noise(flat: Sequence[_Found]) -> ShotNoise:
    joined = _joined([each.raw_noise for each in flat])
    return replace(joined, low=tuple(each.low for each in flat), high=tuple(each.high for each in flat)).packed()
