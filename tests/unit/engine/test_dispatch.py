from __future__ import annotations

from pathlib import Path

from antiphon.composition import RunningEngine, build_engine


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
