from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from antiphon.adapters.clocks import ManualClock
from antiphon.adapters.executors.failures import task_interrupted
from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.jobs import JobStatus
from antiphon.domain.work import JobKind
from antiphon.engine.dispatch import PAUSE_S, Dispatcher
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.submit import submit
from antiphon.frontends.recognise import to_program
from antiphon.ports.executor import Report, Task
from programs import BELL
from queue_desk import queue_desk


def test_a_job_that_was_just_claimed_is_worked_on(tmp_path: Path) -> None:
    """The end of a drain must not fall between the claim's commit and the start of the job."""
    engine = build_engine(tmp_path, workers=0)
    try:
        found = [_is_idle(engine)]
        engine.ctx.held.add("job-1/1")
        found.append(_is_idle(engine))
        engine.ctx.held.discard("job-1/1")
        found.append(_is_idle(engine))
        assert found == [True, False, True]
    finally:
        engine.close()


def _is_idle(engine: RunningEngine) -> bool:
    assert engine.dispatcher is not None
    return engine.dispatcher.is_idle


def test_an_engine_that_drains_leaves_its_queues_to_others_at_once(tmp_path: Path) -> None:
    engine = build_engine(tmp_path, workers=1)
    try:
        set_queue_policy(engine.ctx, target="sim.auto", slots=1, by="op")
        assert engine.dispatcher is not None
        submit(
            engine.ctx,
            SubmitRequest(
                workspace="default",
                who="ann",
                kind=JobKind.SAMPLE,
                target="sim.auto",
                pubs=(PubRequest(to_program(BELL), shots=10),),
            ),
        )
        _eventually(lambda: _owner(engine) == engine.ctx.engine_id)
        engine.dispatcher.take_no_more()
        _eventually(lambda: _owner(engine) is None)
    finally:
        engine.close()


def _owner(engine: RunningEngine) -> str | None:
    with engine.ctx.store.read() as tx:
        return tx.queue_state("sim.auto").owner


def _eventually(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not check():
        assert time.monotonic() < deadline, "it did not come about within 30 s"
        time.sleep(0.005)


class LostCluster:
    """Where a cluster was: every task comes back at once, and no program is to blame."""

    name, capacity, memory_bytes, takes_ahead = "ray", 4, None, False

    def __init__(self) -> None:
        self.started = 0

    def start(self, task: Task, done: Callable[[Report], None]) -> None:  # noqa: ARG002 - the port's signature
        self.started += 1
        done(Report(None, task_interrupted(ConnectionError("it is gone")), 0.0))

    def cancel(self, task_id: str) -> None:
        """Nothing runs here."""

    def close(self) -> None:
        """It holds nothing."""


def test_jobs_are_not_handed_to_workers_that_are_gone_as_fast_as_they_come_back(
    tmp_path: Path, clock: ManualClock
) -> None:
    with queue_desk(tmp_path, clock) as desk:
        cluster = LostCluster()
        desk.ctx.executors = {**desk.ctx.executors, "process": cluster}
        job = desk.submit()
        dispatcher = Dispatcher(desk.ctx)
        for turns in range(1, 4):
            for _ in range(20):
                dispatcher.turn()
            assert cluster.started == turns
            clock.advance(PAUSE_S)
        assert desk.job(job).status is JobStatus.WAITING
        assert desk.log(job).count("claimed") == 3
