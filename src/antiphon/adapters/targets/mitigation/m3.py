"""Counts corrected for readout errors on the strings that were observed, which are few even where qubits are many.

The method is M3 (Nation, Kang, Sundaresan and Gambetta, PRX Quantum 2, 040326): the confusion matrix of independent
bits, restricted to the observed strings and its columns normalised there, is inverted; quasi-probabilities follow, and
the nearest probabilities to them (Smolin, Gambetta and Smith, Phys. Rev. Lett. 108, 070502). The tests compare with
mthree itself and with the exact inverse on few qubits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import LimitError, MissingExtraError

Floats = NDArray[np.float64]

MOST_DIRECT = 1_500
"""Strings up to which the matrix is inverted; above, the equations are solved by iteration."""
MOST_STRINGS = 20_000
_SMALLEST = 1e-12
_BLOCK = 2_000


@dataclass(frozen=True)
class Corrected:
    """Of the observed strings: quasi-probabilities, which sum to 1, and the nearest probabilities.

    Attributes:
        stderr: Of the quasi-probabilities, from shots and calibration; an upper bound where there are many strings.
        edge, pull: Of each, what an interval has to know of the shots; see `domain.results.ShotNoise`.
    """

    quasi: Floats
    probabilities: Floats
    stderr: Floats
    edge: Floats
    pull: Floats


@dataclass(frozen=True)
class Doubt:
    """One standard deviation of something that the calibration found: what it adds to a bit's p01 and p10."""

    bit: int
    of_p01: float
    of_p10: float


def corrected(
    bits: NDArray[np.uint8], times: Floats, p01: Floats, p10: Floats, doubts: Sequence[Doubt] = ()
) -> Corrected:
    """Undo the readout errors of independent bits.

    Args:
        bits: Distinct outcomes, of shape (strings, bits).
        times: How often each came.
        p01, p10: Probability of each bit to read 1 for 0, and 0 for 1.
        doubts: How uncertain they are, each independent of the others.

    Raises:
        LimitError: More distinct outcomes than can be corrected (code "too-many-outcomes").
        MissingExtraError: SciPy is not installed.
    """
    count, shots = len(times), times.sum()
    if count > MOST_STRINGS:
        raise LimitError(
            f"{count:,} distinct outcomes are more than readout correction takes.",
            code="too-many-outcomes",
            cause=f"the limit is {MOST_STRINGS:,}",
            next_step="Measure fewer qubits, take fewer shots, or estimate observables, whose correction has no limit.",
        )
    raw = times / shots
    matrix = _Confusion(bits, p01, p10)
    if count <= MOST_DIRECT:
        dense = matrix.dense()
        inverse = np.linalg.inv(dense)
        quasi = inverse @ raw
        spread = np.maximum(inverse**2 @ raw - quasi**2, 0.0)
        cubes = inverse**3 @ raw - 3 * quasi * (inverse**2 @ raw) + 2 * quasi**3
        variance = spread / max(shots - 1, 1)
        for doubt in doubts:
            variance = variance + (inverse @ matrix.moved(dense, quasi, doubt)) ** 2
    else:
        quasi = _iterated(matrix, raw)
        # As mthree bounds it: by the one-norm of the inverse, here of the independent bits.
        norm = np.prod((1.0 + np.abs(p01 - p10)) / np.maximum(1.0 - p01 - p10, _SMALLEST))
        variance = np.full(count, norm**2 / shots / 4.0)
        spread, cubes = np.zeros((2, count))
    quasi = quasi / quasi.sum()
    # Two numbers with the same mean, variance and skewness as what the shots contribute; where those are all alike, 0
    # and 1.
    varies = spread > _SMALLEST
    side = np.where(varies, cubes / np.where(varies, spread, 1.0) / 2, 0.5 - quasi)
    edge = np.sqrt(np.where(varies, spread + side**2, 0.25)) / shots
    return Corrected(quasi, nearest_probabilities(quasi), np.sqrt(variance), edge, side / shots)


