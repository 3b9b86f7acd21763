"""Usage: what it is summed up over, and for how long a time at most."""

from __future__ import annotations

from enum import StrEnum

DEFAULT_DAYS = 28
MOST_DAYS = 3_660


class UsageBy(StrEnum):
    """What one sum of a summary is over."""

    TARGET = "target"
    USER = "user"
    DAY = "day"
