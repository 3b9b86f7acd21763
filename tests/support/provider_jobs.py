"""Jobs of a scripted provider, taken and seen through one step at a time, without any thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from antiphon.adapters.clocks import ManualClock
from antiphon.composition import build_engine
from antiphon.domain.jobs import Job, JobEvent, JobTrigger, advance
from antiphon.domain.submissions import Submission
from antiphon.domain.work import JobKind
from antiphon.engine.context import EngineContext, EngineSettings
from antiphon.engine.leases import beat
from antiphon.engine.providers.followed import Followed
from antiphon.engine.providers.step import step
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.submit import submit
from antiphon.engine.tasks import task_id
from antiphon.frontends.recognise import to_program
from programs import BELL
from scripted_provider import TARGET, ScriptedProvider

WORKSPACE = "default"


class Desk:
    """One engine without a dispatcher, on a clock that is moved by hand."""

    def __init__(self, ctx: EngineContext, clock: ManualClock, provider: ScriptedProvider) -> None:
        self.ctx, self.clock, self.provider = ctx, clock, provider

    def submit(self, programs: int = 1, **what: Any) -> str:
        """The id of a new job."""
        kind = JobKind.SAMPLE if programs == 1 else JobKind.BATCH
        request = SubmitRequest(
            workspace=WORKSPACE,
            who="ada",
            kind=kind,
            target=TARGET,
            pubs=(PubRequest(to_program(BELL), shots=10),) * programs,
            **what,
        )
        return submit(self.ctx, request).job.id

    def take(self, job_id: str) -> Followed:
        """Claim it, as a dispatcher does."""
        beat(self.ctx)
        with self.ctx.store.write() as tx:
            job = tx.job(job_id)
            assert job is not None
            event = JobEvent(
                trigger=JobTrigger.CLAIMED, at=self.clock.now(), who=self.ctx.engine_id, owner=self.ctx.engine_id
            )
            after = advance(job, event)
            tx.save_job(job, after, event)
        self.ctx.held.add(task_id(after))
        return Followed(after, lambda: None, self.provider.poll_seconds)

    def lose(self, job_id: str) -> None:
        """Put it back into the queue, as when its engine died."""
        with self.ctx.store.write() as tx:
            job = tx.job(job_id)
            assert job is not None
            event = JobEvent(trigger=JobTrigger.LEASE_LOST, at=self.clock.now(), who="tests", why="its engine died")
            tx.save_job(job, advance(job, event), event)

    def step(self, followed: Followed) -> float | None:
        """One step; the clock then stands where the next is due."""
        pause = step(self.ctx, followed)
        if pause is not None:
            self.clock.advance(pause)
        return pause

    def see_through(self, followed: Followed, until: Callable[[], bool] = lambda: False, most: int = 100) -> int:
        """Steps until the job is over, or `until` holds; how many."""
        for number in range(most):
            if until():
                return number
            if self.step(followed) is None:
                return number + 1
        raise AssertionError(f"not over after {most} steps")

    def job(self, job_id: str) -> Job:
        with self.ctx.store.read() as tx:
            found = tx.job(job_id)
        assert found is not None
        return found

    def lines(self, job_id: str) -> list[Submission]:
        with self.ctx.store.read() as tx:
            return tx.submissions(job_id)

    def states(self, job_id: str) -> list[str]:
        return [line.state.value for line in self.lines(job_id)]

    def log(self, job_id: str) -> list[str]:
        with self.ctx.store.read() as tx:
            return [event.event for event in tx.events(job_id)]


@contextmanager
def desk(
    home: Path,
    provider: ScriptedProvider,
    clock: ManualClock,
    settings: EngineSettings | None = None,
) -> Iterator[Desk]:
    """An engine for the block; several may be open on one folder."""
    engine = build_engine(home, clock=clock, workers=0, dispatch=False, settings=settings, elsewhere=provider.plugin())
    try:
        yield Desk(engine.ctx, clock, provider)
    finally:
        engine.ctx.held.clear()
        engine.close()
