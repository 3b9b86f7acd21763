"""The driver of a device that lives: plans under what is published, and knows the calibrations of every time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from antiphon.adapters.targets.emu_life.device import PlainDevice
from antiphon.domain.calibrations import Calibration
from antiphon.domain.devices import Assessment
from antiphon.domain.policies.device_schedule import Schedule
from antiphon.domain.policies.drift import Wandering
from antiphon.domain.policies.life import LivingDevice, version_with_life
from antiphon.domain.programs import Program
from antiphon.domain.results import Execution
from antiphon.domain.targets import TargetInfo, option_refusal
from antiphon.domain.work import Plan, Work
from antiphon.errors import ExecutionError
from antiphon.ports.clock import Clock
from antiphon.ports.device_driver import RUN_UNDER

MAX_AGE = "max_calibration_age"
OPTIONS = {MAX_AGE: "How old the calibration may be when the job starts, which waits for a newer one: 3600, 12h."}
FAR_S = 1e11
MOST_KEPT = 8


class LivingDriver:
    """Implements `ports.device_driver.ScheduledDevice` around a device that does not change by itself.

    It is the half that plans; jobs are run by `LivingProvider`.

    Args:
        plain: The device, whose newest snapshot its figures wander around.
        living: How it lives.
    """

    def __init__(self, plain: PlainDevice, living: LivingDevice, clock: Clock) -> None:
        self.plain = plain
        self.living = living
        self.schedule = Schedule(living.target, living.life, living.seed)
        self._clock = clock
        base = plain.calibrations(0.0, FAR_S)[0]
        self._wandering = Wandering(
            base,
            living.life.drift,
            living.seed,
            living.life.calibration_every_s,
            self.schedule.first_calibration_s,
        )
        self._published: dict[float, Calibration] = {}
        info = plain.info
        self._info = replace(
            info,
            version=version_with_life(info.version, living),
            options={name: text for name, text in info.options.items() if name != "calibration"} | OPTIONS,
            description=f"{info.description} It lives as {living.life.name!r} says, with seed {living.seed}.",
        )

    @property
    def info(self) -> TargetInfo:
        """What the target declares; only its status changes."""
        status = self.schedule.status_at(self._clock.now())
        reason = status.reason
        if status.until is not None:
            reason += f" until {dt.datetime.fromtimestamp(status.until, dt.UTC):%Y-%m-%d %H:%M}Z"
        return self._info.as_it_stands(status.standing.value, reason)

    def calibration(self, at: float) -> Calibration:
        """The calibration in force at `at`."""
        when = self._wandering.published_at(at)
        found = self._published.get(when)
        if found is None:
            if len(self._published) >= MOST_KEPT:
                self._published.clear()
            found = self._published[when] = self._wandering.published(at)
        return found

    def calibrations(self, since: float, until: float) -> Sequence[Calibration]:
        """All calibrations published in that time, newest first, and the one in force when it began."""
        times = self.schedule.calibration_times(since, until)
        if not times or times[0] > since:
            times.insert(0, self._wandering.published_at(since))
        return [self._wandering.published(at) for at in reversed(times)]

    def next_calibration(self, at: float) -> float:
        """When the next calibration after `at` is published."""
        return self.schedule.next_calibration(at)

    def true_calibration(self, at: float) -> Calibration:
        """The figures as they really are at `at`, which its users do not know."""
        return self._wandering.true(at)

    def assess(self, program: Program, calibration: Calibration) -> Assessment:
        """What the program would meet under that calibration; see `ports.device_driver`."""
        return self.plain.assess(program, calibration)

    def plan(self, work: Work) -> Plan:
        """As the plain device plans, compiled for what is published now; `cost` is seconds on the device."""
        return self.plan_at(work, self._clock.now())

    def plan_at(self, work: Work, at: float) -> Plan:
        """The plan that `plan` made, or will make, at `at`."""
        if "calibration" in work.options:
            raise option_refusal(
                self._info.name,
                "calibration",
                "the device lives: it runs under the calibration in force, and no other",
                f"Leave the option out, or demand a fresh one with {MAX_AGE}.",
            )
        published = self.calibration(at)
        options = {name: value for name, value in work.options.items() if name not in OPTIONS}
        plan = self.plain.plan_under(Work(work.kind, work.pubs, options), published)
        age = self._clock.now() - published.taken_at
        told: dict[str, Any] = {
            "life": self.living.life.name,
            "seed": self.living.seed,
            "published": published.digest,
            "published_at": published.taken_at,
            "age_s": max(0.0, age),
        }
        # What it costs is time on the device, as its users pay and wait for it, and not that of simulating it.
        cost = self._seconds(work, plan)
        return replace(plan, cost=cost, device_s=None, safe_inline=False, details={**plan.details, "living": told})

    def under_truth(self, plan: Plan, at: float) -> Plan:
        """The plan, to be run with the figures as they really are at `at`."""
        return replace(plan, details={**plan.details, RUN_UNDER: self.true_calibration(at).to_json()})

    def _seconds(self, work: Work, plan: Plan) -> float:
        """On the device: loading each program, then each shot of each parameter set and measurement basis."""
        life, seconds = self.living.life, 0.0
        for pub, told in zip(work.pubs, plan.details["programs"], strict=True):
            runs = pub.parameters.num_sets * max(1, len(pub.observables or ()))
            seconds += life.overhead_s + runs * (pub.shots or 1) * (told["shot_s"] + life.shot_pause_s)
        return seconds

    def execute(self, work: Work, plan: Plan) -> Execution:  # noqa: ARG002 - the port's signature
        """Refuses: what it plans is run in its queue, elsewhere.

        Raises:
            ExecutionError: Always.
        """
        raise ExecutionError(
            f"{self._info.name} lives, and runs jobs in its own queue only.",
            code="target-elsewhere",
            next_step="Submit the job; a driver alone does not run it.",
        )
