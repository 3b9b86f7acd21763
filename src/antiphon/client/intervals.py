"""Confidence intervals of estimated values and of the probabilities of outcomes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.domain.results import Estimated, Outcome, Sampled
from antiphon.errors import AntiphonError, MissingExtraError

FEW = 40
"""Shots. Up to so many the score interval holds the truth too seldom (Brown, Cai and DasGupta, 2001)."""
AT_THE_EDGE = 20
"""Shots of either outcome: with fewer of one the same is so, however many there are of the other. Summed over all
counts it is then never more than a percent or two below what the level says."""

Floats = NDArray[np.float64]
Pair = tuple[float, float]


class Method(StrEnum):
    """How an interval is made.

    EXACT: Clopper and Pearson, Biometrika 26, 404 (1934): holds the truth at least as often as the level says, of a
    probability that was asked about before it was measured. Needs SciPy. SCORE: Wilson, J. Am. Stat. Assoc. 22, 209
    (1927). NORMAL: as many standard errors to each side as a normal distribution holds; of no width where all shots
    agree.
    """

    EXACT = "exact"
    SCORE = "score"
    NORMAL = "normal"


def of_values(outcome: Estimated, level: float, method: str | None = None) -> tuple[Floats, Floats]:
    """The lower and the upper ends, flat, in the order of the values.

    A value of one Pauli string is a probability, and so is its interval: exact where shots are few or nearly all alike.
    Any other is a sum over circuits of means: each counts as that of two numbers with the same mean, variance and
    skewness, for which Wilson's interval is known; the squares of their widths add up, and so do third moments. Where
    the spread of few random circuits says how uncertain a value is, the quantile is Student's, with Welch and
    Satterthwaite's degrees of freedom. How often such intervals hold the truth is tested, not proved.

    Raises:
        AntiphonError: The level is none, or the method is (code "level-invalid").
        MissingExtraError: SciPy, where it takes the exact interval or Student's quantile.
    """
    asked = _asked(method)
    z = _deviations(level)
    values, stderr = np.array(outcome.values, dtype=np.float64), np.array(outcome.stderr, dtype=np.float64)
    noise = outcome.noise
    if noise is None or asked is Method.NORMAL:
        return values - z * stderr, values + z * stderr
    edge, pull, freedom, low, high = (
        _spread(given, len(values), missing)
        for given, missing in (
            (noise.edge, 0.0),
            (noise.pull, 0.0),
            (noise.freedom, math.inf),
            (noise.low, -math.inf),
            (noise.high, math.inf),
        )
    )
    quantile = np.full(len(values), z)
    few = np.isfinite(freedom)
    if few.any():
        quantile[few] = _student(freedom[few], level)
    reach = (high - low) / 2
    two_valued = np.broadcast_to(noise.two_valued, len(values)) & (edge > 0)
    # 1 + z²/n of Wilson's, where there is one number of shots.
    shrink = 1 + z**2 * np.where(two_valued, edge / np.where(two_valued, reach, 1.0), 0.0)
    middle = values + z**2 * pull / shrink
    half = np.sqrt((quantile * stderr) ** 2 + z**4 * edge**2) / shrink
    lower, upper = np.maximum(middle - half, low), np.minimum(middle + half, high)
    for place in np.flatnonzero(two_valued):
        shots = round(reach[place] / edge[place])
        count = round(shots * (values[place] - low[place]) / (2 * reach[place]))
        if _exactly(asked, count, shots):
            pair = exact(count, shots, level)
            lower[place], upper[place] = (low[place] + 2 * reach[place] * end for end in pair)
    return lower, upper


def of_counts(counts: Mapping[str, int], level: float, method: str | None = None) -> dict[str, Pair]:
    """{outcome: (low, high)} of each outcome's probability, each by itself; together they hold it less often.

    Only outcomes that came have one. Without a method that is allowed for: see `low_if_seen`.

    Raises:
        AntiphonError, MissingExtraError: As of values.
    """
    asked, z = _asked(method), _deviations(level)
    shots = sum(counts.values())
    known = {count: _of_count(count, shots, level, z, asked) for count in set(counts.values())}
    return {key: known[count] for key, count in counts.items()}


def of_sampled(sampled: Sampled, level: float, method: str | None = None) -> list[dict[str, Pair]]:
    """Of each parameter set: of what was read, or of what correction made of it.

    Raises:
        AntiphonError, MissingExtraError: As of values.
    """
    if method is None and "quasi_probabilities" in ((sampled.details or {}).get("mitigation") or {}):
        return [of_corrected(sampled, place, level) for place in range(len(sampled.counts))]
    return [of_counts(counts, level, method) for counts in sampled.counts]


def to_json(outcome: Outcome, level: float) -> dict[str, Any]:
    """The intervals of an outcome as JSON values, flat in the order of its values or counts.

    Raises:
        AntiphonError, MissingExtraError: As of values.
    """
    if isinstance(outcome, Sampled):
        return {"level": level, "probabilities": of_sampled(outcome, level)}
    low, high = of_values(outcome, level)
    return {"level": level, "low": low.tolist(), "high": high.tolist()}


def of_corrected(sampled: Sampled, place: int, level: float) -> dict[str, Pair]:
    """The same of probabilities with the errors of the readout undone, by parameter set.

    What a shot contributes to one is no longer 0 or 1: the score interval is that of two numbers with the same mean,
    variance and skewness, and the error of the calibration is added to it. Results from before those were kept have
    Wilson's for as many shots as have the standard error that correction leaves.
    """
    z = _deviations(level)
    told = (sampled.details or {})["mitigation"]
    quasi, stderr = told["quasi_probabilities"][place], told["stderr"][place]
    if "edge" not in told:
        return _as_fewer_shots(quasi, stderr, sampled.shots, z)
    found = {}
    for key, q in quasi.items():
        middle = min(1.0, max(0.0, q)) + z**2 * told["pull"][place][key]
        half = math.hypot(z * stderr[key], z**2 * told["edge"][place][key])
        low, count = middle - half, sampled.counts[place].get(key, 0)
        if 0 < count < AT_THE_EDGE:
            low = min(low, low_if_seen(count, sampled.shots, level) + min(0.0, q - count / sampled.shots))
        found[key] = min(1.0, max(0.0, low)), min(1.0, max(0.0, middle + half))
    return found


def _as_fewer_shots(quasi: Mapping[str, float], stderr: Mapping[str, float], shots: int, z: float) -> dict[str, Pair]:
    """The effective sample size of Korn and Graubard, Surv. Methodol. 24, 193 (1998)."""
    # What an outcome that never came, or always, has lost of its shots is not told by its own error: the most that any
    # other lost is taken.
    lost = [stderr[key] ** 2 * shots / (q * (1 - q)) for key, q in quasi.items() if 0.0 < q < 1.0]
    left = shots / max([1.0, *lost])
    found = {}
    for key, q in quasi.items():
        inside = 0.0 < q < 1.0 and stderr[key] > 0.0
        own = min(q * (1 - q) / stderr[key] ** 2, shots) if inside else left
        found[key] = score(min(1.0, max(0.0, q)) * own, own, z)
    return found


def exact(count: int, shots: int, level: float) -> Pair:
    """Clopper and Pearson's interval of a probability.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    inverse = _special("betaincinv")
    tail = (1 - level) / 2
    low = 0.0 if count <= 0 else float(inverse(count, shots - count + 1, tail))
    high = 1.0 if count >= shots else float(inverse(count + 1, shots - count, 1 - tail))
    return low, high


