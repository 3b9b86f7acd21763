from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.work import JobKind
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.submit import submit
from antiphon.frontends.recognise import to_program
from programs import BELL


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
