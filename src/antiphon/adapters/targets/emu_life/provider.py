"""The queue of a device that lives: it takes jobs, keeps them waiting, and runs them under its true figures."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from antiphon.adapters.targets.emu_life import ledger
from antiphon.adapters.targets.emu_life.driver import MAX_AGE, LivingDriver
from antiphon.adapters.targets.emu_life.ledger import Place, Places
from antiphon.domain.evolve import evolve
from antiphon.domain.policies.device_schedule import Backlog, Visit, counted_from
from antiphon.domain.results import Execution
from antiphon.domain.shown import span
from antiphon.domain.work import Plan, Work
from antiphon.errors import ExecutionError
from antiphon.ports.clock import Clock
from antiphon.ports.executor import Executor, Report, Task
from antiphon.ports.provider import (
    ProviderJob,
    ProviderJobState,
    RefusedByProviderError,
    TransientProviderError,
)

SIMULATION_S = 3_600.0
"""Limit of one simulation, in real seconds."""
ANSWER_S = 20.0
"""So many real seconds a question for outcomes waits for their simulation; then it is to be asked again."""

MOST_CALIBRATIONS = 30
"""After so many of them a job that never starts soon enough after one is refused."""
_NUMBER = re.compile(r"-([0-9]{1,18})-[0-9a-f]{8}$")
STOPPED = frozenset({"task-cancelled", "task-interrupted", "task-not-started", "executor-closed"})
"""Codes of simulations that were stopped for reasons that are not theirs; they run again."""


class LivingProvider:
    """Implements `ports.provider.Provider` for one living device.

    When a job starts follows from what came before it and the device's schedule, so nothing has to run in between; its
    simulation runs when its outcomes are asked for, under the figures that were true when it started. Two that ask run
    the same twice and get the same.

    Args:
        file: Where it remembers jobs; made if missing.
        executor: Where simulations run.
    """

    poll_seconds = 0.5
    settle_seconds = 1.0

    def __init__(self, driver: LivingDriver, file: Path, clock: Clock, executor: Executor) -> None:
        self._driver = driver
        self._schedule = driver.schedule
        self._places = Places(file)
        self._clock = clock
        self._executor = executor
        self._lock = threading.Lock()
        self._simulations: dict[str, _Simulation] = {}

    def send(self, key: str, work: Work, plan: Plan) -> ProviderJob:
        """Take a job, behind others and ours that came before it.

        Raises:
            TransientProviderError: It is refused for a moment.
            RefusedByProviderError: It never fits between two calibrations.
        """
        known = self._places.of_key(key)
        if known is not None:
            return self._told(known)
        now = self._clock.now()
        again = self._schedule.refuses(key, now)
        if again is not None:
            raise TransientProviderError(
                f"{self._driver.info.name} takes no job at this moment.", details={"retry_after_s": again}
            )
        asked = work.options.get(MAX_AGE)
        place = Place(
            key=key,
            came=now,
            seconds=plan.cost,
            starts=now,
            programs=len(work.pubs),
            published=float(plan.details["living"]["published_at"]),
            max_age=None if asked is None else float(asked),
            fails_after=self._schedule.fails_after(key),
        )
        with self._places.writing() as db:
            first = ledger.one(db, "key = ?", key)
            if first is not None:
                return self._told(first)
            joined, starts = self._start(db, place)
            place = evolve(place, joined=joined, starts=starts)
            place = evolve(place, number=ledger.add(db, place))
        return self._told(place)

    def find(self, key: str, since: float) -> ProviderJob | None:  # noqa: ARG002 - it knows keys
        """The job sent under a key, or None."""
        place = self._places.of_key(key)
        return None if place is None else self._told(place)

    def look(self, provider_id: str) -> ProviderJob:
        """How a job stands.

        Raises:
            RefusedByProviderError: It has no such job.
        """
        return self._told(self._place(provider_id))

    def fetch(self, provider_id: str, work: Work, plan: Plan) -> Execution:
        """The outcomes of a job: of one that failed midway, those of the programs that were done.

        Raises:
            TransientProviderError: They are still being simulated.
            RefusedByProviderError: It has no such job.
        """
        place = self._place(provider_id)
        done = self._programs_done(place)
        work = Work(work.kind, work.pubs[:done], work.options)
        plan = self._driver.plan_at(work, place.published)
        options = {name: value for name, value in work.options.items() if name != MAX_AGE}
        truth = self._driver.under_truth(plan, place.starts)
        task = Task(
            f"life-{provider_id}", self._driver.info.name, Work(work.kind, work.pubs, options), truth, SIMULATION_S
        )
        with self._lock:
            simulation = self._simulations.get(provider_id)
            is_new = simulation is None
            simulation = self._simulations.setdefault(provider_id, _Simulation())
        if is_new:
            try:
                self._executor.start(task, simulation.done)
            except BaseException:
                with self._lock:
                    self._simulations.pop(provider_id, None)  # else all who ask again would wait for nothing
                raise
        if not simulation.ready.wait(ANSWER_S):
            raise TransientProviderError("The outcomes are still being simulated.")
        with self._lock:
            self._simulations.pop(provider_id, None)
        return self._execution(place, simulation.report)

    def cancel(self, provider_id: str) -> None:
        """Stop a job; those of ours behind it move up."""
        with self._places.writing() as db:
            place = ledger.one(db, "number = ?", self._number(provider_id))
            now = self._clock.now()
            if place is None or self._name(place) != provider_id:
                return
            if place.cancelled is not None or now >= place.ends:
                return
            ledger.change(db, place.number, cancelled=now)
            before: list[Place] = []
            behind: list[Place] = []
            for each in ledger.queue_at(db, place, now):
                (behind if (each.joined, each.number) >= (place.joined, place.number) else before).append(each)
            visits = [
                evolve(each.visit, moves_from=now) if each.cancelled is None and each.starts > now else each.visit
                for each in behind
            ]
            starts = self._schedule.starts(visits, _state(before, place.joined))
            for each, start in zip(behind, starts, strict=True):
                if start is not None and start < each.starts:
                    ledger.change(db, each.number, starts=start)

    def close(self) -> None:
        """It holds nothing; simulations are the executor's."""

    def expected_wait(self) -> float:
        """Seconds that a short job would wait which came now, behind others and ours."""
        now = self._clock.now()
        places = self._places.queue(now)
        later = [each.visit for each in places if each.joined > now]
        return self._schedule.queue_wait(now, later, _state([each for each in places if each.joined <= now], now))

    def starts_at(self, key: str) -> float | None:
        """When the job sent under a key starts, as things stand, or did start; None: it has none such."""
        place = self._places.of_key(key)
        return None if place is None else place.starts

    def _start(self, db: sqlite3.Connection, place: Place) -> tuple[float, float]:
        """When a new job joins the queue and starts: behind the next calibration if it needs a younger one than now.

        Raises:
            RefusedByProviderError: It never fits between two calibrations, or soon enough after one.
        """
        places, joined = ledger.queue(db, place.came), place.came
        for _ in range(MOST_CALIBRATIONS):
            later = [each.visit for each in places if each.joined > joined]
            state = _state([each for each in places if each.joined <= joined], joined)
            starts = self._schedule.starts([*later, Visit(joined, place.ends - place.starts)], state)[-1]
            if starts is None:
                break
            if place.max_age is None or self._age(starts) <= place.max_age:
                return joined, starts
            joined = self._schedule.next_calibration(starts)
        raise _no_room(self._driver.info.name, place)

    def _age(self, at: float) -> float:
        return at - self._driver.calibration(at).taken_at

    def _told(self, place: Place) -> ProviderJob:
        name, now = self._name(place), self._clock.now()
        job = ProviderJob(id=name, key=place.key, state=ProviderJobState.QUEUED)
        if place.cancelled is not None:
            ran = max(0.0, place.cancelled - place.starts)
            began = place.starts if ran else None
            return replace(job, state=ProviderJobState.CANCELLED, seconds=ran, started_at=began)
        if now < place.starts:
            return job
        job = replace(job, started_at=place.starts)
        if now < place.ends:
            return replace(job, state=ProviderJobState.RUNNING)
        ran = place.ends - place.starts
        if place.fails_after is None:
            return replace(job, state=ProviderJobState.SUCCEEDED, seconds=ran)
        done = self._programs_done(place)
        return replace(
            job, state=ProviderJobState.FAILED, seconds=ran, finished=done, error=_failed_midway(place, name, done)
        )

    def _programs_done(self, place: Place) -> int:
        return place.programs if place.fails_after is None else int(place.fails_after * place.programs)

    def _execution(self, place: Place, report: Report | None) -> Execution:
        if report is None or report.error is not None or report.execution is None:
            error = ExecutionError("It told nothing.") if report is None or report.error is None else report.error
            kind = TransientProviderError if error.code in STOPPED else RefusedByProviderError
            raise kind(
                "The simulation of the job ended without outcomes.",
                code=error.code,
                cause=error.message,
                next_step=error.next_step,
                details=error.details,
            )
        truth = report.execution.calibration
        told: dict[str, Any] = {
            "profile": self._driver.living.life.name,
            "seed": self._driver.living.seed,
            "compiled_under": self._driver.calibration(place.published).digest,
            "true_calibration": None if truth is None else truth.digest,
        }
        provenance = {**report.execution.provenance, "executed_at": place.starts, "life": told}
        return replace(report.execution, provenance=provenance, calibration=self._driver.calibration(place.starts))

    def _place(self, provider_id: str) -> Place:
        place = self._places.numbered(self._number(provider_id))
        if place is None or self._name(place) != provider_id:
            raise RefusedByProviderError(f"{self._driver.info.name} has no job {provider_id}.")
        return place

    def _name(self, place: Place) -> str:
        # Numbers begin anew where the file was deleted, and must not stand for other jobs then.
        return f"{self._driver.info.name}-{place.number}-{hashlib.sha256(place.key.encode()).hexdigest()[:8]}"

    def _number(self, provider_id: str) -> int:
        found = _NUMBER.search(provider_id)
        return -1 if found is None else int(found[1])


