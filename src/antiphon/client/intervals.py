"""Confidence intervals of values and of counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

from antiphon.errors import AntiphonError


def around(values: Any, stderr: Any, level: float) -> Any:
    """(low, high) in the shape of `values`: as many standard errors to each side as a normal distribution holds.

    Args:
        values: A number, an array, or a list of them; so is `stderr`.

    Raises:
        AntiphonError: The level is none (code "level-invalid").
    """
    if isinstance(values, list):
        return [around(value, error, level) for value, error in zip(values, stderr, strict=True)]
    deviations = _deviations(level)
    return values - deviations * stderr, values + deviations * stderr


def of_counts(counts: Any, level: float) -> Any:
    """{outcome: (low, high)} of each outcome's probability, in the shape of `counts`.

    Raises:
        AntiphonError: The level is none (code "level-invalid").
    """
    if counts is None:
        return None
    return wilson(counts, level) if isinstance(counts, Mapping) else [of_counts(each, level) for each in counts]


def wilson(counts: Mapping[str, int], level: float) -> dict[str, tuple[float, float]]:
    """Wilson's score interval, good for few shots and for probabilities near 0 and 1.

    Source: E. B. Wilson, J. Am. Stat. Assoc. 22, 209 (1927).
    """
    shots, deviations = sum(counts.values()), _deviations(level)
    square = deviations**2
    found = {}
    for key, count in counts.items():
        centre = (count + square / 2) / (shots + square)
        half = deviations * math.sqrt(count * (shots - count) / shots + square / 4) / (shots + square)
        found[key] = (max(0.0, centre - half), min(1.0, centre + half))
    return found


def _deviations(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise AntiphonError(
            f"{level!r} is no confidence level.", code="level-invalid", next_step="Give one between 0 and 1: 0.95."
        )
    return NormalDist().inv_cdf(0.5 + level / 2)
