"""A device's result keeps the calibration that it was made under."""

from __future__ import annotations

from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.checks.shots import PROGRAM
from antiphon.client.kit.subject import Subject
from antiphon.client.kit.verdicts import CheckFailedError, NothingToCheckError


def _run(subject: Subject) -> dict[str, Any]:
    if subject.info.device is None:
        raise NothingToCheckError("It is no device, and has no calibration.")
    subject.needs_qubits(2)
    job = subject.take_up(subject.run(PROGRAM).job.id)
    kept = job.record.get("calibration")
    if not kept:
        raise CheckFailedError("The record has no calibration.", job=job.id)
    return {"calibration": {name: kept[name] for name in ("digest", "taken_at", "age_s") if name in kept}}


CALIBRATION = Check(
    "calibration",
    "A device's result keeps the calibration that was true when it was made.",
    "Calibrations not kept with results, so that nobody could tell drift from a mistake.",
    _run,
)
