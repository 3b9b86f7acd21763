"""An engine without a dispatcher whose jobs start and end when a test says so, on a target that is scarce."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from antiphon.adapters.clocks import ManualClock
from antiphon.composition import build_engine
from antiphon.domain.jobs import Job
from antiphon.domain.parameters import NO_PARAMETERS
from antiphon.domain.policies.shares import Use
from antiphon.domain.queues import Priority, QueueState
from antiphon.domain.results import Execution
from antiphon.domain.sessions import Session
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import JobKind, Plan, Pub, Work
from antiphon.engine.claim import claim
from antiphon.engine.context import EngineContext
from antiphon.engine.leases import beat
from antiphon.engine.record import record
from antiphon.engine.requests import OpenSessionRequest, PubRequest, SubmitRequest
from antiphon.engine.sessions import open_new_session
from antiphon.engine.submit import submit
from antiphon.engine.tasks import task_id
from antiphon.errors import ExecutionError
from antiphon.frontends.recognise import to_program
from antiphon.ports.executor import Report
from antiphon.ports.target_driver import TargetDriver
from programs import BELL

QPU = "qpu.test"
WORKSPACE = "default"


class ScarceDriver:
    """A simulator with slots, whose plans take as long as the desk says."""

    def __init__(self, behind: TargetDriver, slots: int | None) -> None:
        self._behind = behind
        self.info: TargetInfo = replace(behind.info, name=QPU, kind="qpu", slots=slots)
        self.planned_s = 1.0

    def plan(self, work: Work) -> Plan:
        return replace(self._behind.plan(work), cost=self.planned_s)

    def execute(self, work: Work, plan: Plan) -> Execution:
        return self._behind.execute(work, plan)


@dataclass
class Desk:
    ctx: EngineContext
    clock: ManualClock
    driver: ScarceDriver
    started: dict[str, Job] = field(default_factory=dict)

    def submit(
        self, who: str = "ann", *, workspace: str = WORKSPACE, high: bool = False, planned_s: float = 1.0, **more: Any
    ) -> str:
        """The id of a new job."""
        self.driver.planned_s = planned_s
        request = SubmitRequest(
            **{
                "workspace": workspace,
                "who": who,
                "kind": JobKind.SAMPLE,
                "target": QPU,
                "pubs": (PubRequest(to_program(BELL), shots=10),),
                "priority": Priority.HIGH if high else Priority.STANDARD,
                **more,
            }
        )
        self.clock.advance(0.001)
        return submit(self.ctx, request).job.id

    def open_session(self, workspace: str = WORKSPACE, **more: Any) -> str:
        given: dict[str, Any] = {"workspace": workspace, "who": "ann", "target": QPU, **more}
        return open_new_session(self.ctx, OpenSessionRequest(**given)).id

    def start(self, room: int = 9) -> list[str]:
        """Take what may start now."""
        taken = claim(self.ctx, room)
        self.started |= {job.id: job for job in taken}
        return [job.id for job in taken]

    def end(self, job_id: str, *, seconds: float = 1.0, after: float = 0.0, fails: bool = False) -> Job:
        """A started job reports its end, `after` seconds from now."""
        self.clock.advance(after)
        job = self.started.pop(job_id)
        if fails:
            report = Report(None, ExecutionError("It broke."), seconds)
        else:
            work = _bell()
            report = Report(self.driver.execute(work, self.driver.plan(work)), None, seconds)
        done = record(self.ctx, job, report).job
        self.ctx.held.discard(task_id(job))
        return done

    def job(self, job_id: str) -> Job:
        with self.ctx.store.read() as tx:
            found = tx.job(job_id)
        assert found is not None
        return found

    def session(self, session_id: str) -> Session:
        with self.ctx.store.read() as tx:
            found = tx.session(session_id)
        assert found is not None
        return found

    def state(self) -> QueueState:
        with self.ctx.store.read() as tx:
            return tx.queue_state(QPU)

    def used(self, user: str = "", workspace: str = WORKSPACE, target: str = QPU) -> Use:
        with self.ctx.store.read() as tx:
            return tx.share(target, workspace, user)

    def log(self, subject: str) -> list[str]:
        """What happened to a job or session, in words."""
        with self.ctx.store.read() as tx:
            return [event.event for event in tx.events(subject)]


@contextmanager
def queue_desk(home: Path, clock: ManualClock, *, slots: int | None = 1, database: str | None = None) -> Iterator[Desk]:
    """Several may be open on one store."""
    engine = build_engine(home, clock=clock, workers=0, dispatch=False, database=database)
    driver = ScarceDriver(engine.ctx.drivers["sim.auto"], slots)
    engine.ctx.drivers = {**engine.ctx.drivers, QPU: driver}
    beat(engine.ctx)
    engine.ctx.beating = True
    yield Desk(engine.ctx, clock, driver)
    engine.close()


def _bell() -> Work:
    return Work(JobKind.SAMPLE, (Pub(to_program(BELL), NO_PARAMETERS, 10, 1),))
