"""Devices: their calibrations over time, and what drift between two of them means for a program."""

from __future__ import annotations

import math
from collections.abc import Sequence

from antiphon.domain.calibrations import Calibration
from antiphon.domain.evolve import evolve
from antiphon.domain.policies.changes import DeviceDrift, changes_between, whether_it_matters
from antiphon.domain.programs import Program
from antiphon.domain.spans import When, moment_of
from antiphon.engine.context import EngineContext
from antiphon.engine.validate import find_driver
from antiphon.errors import LimitError
from antiphon.ports.device_driver import DeviceDriver, ScheduledDevice

RECENT_S = 7 * 86_400.0
"""Without another time, calibrations of a device that publishes them by a schedule are listed so far back."""
FARTHEST_S = 366 * 86_400.0
MOST = 1_000


def find_device(ctx: EngineContext, target: str) -> DeviceDriver:
    """The driver of a target that has calibrations.

    Raises:
        NotFoundError: No such target.
        LimitError: It is no device (code "calibration-unknown").
    """
    driver = find_driver(ctx.drivers, target)
    if isinstance(driver, DeviceDriver):
        return driver
    raise LimitError(
        f"{target} has no calibrations.",
        code="calibration-unknown",
        cause=f"it is a {driver.info.kind}, and not built from the figures of a device",
        next_step="Choose a device: antiphon targets list shows them.",
    )


def calibrations_of(
    ctx: EngineContext, target: str, since: When | None = None, most: int = MOST
) -> Sequence[Calibration]:
    """The calibrations that a target published from `since` until now, newest first, and the one in force then.

    Args:
        since: Seconds since the epoch, or how long ago. None is all of a device with a few dated snapshots, or those of
            a week.
        most: So many of the newest at most.

    Raises:
        NotFoundError: No such target.
        LimitError: It is no device (code "calibration-unknown"), or so many are not listed at once.
    """
    device, now = find_device(ctx, target), ctx.clock.now()
    lives = isinstance(device, ScheduledDevice)
    begin = (now - RECENT_S if lives else 0.0) if since is None else moment_of(since, now)
    if lives and begin < now - FARTHEST_S:
        raise LimitError(
            f"{target} publishes calibrations by a schedule; those of more than a year ago are not listed.",
            code="calibration-too-far",
            next_step="Give a later time.",
            details={"least": now - FARTHEST_S},
        )
    most = min(most, MOST)
    return _newest(device, begin, now, most) if lives else device.calibrations(begin, now)[:most]


def _newest(device: DeviceDriver, since: float, until: float, most: int) -> Sequence[Calibration]:
    """From the newest back: a device that lives computes each, and has thousands that nobody asked for."""
    found = [device.calibration(until)]
    while len(found) < most and found[-1].taken_at > since:
        before = device.calibration(math.nextafter(found[-1].taken_at, -math.inf))
        if before.taken_at >= found[-1].taken_at:
            break  # it knows of none before
        found.append(before)
    return found


def drift_of(ctx: EngineContext, target: str, program: Program | None = None, since: When | None = None) -> DeviceDrift:
    """What changed between the calibration in force at `since` and the one in force now.

    Args:
        program: Also compare its expected fidelity under both.
        since: Seconds since the epoch, or how long ago; None compares with the calibration before the newest.

    Raises:
        NotFoundError: No such target.
        LimitError: It is no device (code "calibration-unknown").
        UnsupportedProgramError: The target does not run the program.
    """
    device = find_device(ctx, target)
    at = ctx.clock.now()
    now = device.calibration(at)
    then = _before(device, now) if since is None else device.calibration(moment_of(since, at))
    found = DeviceDrift(
        target=target,
        since=then.digest,
        since_at=then.taken_at,
        until=now.digest,
        until_at=now.taken_at,
        changes=changes_between(then, now),
    )
    if then.digest == now.digest:
        found = evolve(found, verdict="The calibration is the same: nothing has been measured anew since then.")
    if program is None:
        return found
    was, is_now = device.assess(program, then).fidelity, device.assess(program, now).fidelity
    matters, verdict = whether_it_matters(was, is_now)
    if then.digest == now.digest:
        verdict = found.verdict
    return evolve(found, fidelity_then=was, fidelity_now=is_now, matters=matters, verdict=verdict)


def _before(device: DeviceDriver, newest: Calibration) -> Calibration:
    earlier = [each for each in device.calibrations(newest.taken_at - 1.0, newest.taken_at) if each != newest]
    return earlier[0] if earlier else newest
