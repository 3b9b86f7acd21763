"""Identifiers: a prefix that says what it names, and a ULID, so that ids sort by time."""

from __future__ import annotations

from ulid import ULID


def new_id(prefix: str) -> str:
    """A new id such as "job_01JD…": unique, and sortable by creation time to the millisecond."""
    return f"{prefix}_{ULID()}"
