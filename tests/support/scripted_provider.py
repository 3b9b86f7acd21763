"""A provider in this process that does what a test tells it, and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from antiphon.adapters.targets.sim import build_drivers
from antiphon.domain.results import Execution, Sampled
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import Plan, Work
from antiphon.ports.provider import (
    ProviderJob,
    ProviderJobState,
    RefusedByProviderError,
    TargetPlugin,
    TransientProviderError,
)

TARGET = "scripted.qpu"


class PlanningDriver:
    """Plans as the simulator does, and runs nothing."""

    def __init__(self, slots: int | None) -> None:
        self._sim = build_drivers()["sim.auto"]
        self.info: TargetInfo = replace(self._sim.info, name=TARGET, provider="scripted", kind="qpu", slots=slots)

    def plan(self, work: Work) -> Plan:
        return self._sim.plan(work)

    def execute(self, work: Work, plan: Plan) -> Execution:  # noqa: ARG002 - the port's signature
        raise AssertionError("a job of a provider ran in this process")


@dataclass
class ScriptedProvider:
    """Implements `ports.provider.Provider`.

    Attributes:
        faults: Raised by the next sendings, in this order; None for one that succeeds. A pair is raised after the job
            was taken.
        answers: Given by the next calls of `send` instead of the truth.
        reachable: False: no question is answered.
        knows_keys: False: neither by key nor by listing.
        sent: The keys of all sendings that were tried.
        jobs: What was taken, by id.
        asked_to_stop: Ids.
        fetched: What the next calls of `fetch` return or raise, in this order.
        during: Called in each `send`, before anything else.
    """

    poll_seconds: float = 0.2
    settle_seconds: float = 10.0
    faults: list[Exception | tuple[Exception] | None] = field(default_factory=list)
    answers: list[ProviderJob] = field(default_factory=list)
    reachable: bool = True
    knows_keys: bool = True
    sent: list[str] = field(default_factory=list)
    jobs: dict[str, ProviderJob] = field(default_factory=dict)
    fetched: list[Execution | Exception] = field(default_factory=list)
    asked_to_stop: list[str] = field(default_factory=list)
    looks: int = 0
    during: Callable[[], None] | None = None
    programs: int = 1

    def send(self, key: str, work: Work, plan: Plan) -> ProviderJob:  # noqa: ARG002 - the port's signature
        self.sent.append(key)
        if self.during is not None:
            self.during()
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        self.programs = len(work.pubs)
        job = ProviderJob(id=f"p{len(self.jobs) + 1}", key=key, state=ProviderJobState.QUEUED)
        self.jobs[job.id] = job
        if fault is not None:
            raise fault[0]
        return self.answers.pop(0) if self.answers else job

    def find(self, key: str, since: float) -> ProviderJob | None:  # noqa: ARG002 - the port's signature
        self._check()
        if not self.knows_keys:
            raise NotImplementedError
        return next((job for job in self.jobs.values() if job.key == key), None)

    def look(self, provider_id: str) -> ProviderJob:
        self.looks += 1
        self._check()
        if provider_id not in self.jobs:
            raise RefusedByProviderError("There is no such job.")
        return self.jobs[provider_id]

    def fetch(self, provider_id: str, work: Work, plan: Plan) -> Execution:  # noqa: ARG002 - the port's signature
        if not self.fetched:
            raise RefusedByProviderError("Its looks tell the outcomes, and this job has none.")
        answer = self.fetched.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self, provider_id: str) -> None:
        self._check()
        self.asked_to_stop.append(provider_id)

    def close(self) -> None:
        """It holds nothing."""

    def _check(self) -> None:
        if not self.reachable:
            raise TransientProviderError("Nobody answers.")

    def end(
        self, provider_id: str = "p1", state: ProviderJobState = ProviderJobState.SUCCEEDED, **facts: object
    ) -> None:
        """Let a job end at the provider."""
        if state is ProviderJobState.SUCCEEDED:
            outcome = Sampled((), ({"00": 6, "11": 4},), 10)
            facts.setdefault("execution", Execution((outcome,) * self.programs, {"engine": "scripted"}))
        self.jobs[provider_id] = replace(self.jobs[provider_id], state=state, **facts)  # type: ignore[arg-type]

    def plugin(self, slots: int | None = None) -> TargetPlugin:
        """The target that this provider runs."""
        return TargetPlugin({TARGET: PlanningDriver(slots)}, {TARGET: self})
