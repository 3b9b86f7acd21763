"""Calibrations with results: the snapshot that was in force is kept whole, its age told, and too old a one refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.domain.results import Execution
from antiphon.domain.shown import span
from antiphon.domain.targets import TargetInfo
from antiphon.engine.artefacts import artefact
from antiphon.engine.context import EngineContext
from antiphon.engine.validate import is_number
from antiphon.errors import ExecutionError, LimitError
from antiphon.ports.device_driver import DeviceDriver, ScheduledDevice
from antiphon.ports.job_store import Artefact
from antiphon.ports.target_driver import TargetDriver

CALIBRATION = "calibration"
"""Under this name a job's provenance says which snapshot was in force, and how old it was."""
MAX_AGE = "max_calibration_age"
"""The option with which a job demands a calibration of at most so many seconds."""
OF_THE_ENGINE = {
    MAX_AGE: "How old the calibration may be that it runs under: seconds, or text such as 12h.",
    "bank": "true runs only the shots that the same work on the same calibration does not have yet.",
}
"""Options of a job that are no target's, with their help; the first is for devices, which have calibrations."""
EXECUTED_AT = "executed_at"
"""Under this name the provenance of an execution says when it was, if its end was told later."""
PATIENCE_S = 86_400.0
"""A job may be queued that demands a newer calibration, if one is due within so many seconds."""


def kept_with(ctx: EngineContext, execution: Execution, seconds: float) -> tuple[dict[str, Any], list[Artefact]]:
    """What the provenance says of the calibration of an execution that has just ended, and what is to be stored.

    Args:
        seconds: How long it took.
    """
    found = execution.calibration
    if found is None:
        return {}, []
    when = execution.provenance.get(EXECUTED_AT)
    at = float(when) if when is not None and is_number(when) else ctx.clock.now() - seconds
    told = {"digest": found.digest, "taken_at": found.taken_at, "age_s": max(0.0, at - found.taken_at)}
    if ctx.has_stored(found.digest):
        return {CALIBRATION: told}, []
    return {CALIBRATION: told}, [artefact(ctx, "calibration", found.to_bytes(), found.digest)]


def too_old(options: Mapping[str, Any], provenance: Mapping[str, Any], target: str) -> ExecutionError | None:
    """Why the result of an execution may not count; None if it may."""
    asked, told = options.get(MAX_AGE), provenance.get(CALIBRATION)
    if asked is None or told is None or told["age_s"] <= float(asked):
        return None
    return ExecutionError(
        f"{target} ran it under a calibration {span(told['age_s'])} old; the job allows {span(float(asked))}.",
        code="calibration-too-old",
        next_step=f"Submit it again after the next calibration, or allow more with {MAX_AGE}.",
        details={"age_s": told["age_s"], "max_age_s": float(asked), "calibration": told["digest"]},
    )


def check_age(options: Mapping[str, Any], driver: TargetDriver, now: float) -> None:
    """Refuse a job whose demand for a fresh calibration cannot be met.

    It may be queued when a newer calibration is due within `PATIENCE_S`: its target then runs it after that, or its
    result does not count.

    Raises:
        LimitError: The demand is no time (code "calibration-age-invalid"), the target has no calibrations
            (code "calibration-unknown"), or the newest is too old (code "calibration-too-old").
    """
    if MAX_AGE not in options:
        return
    asked, name = options[MAX_AGE], driver.info.name
    if not (is_number(asked) and asked > 0):
        raise LimitError(
            f"{MAX_AGE}={asked!r} is not a time above 0 s.",
            code="calibration-age-invalid",
            next_step="Give the age that the calibration may have, in seconds or as text: 3600, or 1h.",
        )
    if not isinstance(driver, DeviceDriver):
        raise LimitError(
            f"{name} has no calibrations.",
            code="calibration-unknown",
            next_step=f"Leave {MAX_AGE} out, or choose a device: antiphon targets list shows them.",
        )
    age = max(0.0, now - driver.calibration(now).taken_at)
    if age <= asked:
        return
    due = driver.next_calibration(now) if isinstance(driver, ScheduledDevice) else None
    if due is not None and due <= now + PATIENCE_S:
        return
    when = "none is due" if due is None else f"the next is due in {span(due - now)}"
    raise LimitError(
        f"The newest calibration of {name} is {span(age)} old; the job allows {span(float(asked))}.",
        code="calibration-too-old",
        cause=when,
        next_step=f"Allow more with {MAX_AGE}, or choose another target.",
        details={"age_s": age, "max_age_s": float(asked), "next_at": due},
    )


def options_of_jobs(info: TargetInfo) -> dict[str, str]:
    """All options that a submit to a target takes, with their help: its own, and those that are no target's."""
    known = {**info.options, **OF_THE_ENGINE}
    if info.kind == "simulator":
        del known[MAX_AGE]
    return known


def for_driver(options: Mapping[str, Any], driver: TargetDriver) -> Mapping[str, Any]:
    """The options as the target gets them: without those that are the engine's, unless it knows them too."""
    own = [name for name in OF_THE_ENGINE if name in options and name not in driver.info.options]
    return {name: value for name, value in options.items() if name not in own} if own else options