def nearest_probabilities(quasi: Floats) -> Floats:
    """The probabilities nearest to numbers that sum to 1, in the sum of squares."""
    order = np.argsort(quasi)
    found = np.zeros_like(quasi)
    missing, left = 0.0, len(quasi)
    for place in order:
        if quasi[place] + missing / left < 0.0:
            missing += quasi[place]
            left -= 1
        else:
            found[place] = quasi[place] + missing / left
    return found


class _Confusion:
    """P(string i is read | string j is there), columns normalised over the strings; made block by block.

    The logarithm of an entry is affine in the bits of i and of j and in their products, so a block is one product of
    matrices.
    """

    def __init__(self, bits: NDArray[np.uint8], p01: Floats, p10: Floats) -> None:
        self._bits = bits.astype(np.float64)
        low, high = np.clip(p01, _SMALLEST, 1 - _SMALLEST), np.clip(p10, _SMALLEST, 1 - _SMALLEST)
        self._low, self._high = low, high
        stay0, up, down, stay1 = np.log(1 - low), np.log(low), np.log(high), np.log(1 - high)
        self._constant = float(stay0.sum())
        self._by_read, self._by_there = up - stay0, down - stay0
        self._by_both = stay1 - up - down + stay0
        self.size = len(bits)
        self._norms = np.concatenate([self._block(slice(at, at + _BLOCK)).sum(axis=0) for at in self._starts()])

    def dense(self) -> Floats:
        """All of it."""
        blocks = [self._block(slice(at, at + _BLOCK)) for at in self._starts()]
        return np.asarray(np.concatenate(blocks, axis=1) / self._norms)

    def moved(self, dense: Floats, vector: Floats, doubt: Doubt) -> Floats:
        """By how much its product with a vector changes, to first order, where a bit's errors are others."""
        is_one = self._bits[:, doubt.bit]
        low, high = self._low[doubt.bit], self._high[doubt.bit]
        # The logarithmic derivatives of an entry by what is read, in columns where 0 is there, and where 1 is.
        by_low = doubt.of_p01 * np.where(is_one > 0, 1.0 / low, -1.0 / (1.0 - low))
        by_high = doubt.of_p10 * np.where(is_one > 0, -1.0 / (1.0 - high), 1.0 / high)
        norms = (1.0 - is_one) * (dense.T @ by_low) + is_one * (dense.T @ by_high)
        moved = by_low * (dense @ (vector * (1.0 - is_one))) + by_high * (dense @ (vector * is_one))
        return np.asarray(moved - dense @ (norms * vector))

    def times(self, vector: Floats) -> Floats:
        """Its product with a vector."""
        scaled = vector / self._norms
        found = np.zeros(self.size)
        for at in self._starts():
            found += self._block(slice(at, at + _BLOCK)) @ scaled[at : at + _BLOCK]
        return found

    def _starts(self) -> range:
        return range(0, self.size, _BLOCK)

    def _block(self, columns: slice) -> Floats:
        there = self._bits[columns]
        logs = (self._bits * self._by_both) @ there.T
        logs += (self._bits @ self._by_read)[:, None] + (there @ self._by_there)[None, :] + self._constant
        return np.asarray(np.exp(logs))


def _iterated(matrix: _Confusion, raw: Floats) -> Floats:
    try:
        from scipy.sparse.linalg import LinearOperator, gmres
    except ImportError as error:
        raise MissingExtraError.of("scipy", "mitigation", "readout correction of many outcomes") from error
    operator = LinearOperator((matrix.size, matrix.size), matvec=matrix.times, dtype=np.float64)
    found, failed = gmres(operator, raw, x0=raw, rtol=1e-6, atol=0.0)
    if failed:
        found = raw
        for _ in range(50):
            found = found + raw - matrix.times(found)
    return np.asarray(found)
