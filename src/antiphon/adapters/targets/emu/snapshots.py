"""Snapshots of a device by name: the digest of one, or the date of its publication."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from antiphon.domain.calibrations import Calibration
from antiphon.domain.targets import option_refusal


def iso_of(calibration: Calibration) -> str:
    """When it was published, as ISO 8601 in UTC."""
    return dt.datetime.fromtimestamp(calibration.taken_at, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def snapshot_named(name: Any, known: Sequence[Calibration], target: str) -> Calibration:
    """The snapshot of that digest, or the newest of that date.

    Raises:
        UnsupportedProgramError: There is none.
    """
    if isinstance(name, str):
        for each in reversed(known):
            if name in (each.digest, iso_of(each), iso_of(each)[:10]):
                return each
    dates = ", ".join(iso_of(each)[:10] for each in known)
    raise option_refusal(
        target, "calibration", f"there is none of the name {name!r}", f"Give a digest, or one of {dates}."
    )