class _Simulation:
    """One that runs, and its report."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.report: Report | None = None

    def done(self, report: Report) -> None:
        """Take the report."""
        self.report = report
        self.ready.set()


def _state(before: Sequence[Place], at: float) -> Backlog:
    """Where the queue stands after the jobs before; as if no others had waited before the midnight before `at`."""
    joined = max((each.joined for each in before), default=0.0)
    ends = max((each.visit.ends for each in before), default=0.0)
    return Backlog(max(joined, counted_from(at)), ends)


def _no_room(name: str, place: Place) -> RefusedByProviderError:
    young = "" if place.max_age is None else f" soon enough for a calibration of at most {span(place.max_age)}"
    return RefusedByProviderError(
        f"{name} has no room for a job of {span(place.seconds)} between two calibrations{young}.",
        code="job-too-long",
        next_step="Split it into several jobs." if not young else f"Split it, or allow more with {MAX_AGE}.",
        details={"seconds": place.seconds},
    )


def _failed_midway(place: Place, name: str, done: int) -> ExecutionError:
    part = place.fails_after or 0.0
    return ExecutionError(
        f"The device failed {part:.0%} through the job.",
        code="device-failed",
        next_step="Submit it again; of a batch, job.result(partial=True) gives the programs that were done.",
        details={"provider_id": name, "part": part, "programs_done": done, "programs": place.programs},
    )
