"""Whether two results of the same work agree: to the bit where that is promised, otherwise by a stated test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from antiphon.domain.results import Counts, Estimated, Outcome, Sampled

SIGNIFICANCE = 0.001
PERMUTATIONS = 1_999
EXACT_TOLERANCE = 1e-6
SIGMAS = 4.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """The verdict and how it was reached.

    Attributes:
        agrees: The verdict.
        test: "identical", "permutation test" or "error bars"; see `compare`.
        detail: Numbers behind it, in words.
        figures: The same numbers as JSON values.
    """

    agrees: bool
    test: str
    detail: str
    figures: dict[str, Any]


def compare(first: Sequence[Outcome], second: Sequence[Outcome], *, bitwise: bool, seed: int = 0) -> Agreement:
    """Compare two results of the same work.

    With `bitwise` (same seeds, simulator and version) they must be identical. Otherwise counts are compared by a
    two-sample permutation test on the total variation distance, summed over all parameter sets (1,999 permutations;
    they disagree when p < 0.001), and expectation values by their error bars (they disagree when
    |a - b| > 4 √(σa² + σb²) + 1e-6).
    """
    if tuple(first) == tuple(second):
        return Agreement(True, "identical", "every count and value is the same to the bit", {})
    if bitwise:
        return Agreement(False, "identical", "the same seed on the same simulator gave another result", {})
    sampled = [(a, b) for a, b in zip(first, second, strict=True) if isinstance(a, Sampled) and isinstance(b, Sampled)]
    pairs = [pair for a, b in sampled for pair in zip(a.counts, b.counts, strict=True)]
    if pairs:
        return _compare_counts(pairs, seed)
    return _compare_values(first, second)


def _compare_counts(pairs: list[tuple[Counts, Counts]], seed: int) -> Agreement:
    rng = np.random.default_rng(seed)
    observed = 0.0
    permuted = np.zeros(PERMUTATIONS)
    largest = 0.0
    for a, b in pairs:
        distance, distances = _distances(a, b, rng)
        observed += distance
        permuted += distances
        largest = max(largest, distance)
    p = (1 + int((permuted >= observed - 1e-12).sum())) / (PERMUTATIONS + 1)
    return Agreement(
        p >= SIGNIFICANCE,
        "permutation test",
        f"largest total variation distance {largest:.4f}, p = {p:.4f} over {len(pairs)} set(s) of counts, "
        f"disagreement below {SIGNIFICANCE:g}",
        {"total_variation_distance": largest, "p": p, "threshold": SIGNIFICANCE, "comparisons": len(pairs)},
    )


def _distances(a: Counts, b: Counts, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """Total variation distance of two samples, and of PERMUTATIONS random splits of their union."""
    keys = sorted({*a, *b})
    first = np.array([a.get(key, 0) for key in keys], dtype=np.int64)
    second = np.array([b.get(key, 0) for key in keys], dtype=np.int64)
    total, n, m = first + second, int(first.sum()), int(second.sum())
    draws = rng.multivariate_hypergeometric(total, n, size=PERMUTATIONS, method="marginals")
    distances: np.ndarray = 0.5 * np.abs(draws / n - (total - draws) / m).sum(axis=1)
    return 0.5 * float(np.abs(first / n - second / m).sum()), distances


def _compare_values(first: Sequence[Outcome], second: Sequence[Outcome]) -> Agreement:
    worst, largest = 0.0, 0.0
    for a, b in zip(first, second, strict=True):
        if not (isinstance(a, Estimated) and isinstance(b, Estimated)):
            return Agreement(False, "error bars", "the results are of different kinds", {})
        for x, y, sx, sy in zip(a.values, b.values, a.stderr, b.stderr, strict=True):
            allowed = SIGMAS * math.hypot(sx, sy) + EXACT_TOLERANCE
            worst = max(worst, abs(x - y) / allowed)
            largest = max(largest, abs(x - y))
    return Agreement(
        worst <= 1.0,
        "error bars",
        f"largest difference {largest:.3g}, {worst:.2f} of what {SIGMAS:g} standard errors allow",
        {"largest_difference": largest, "share_of_allowed": worst},
    )
