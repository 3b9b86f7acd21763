"""Lengths of time as people write them, and times that are told by them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

UNITS = {
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3_600.0,
    "d": 86_400.0,
    "w": 604_800.0,
    "y": 31_557_600.0,
}
_PART = r"\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(min|[smhdwy])\s*"
PATTERN = "^(?:" + _PART.replace("([0", "(?:[0").replace("(min", "(?:min") + ")+$"
"""As a regular expression, for those who must tell what they take."""
EXAMPLES = "90s, 30min, 12h, 2d or 1h 30m"

_SPAN = re.compile(PATTERN)
_EACH = re.compile(_PART)


@dataclass(frozen=True, slots=True)
class Ago:
    """So many seconds before now, by the clock of whoever is asked."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.6f}s"


When = float | Ago
"""Seconds since the epoch, or how long before now."""


def seconds_in(text: str) -> float | None:
    """How long "2d", "90s" or "1h 30m" is; None if the text is no length of time. A number needs its unit."""
    if len(text) > 100 or _SPAN.fullmatch(text) is None:
        return None
    seconds = sum(float(number) * UNITS[unit] for number, unit in _EACH.findall(text))
    return seconds if math.isfinite(seconds) else None


def moment_of(when: When, now: float) -> float:
    """Seconds since the epoch."""
    return now - when.seconds if isinstance(when, Ago) else when
