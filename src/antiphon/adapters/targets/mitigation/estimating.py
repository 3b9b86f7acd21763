"""One estimate: its circuits over rounds of shots, and the values that come of them, raw and mitigated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.mitigation.bases import Measured
from antiphon.adapters.targets.mitigation.calibrating import Calibrating
from antiphon.adapters.targets.mitigation.extrapolation import polynomial_weights
from antiphon.adapters.targets.mitigation.instances import Instances, Methods
from antiphon.adapters.targets.mitigation.readout import AsRead, Reader
from antiphon.adapters.targets.mitigation.sentinel import Sentinel
from antiphon.adapters.targets.mitigation.statistics import (
    AtZero,
    Sums,
    at_zero,
    energies_by,
    jackknifed,
    paired,
    reach_by,
    sums,
)
from antiphon.adapters.targets.mitigation.tallies import Request, Tally, shared
from antiphon.domain.allocation import ShotAllocation
from antiphon.domain.mitigation import ZeroNoiseExtrapolation

Floats = NDArray[np.float64]

MOST_ROUNDS = 12
LEAST_EACH = 2
"""Shots of a circuit in the first round, so that it has a variance."""
RAW_PART = 0.1
"""Of the shots, where the mitigated circuits say nothing of the raw value."""
PRIOR_SHOTS = 4
MARGIN = 1.05
"""Variances of a few shots are uncertain; a little more saves a round."""


@dataclass(frozen=True)
class Values:
    """Of shape (sets, observables), with the observables' constants.

    `freedom` has the degrees of freedom of `variances`, and `raw_freedom` those of `raw_variances`.
    """

    raw: Floats
    raw_variances: Floats
    mitigated: Floats
    variances: Floats
    shift_variances: Floats
    at_zero: AtZero
    raw_at: AtZero
    freedom: Floats
    raw_freedom: Floats


def factor_priors(zne: ZeroNoiseExtrapolation | None, factors: Sequence[float]) -> Floats:
    """What each noise factor's shots are worth before anything is known: its weight in the value at no noise."""
    prior = np.ones(len(factors))
    if zne is not None:
        prior = np.abs(polynomial_weights(np.array(factors), prior, zne.polynomial_degree or 1))
        prior = np.maximum(prior, prior.max() / 10)
    return prior


def parts_of(methods: Methods, *, sentinel: bool) -> dict[str, float]:
    """The part of the shots that each role has; "raw" has one only where the others say nothing of the raw value."""
    part = methods.sentinel if sentinel else 0.0
    parts = {"program": 1.0 - part, "sentinel": part}
    if methods.pec is not None:
        raw = {"raw": (1.0 - part) * RAW_PART, "sentinel raw": part * RAW_PART}
        parts = {role: share * (1.0 - RAW_PART) for role, share in parts.items()} | raw
    return {role: share for role, share in parts.items() if share > 0.0}


