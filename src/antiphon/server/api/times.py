"""Times in queries."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import Query

Moment = Annotated[dt.datetime | None, Query(description="ISO 8601; no zone means UTC.")]


def seconds_of(at: dt.datetime | None) -> float | None:
    """Seconds since the epoch."""
    if at is None:
        return None
    return (at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)).timestamp()
