"""Options that are lengths of time, which users may write as text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from antiphon.domain.spans import seconds_in
from antiphon.engine.calibrations import MAX_AGE

MAX_WAIT = "max_wait"
TIMES = (MAX_AGE, MAX_WAIT)


def in_seconds(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a submit with lengths of time in seconds, as they are kept; what is none is left to be refused."""
    return {name: _seconds(value) if name in TIMES else value for name, value in options.items()}


def _seconds(value: object) -> object:
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if not isinstance(value, str):
        return value
    found = seconds_in(value)
    return value if found is None else found