class Estimating:
    """The circuits of some parameter sets that are measured for the same observables.

    Args:
        budget: Shots of each parameter set in all, calibration included.
        calibrating: Shared by all estimates of a pub.
        num_sets: How many parameter sets these are.
        known: What is known of the sentinel, or why there is none.
    """

    def __init__(
        self,
        measured: Measured,
        methods: Methods,
        program: Instances,
        sentinel: Instances | None,
        calibrating: Calibrating | None,
        allocation: ShotAllocation | None,
        budget: int,
        num_sets: int,
        known: Sentinel | str,
    ) -> None:
        self.measured, self.methods, self.calibrating = measured, methods, calibrating
        self.program, self.sentinel = program, sentinel
        self.allocation, self.budget = allocation, budget
        self.known = known
        kept = [program] + ([] if sentinel is None else [sentinel])
        self.tallies = [Tally(cell) for instances in kept for cell in instances.cells]
        self.spent = 0
        self.rounds: list[dict[str, Any]] = []
        self.reached = True
        self.num_sets = num_sets

    # --- shots

    def next_round(self, total: int, calibration: int) -> list[Request]:
        """The next round.

        Args:
            total: Shots of each set, as `next_total` says.
            calibration: Of them, what this round's calibration takes.
        """
        weights = self._weights()
        least = LEAST_EACH if not self.rounds else 0
        given = shared(max(total - calibration, least * len(weights)), weights, least)
        self.spent += sum(given) + calibration
        self.rounds.append(self._told(given, calibration))
        return [Request(tally, shots) for tally, shots in zip(self.tallies, given, strict=True) if shots]

    def next_total(self) -> int:
        """Shots of each set in the next round."""
        left = self.budget - self.spent
        if not self.measured.bases or left <= 0:
            return 0
        allocation = self.allocation
        if allocation is None:
            return left if not self.rounds else 0
        floor = LEAST_EACH * len(self.tallies)
        if not self.rounds:
            enough = self.budget
            if allocation.precision is not None:
                # A ceiling may be far away; so many shots are enough for any state where nothing is mitigated.
                norms = sum(basis.norm for basis in self.measured.bases)
                enough = min(enough, math.ceil((norms / allocation.precision) ** 2))
            return min(left, max(math.ceil(enough * allocation.pilot), 4 * floor))
        if allocation.precision is None:
            return left if len(self.rounds) == 1 else 0
        worst = float(np.sqrt(self.values().variances.max()))
        if worst <= allocation.precision:
            return 0
        if len(self.rounds) >= MOST_ROUNDS:
            self.reached = False
            return 0
        wanted = math.ceil(MARGIN * self.spent * ((worst / allocation.precision) ** 2 - 1))
        return min(left, max(wanted, len(self.tallies)))

    def settle(self) -> None:
        """Say whether the precision asked for was reached."""
        if self.allocation is not None and self.allocation.precision is not None and self.measured.bases:
            self.reached = float(np.sqrt(self.values().variances.max())) <= self.allocation.precision

    def _weights(self) -> list[float]:
        """What each tally deserves of a round: |weight of its factor| · standard deviation of its basis."""
        deserved = self._deserved()
        parts = parts_of(self.methods, sentinel=self.sentinel is not None)
        whole: dict[str, float] = {}
        for tally in self.tallies:
            cell = tally.cell
            whole[cell.role] = whole.get(cell.role, 0.0) + cell.share * float(deserved[cell.factor, cell.basis])
        cells = [tally.cell for tally in self.tallies]
        return [
            parts[cell.role] * cell.share * float(deserved[cell.factor, cell.basis]) / whole[cell.role]
            for cell in cells
        ]

    def _deserved(self) -> Floats:
        """Of shape (factors, bases)."""
        prior = factor_priors(self.methods.zne, self.program.factors)
        norms = np.array([basis.norm for basis in self.measured.bases])
        if not self.rounds or self.allocation is None:
            return np.outer(prior, norms)
        found = self._sums(self.program.role, self._reader())
        shots = found.shots[:, :, None, None]
        # Few shots say little, and those that happen to agree would get no more, and their mean count too much: so many
        # that vary as much as any state are added to them.
        spread = (found.within * shots**2 + PRIOR_SHOTS * norms[None, :, None, None] ** 2) / (shots + PRIOR_SHOTS)
        return np.asarray(prior[:, None] * np.sqrt(spread.mean(axis=(2, 3))))

    def _told(self, given: Sequence[int], calibration: int) -> dict[str, Any]:
        groups: dict[tuple[str, int, int], int] = {}
        for tally, shots in zip(self.tallies, given, strict=True):
            key = (tally.cell.role, tally.cell.factor, tally.cell.basis)
            groups[key] = groups.get(key, 0) + shots
        return {
            "shots": sum(given),
            "calibration": calibration,
            "groups": [
                {"role": role, "factor": factor, "basis": basis, "shots": shots}
                for (role, factor, basis), shots in groups.items()
            ],
        }

    # --- values

    def values(self) -> Values:
        """Of the program, from all shots so far."""
        return self._values(self.program)

    def sentinel_values(self) -> Values | None:
        """Of the sentinel, if there is one."""
        return None if self.sentinel is None else self._values(self.sentinel)

    def _values(self, instances: Instances) -> Values:
        measured, zne = self.measured, self.methods.zne
        if not measured.bases:
            return self._constants()
        reader = self._reader()
        found = at_zero(self._sums(instances.role, reader), instances.factors, zne)
        own_raw = instances.raw_role != instances.role
        raw = self._sums(instances.raw_role, AsRead())
        raw_at = at_zero(raw, instances.factors[:1], None)
        raw_values, raw_variances = raw_at.values, raw_at.variances
        if own_raw or found.weights is None:
            shift_variances = found.variances + raw_variances
        else:
            shift_variances = self._shift(instances, reader, found.weights).errors.sum(axis=0)
        variances, doubts = found.variances, found.doubts
        if self.calibrating is not None:
            settled = found.weights
            again = [
                at_zero(self._sums(instances.role, other), instances.factors, zne, settled).values
                for other in self.calibrating.left_out()
            ]
            more = jackknifed(again)
            variances, shift_variances = variances + more, shift_variances + more
            doubts = doubts + more**2 / (len(again) - 1)
        return Values(
            raw_values + measured.constants,
            raw_variances,
            found.values + measured.constants,
            variances,
            shift_variances,
            found,
            raw_at,
            _freedom(variances, doubts),
            _freedom(raw_variances, raw_at.doubts),
        )

    def _constants(self) -> Values:
        """Observables that need no measurement."""
        values = np.tile(self.measured.constants, (self.num_sets, 1))
        none = np.zeros_like(values)
        known = AtZero(none, none, np.ones(1), none, none, none)
        return Values(values, none, values, none, none, known, known, none + np.inf, none + np.inf)

    def _reader(self) -> Reader:
        return AsRead() if self.calibrating is None else self.calibrating.reader()

    def _of(self, role: str) -> list[Tally]:
        return [tally for tally in self.tallies if tally.cell.role == role]

    def _sums(self, role: str, reader: Reader) -> Sums:
        energies = energies_by(reader, self.measured)
        reach = reach_by(reader, self.measured)
        return sums(self._of(role), len(self.program.factors), len(self.measured.bases), energies, reach)

    def _shift(self, instances: Instances, reader: Reader, weights: Floats) -> Sums:
        energies = paired(reader, self.measured, weights)
        return sums(self._of(instances.role), len(self.program.factors), len(self.measured.bases), energies)


def _freedom(variances: Floats, doubts: Floats) -> Floats:
    """Welch and Satterthwaite's degrees of freedom; infinite where shots alone say how uncertain a value is."""
    return np.where(doubts > 0.0, variances**2 / np.where(doubts > 0.0, doubts, 1.0), np.inf)
