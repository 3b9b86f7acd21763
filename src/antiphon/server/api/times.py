"""Times in queries."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import Query
from pydantic import Field, StringConstraints

from antiphon.domain.spans import PATTERN, Ago, When, seconds_in

Moment = Annotated[dt.datetime | None, Query(description="ISO 8601; no zone means UTC.")]
Span = Annotated[str, StringConstraints(pattern=PATTERN, max_length=100)]
Since = Annotated[dt.datetime | Span, Field(union_mode="left_to_right")]
"""A time, or how long before now: 2d, 90min."""


def seconds_of(at: dt.datetime | None) -> float | None:
    """Seconds since the epoch."""
    if at is None:
        return None
    return (at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)).timestamp()


def when_of(since: dt.datetime | str | None) -> When | None:
    """Seconds since the epoch, or how long ago."""
    if not isinstance(since, str):
        return seconds_of(since)
    span = seconds_in(since)
    assert span is not None, "its pattern was checked"
    return Ago(span)
