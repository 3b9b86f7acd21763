"""Times on the wire: ISO 8601 in UTC with microseconds."""

from __future__ import annotations

import datetime as dt


def to_iso(at: float | None) -> str | None:
    """Seconds since the epoch as "2026-01-31T12:00:00.000000Z"; None stays None."""
    if at is None:
        return None
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_iso(text: str | None) -> float | None:
    """The inverse of `to_iso`; any offset is understood, none means UTC.

    Raises:
        ValueError: Not a time.
    """
    if text is None:
        return None
    at = dt.datetime.fromisoformat(text)
    return (at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)).timestamp()
