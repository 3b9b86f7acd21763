"""Calibrations and drift as the native API shows them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.client.wire.times import from_iso, to_iso
from antiphon.domain.calibrations import Calibration
from antiphon.domain.policies.changes import DeviceDrift


def calibration_to_json(calibration: Calibration) -> dict[str, Any]:
    """A snapshot as its resource. Its time stays a number too: the digest is over it."""
    return {
        **calibration.to_json(),
        "digest": calibration.digest,
        "published_at": to_iso(calibration.taken_at),
    }


def calibration_from_json(data: Mapping[str, Any]) -> Calibration:
    """The inverse of `calibration_to_json`."""
    return Calibration.from_json(data)


def drift_to_json(drift: DeviceDrift) -> dict[str, Any]:
    """What changed on a device as its resource."""
    return {**drift.to_json(), "since_at": to_iso(drift.since_at), "until_at": to_iso(drift.until_at)}


def drift_from_json(data: Mapping[str, Any]) -> DeviceDrift:
    """The inverse of `drift_to_json`."""
    times = {name: from_iso(data[name]) for name in ("since_at", "until_at")}
    return DeviceDrift.from_json({**data, **times})