@lru_cache(maxsize=4_096)
def low_if_seen(count: int, shots: int, level: float) -> float:
    """The lower end of the exact interval of an outcome that nobody would ask about had it not come.

    Of very many rare outcomes a few come once, and Clopper and Pearson's intervals of just these hold none of their
    probabilities. This is the same of the binomial distribution without 0: from an outcome that came once nothing
    follows about how rare it may be.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    if count <= 1:
        return 0.0
    at_least, tail = _special("betainc"), (1 - level) / 2
    low, high = -60.0, math.log(exact(count, shots, level)[0])
    for _ in range(60):
        middle = (low + high) / 2
        chance = math.exp(middle)
        if at_least(count, shots - count + 1, chance) > tail * -math.expm1(shots * math.log1p(-chance)):
            high = middle
        else:
            low = middle
    return math.exp(low)


def score(count: float, shots: float, z: float) -> Pair:
    """Wilson's interval of a probability."""
    square = z**2
    middle = (count + square / 2) / (shots + square)
    half = z * math.sqrt(count * (shots - count) / shots + square / 4) / (shots + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def _of_count(count: int, shots: int, level: float, z: float, asked: Method | None) -> Pair:
    if asked is Method.NORMAL:
        part = count / shots
        half = z * math.sqrt(part * (1 - part) / shots)
        return max(0.0, part - half), min(1.0, part + half)
    if not _exactly(asked, count, shots):
        return score(count, shots, z)
    low, high = exact(count, shots, level)
    return (low if asked is Method.EXACT else min(low, low_if_seen(count, shots, level))), high


def _exactly(asked: Method | None, count: int, shots: int) -> bool:
    if asked is not None:
        return asked is Method.EXACT
    return shots <= FEW or min(count, shots - count) < AT_THE_EDGE


def _spread(given: Sequence[float | None], size: int, missing: float) -> Floats:
    """One entry for each value."""
    return np.broadcast_to([missing if each is None else each for each in given], size).astype(np.float64)


def _student(freedom: Floats, level: float) -> Floats:
    found: Floats = _special("stdtrit")(freedom, 0.5 + level / 2)
    return found


def _special(name: str) -> Callable[..., Any]:
    try:
        from scipy import special
    except ImportError as error:
        raise MissingExtraError.of("scipy", "mitigation", "an interval from few shots") from error
    found: Callable[..., Any] = getattr(special, name)
    return found


def _asked(method: str | None) -> Method | None:
    try:
        return None if method is None else Method(method)
    except ValueError:
        raise AntiphonError(
            f"{method!r} is no kind of interval.", code="level-invalid", next_step=f"Give one of {', '.join(Method)}."
        ) from None


def _deviations(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise AntiphonError(
            f"{level!r} is no confidence level.", code="level-invalid", next_step="Give one between 0 and 1: 0.95."
        )
    return NormalDist().inv_cdf(0.5 + level / 2)
