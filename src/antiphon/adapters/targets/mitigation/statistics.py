"""From counts to values: means of each circuit, of each noise factor, and at no noise, with their variances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.mitigation.bases import Measured
from antiphon.adapters.targets.mitigation.extrapolation import exponential, polynomial_weights
from antiphon.adapters.targets.mitigation.readout import AsRead, Reader
from antiphon.adapters.targets.mitigation.tallies import Tally
from antiphon.domain.mitigation import ZeroNoiseExtrapolation

Floats = NDArray[np.float64]
Energies = Callable[[Tally], Floats]
"""What each outcome of a tally contributes to each observable, of shape (outcomes, observables)."""


@dataclass(frozen=True)
class Sums:
    """At each noise factor, of shape (factors, bases, sets, observables).

    Attributes:
        means: Over the random instances.
        within: Variances of the means, as the shots tell.
        between: As the instances among each other tell; of one alone, as its shots tell.
        shots: Of each factor and basis.
        edge: Squared, summed over strata; see `ShotNoise`.
        lean, weight: Sums over strata that make its `pull`: of what is averaged, by its weight, and of the weights.
        doubt: Σ variance² / degrees of freedom of strata, for those of `between`.
    """

    means: Floats
    within: Floats
    between: Floats
    shots: Floats
    edge: Floats
    lean: Floats
    weight: Floats
    doubt: Floats

    @property
    def values(self) -> Floats:
        """Summed over the bases, of shape (factors, sets, observables)."""
        return np.asarray(self.means.sum(axis=1))

    @property
    def errors(self) -> Floats:
        """Variances of `values`: the larger of the two, whose difference is what the choice of instances adds."""
        return np.asarray(np.maximum(self.within.sum(axis=1), self.between.sum(axis=1)))

    @property
    def doubts(self) -> Floats:
        """Variance² over degrees of freedom of `errors` (Welch and Satterthwaite); 0 where shots alone tell them."""
        told = self.between.sum(axis=1) >= self.within.sum(axis=1)
        return np.asarray(np.where(told, self.doubt.sum(axis=1), 0.0))


@dataclass(frozen=True)
class AtZero:
    """At no noise, of shape (sets, observables).

    Attributes:
        weights: What each factor counts; None where a curve was fitted to each value.
        fallbacks: Values to which no exponential fitted, so that a line was taken.
        edge, pull: As of `ShotNoise`, the first squared; of a curve, as of a line.
        doubts: Variance² over degrees of freedom.
    """

    values: Floats
    variances: Floats
    weights: Floats | None
    edge: Floats
    pull: Floats
    doubts: Floats
    fallbacks: int = 0


def energies_by(reader: Reader, measured: Measured) -> Energies:
    """What outcomes contribute as `reader` reads them."""

    def energies(tally: Tally) -> Floats:
        cell = tally.cell
        columns = reader.columns(tally.arrays()[0], cell.flips)
        return cell.weight * measured.bases[cell.basis].energies(columns, reader.factor_of)

    return energies


def reach_by(reader: Reader, measured: Measured) -> Energies:
    """How far from 0 a shot can contribute to each observable as `reader` reads it."""

    def reach(tally: Tally) -> Floats:
        cell = tally.cell
        basis = measured.bases[cell.basis]
        return abs(cell.weight) * basis.reach(reader.largest(len(cell.flips)), reader.factor_of)

    return reach


def paired(reader: Reader, measured: Measured, weights: Floats) -> Energies:
    """What outcomes contribute to the difference of mitigated and raw value, which share the shots at factor 1."""
    corrected, raw = energies_by(reader, measured), energies_by(AsRead(), measured)

    def energies(tally: Tally) -> Floats:
        found = weights[tally.cell.factor] * corrected(tally)
        return np.asarray(found - raw(tally) if tally.cell.factor == 0 else found)

    return energies


def sums(
    tallies: Sequence[Tally], num_factors: int, num_bases: int, energies: Energies, reach: Energies | None = None
) -> Sums:
    """Means over random instances of each factor and basis.

    Args:
        reach: How far from 0 a shot can contribute, of each observable; only for the sake of intervals.

    Two instances that flip complementary bits count as one: together they are free of what makes either differ.
    """
    size = (len(tallies[0].counts), energies(tallies[0]).shape[1])
    means, within, between, edge, lean, weight, doubt = np.zeros((7, num_factors, num_bases, *size))
    shots = np.zeros((num_factors, num_bases))
    flipped = any(any(tally.cell.flips) for tally in tallies)
    parts: dict[tuple[int, int, int], dict[int, list[tuple[int, Floats, Floats]]]] = {}
    reaches: dict[tuple[int, int, int], Floats] = {}
    moments: dict[tuple[int, int, int], list[Floats]] = {}
    for tally in tallies:
        if not tally.shots:
            continue
        times, each = tally.arrays()[1], energies(tally)
        mean = times @ each / tally.shots
        spread = np.maximum(times @ each**2 / tally.shots - mean**2, 0.0) / max(tally.shots - 1, 1)
        cluster = tally.cell.randomization // 2 if flipped else tally.cell.randomization
        stratum = (tally.cell.factor, tally.cell.basis, tally.cell.stratum)
        if reach is not None:
            reaches.setdefault(stratum, reach(tally))
            kept = moments.setdefault(stratum, [np.zeros(size)] * 3)
            moments[stratum] = [before + times @ each**power for power, before in enumerate(kept, start=1)]
        clusters = parts.setdefault(stratum, {})
        clusters.setdefault(cluster, []).append((tally.shots, mean, spread))
    for (factor, basis, number), clusters in parts.items():
        every = [part for found in clusters.values() for part in found]
        total = sum(count for count, _, _ in every)
        own = sum((count * mean for count, mean, _ in every), start=np.zeros(size)) / total
        place = (factor, basis)
        means[place] += own
        within[place] += sum((count**2 * spread for count, _, spread in every), start=np.zeros(size)) / total**2
        shots[place] += total
        if reach is not None:
            stratum = (factor, basis, number)
            wide, side = _two_numbers([moment / total for moment in moments[stratum]], reaches[stratum])
            adds = wide / total**2 + np.maximum(moments[stratum][1] / total - own**2, 0.0) / total
            edge[place] += wide / total**2
            lean[place] += adds * side / total
            weight[place] += adds
        if len(clusters) == 1:
            told = sum((count**2 * spread for count, _, spread in every), start=np.zeros(size)) / total**2
        else:
            sway = np.zeros(size)
            for found in clusters.values():
                sway += sum((count * (mean - own) for count, mean, _ in found), start=np.zeros(size)) ** 2
            told = sway / total**2 * len(clusters) / (len(clusters) - 1)
            doubt[place] += told**2 / (len(clusters) - 1)
        between[place] += told
    return Sums(means, within, between, shots, edge, lean, weight, doubt)


def _two_numbers(moments: Sequence[Floats], reach: Floats) -> tuple[Floats, Floats]:
    """Of two numbers with these first three moments: half their distance squared, and from the mean to their middle."""
    mean, second, third = moments
    variance = second - mean**2
    varies = variance > 1e-12 * reach**2
    cubes = third - 3 * mean * second + 2 * mean**3
    side = np.where(varies, cubes / np.where(varies, variance, 1.0) / 2, -mean)
    return np.where(varies, variance + side**2, reach**2), side


def at_zero(
    found: Sums, factors: Sequence[float], settings: ZeroNoiseExtrapolation | None, weights: Floats | None = None
) -> AtZero:
    """The value at no noise, without the observables' constants; at factor 1 where nothing is extrapolated.

    Args:
        weights: Of the factors, where they were settled before.
    """
    values, errors, doubts = found.values, found.errors, found.doubts
    edge, lean, adds = found.edge.sum(axis=1), found.lean.sum(axis=1), found.weight.sum(axis=1)
    if settings is None:
        return AtZero(values[0], errors[0], np.ones(1), edge[0], _over(lean[0], adds[0]), doubts[0])
    reached = np.array(factors)
    if weights is None:
        pooled = errors.mean(axis=(1, 2))
        weights = polynomial_weights(reached, pooled, settings.polynomial_degree or 1)
    value = np.tensordot(weights, values, axes=1)
    variance = np.tensordot(weights**2, errors, axes=1)
    told = (
        np.tensordot(weights**2, edge, axes=1),
        _over(np.tensordot(weights**3, lean, axes=1), np.tensordot(weights**2, adds, axes=1)),
        np.tensordot(weights**4, doubts, axes=1),
    )
    if settings.polynomial_degree is not None:
        return AtZero(value, variance, weights, *told)
    fallbacks = 0
    straight = variance.copy()
    for place in np.ndindex(value.shape):
        fitted = exponential(reached, values[(slice(None), *place)], errors[(slice(None), *place)])
        if fitted is None:
            fallbacks += 1
        else:
            value[place], variance[place] = fitted
    stretched = (variance / np.where(straight > 0.0, straight, 1.0)) ** 2
    return AtZero(value, variance, None, told[0], told[1], told[2] * stretched, fallbacks)


def _over(sums: Floats, weights: Floats) -> Floats:
    return np.asarray(np.where(weights > 0.0, sums / np.where(weights > 0.0, weights, 1.0), 0.0))


def jackknifed(values: Sequence[Floats]) -> Floats:
    """The variance that a delete-one-group jackknife gives."""
    stacked = np.stack(values)
    count = len(stacked)
    return np.asarray((count - 1) / count * ((stacked - stacked.mean(axis=0)) ** 2).sum(axis=0))
