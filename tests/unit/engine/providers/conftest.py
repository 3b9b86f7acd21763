from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.adapters.clocks import ManualClock
from provider_jobs import Desk, desk
from scripted_provider import ScriptedProvider


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider()


@pytest.fixture
def here(tmp_path: Path, provider: ScriptedProvider) -> Iterator[Desk]:
    with desk(tmp_path, provider, ManualClock()) as found:
        yield found


@pytest.fixture
def there(tmp_path: Path, provider: ScriptedProvider, here: Desk) -> Iterator[Desk]:
    """Another engine on the same store."""
    with desk(tmp_path, provider, here.clock) as found:
        yield found
