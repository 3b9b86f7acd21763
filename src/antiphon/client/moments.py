"""Times as users give them."""

from __future__ import annotations

import datetime as dt
import math

from antiphon.domain.spans import EXAMPLES, Ago, When, seconds_in
from antiphon.errors import LimitError

Moment = float | str | dt.datetime
"""Seconds since the epoch, a datetime, or ISO 8601; without a zone it is UTC."""
Since = Moment | dt.timedelta
"""The same, or how long before now: a timedelta, or text such as "2d" or "90min"."""


def when_of(since: Since) -> When:
    """A time in seconds since the epoch, or how long before now by the clock of the workspace.

    Raises:
        LimitError: It is neither (code "time-invalid").
    """
    if isinstance(since, dt.timedelta):
        return Ago(since.total_seconds())
    span = seconds_in(since) if isinstance(since, str) else None
    if span is not None:
        return Ago(span)
    try:
        return seconds_of(since)
    except LimitError as error:
        error.next_step += f" Or how long before now: {EXAMPLES}."
        raise


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
        f"{repr(at)[:80]} is no time.",
        code=code,
        next_step="Give seconds since the epoch, a datetime, or ISO 8601 such as 2026-01-31T12:00Z.",
    )
