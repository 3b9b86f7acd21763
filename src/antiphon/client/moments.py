"""Times as users give them."""

from __future__ import annotations

import datetime as dt
import math

from antiphon.errors import LimitError

Moment = float | str | dt.datetime
"""Seconds since the epoch, a datetime, or ISO 8601; without a zone it is UTC."""


def seconds_of(at: Moment, code: str = "time-invalid") -> float:
    """A time in seconds since the epoch.

    Raises:
        LimitError: It is none; with that code.
    """
    try:
        if isinstance(at, str):
            at = dt.datetime.fromisoformat(at)
        if isinstance(at, dt.datetime):
            return (at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)).timestamp()
        seconds = float(at)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if math.isfinite(seconds):
        return seconds
    raise LimitError(
        f"{str(at)[:80]!r} is no time.",
        code=code,
        next_step="Give seconds since the epoch, a datetime, or ISO 8601 such as 2026-01-31T12:00Z.",
    )
