from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.adapters.clocks import ManualClock
from queue_desk import Desk, queue_desk


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock) -> Iterator[Desk]:
    with queue_desk(tmp_path, clock) as found:
        yield found


@pytest.fixture
def other(tmp_path: Path, clock: ManualClock, desk: Desk) -> Iterator[Desk]:
    """Another engine on the same store."""
    with queue_desk(tmp_path, clock) as found:
        yield found
