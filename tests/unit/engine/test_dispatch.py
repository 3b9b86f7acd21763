from __future__ import annotations

from pathlib import Path

from antiphon.composition import build_engine


def test_a_job_that_was_just_claimed_is_worked_on(tmp_path: Path) -> None:
    """The end of a drain must not fall between the claim's commit and the start of the job."""
    engine = build_engine(tmp_path, workers=0)
    try:
        assert engine.dispatcher is not None
        assert engine.dispatcher.is_idle
        engine.ctx.held.add("job-1/1")
        assert not engine.dispatcher.is_idle
        engine.ctx.held.discard("job-1/1")
        assert engine.dispatcher.is_idle
    finally:
        engine.close()
