from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.composition import build_engine
from antiphon.engine.context import EngineContext


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000.0)  # 2023-11-14T22:13:20Z


@pytest.fixture
def ctx(tmp_path: Path, clock: ManualClock) -> Iterator[EngineContext]:
    running = build_engine(tmp_path, clock=clock, workers=0, dispatch=False)
    yield running.ctx
    running.close()
