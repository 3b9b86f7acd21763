"""Fair shares: who has used least of what is theirs comes first.

Use is counted in seconds of the target. Old use fades with exp(-age / window): a steady user's sum is then what a plain
window of that length would hold, without its edges. Two sums that fade alike keep their order, so an order is computed
from what is stored and does not depend on when it is asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Use:
    """Faded seconds as they stood at `at` (seconds since the epoch)."""

    used: float = 0.0
    at: float = 0.0

    def charged(self, seconds: float, now: float, window_s: float) -> Use:
        """With `seconds` more, used now; negative to give back what was charged too much."""
        return Use(max(0.0, self.faded(now, window_s) + seconds), now)

    def known_at(self, now: float) -> Use:
        """As it counts now: what a clock that was ahead noted must not count for as long as that clock was ahead."""
        return self if self.at <= now else Use(self.used, now)

    def faded(self, now: float, window_s: float) -> float:
        """The seconds as they count now."""
        return self.used * math.exp(-max(0.0, now - self.at) / window_s)


def standing(use: Use, allotment: float, window_s: float) -> float:
    """The used fraction of an allotment, as a number that only serves to be compared: the smaller comes first.

    It is log(used / allotment) + at / window, the logarithm of the faded fraction up to a term that is the same for
    everybody. Who used nothing is first (-inf); who has no allotment is last (inf).
    """
    if allotment <= 0.0:
        return math.inf
    if use.used <= 0.0:
        return -math.inf
    return math.log(use.used / allotment) + use.at / window_s
