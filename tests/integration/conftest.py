from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon import Workspace


@pytest.fixture
def open_workspace(tmp_path: Path) -> Iterator[Callable[..., Workspace]]:
    """Opens workspaces on one folder and closes them all at the end."""
    opened: list[Workspace] = []

    def open_one(where: Path | str | None = None, **settings: Any) -> Workspace:
        workspace = Workspace(tmp_path / "lab" if where is None else where, workers=1, **settings)
        opened.append(workspace)
        return workspace

    yield open_one
    for workspace in reversed(opened):
        workspace.close()


@pytest.fixture
def ws(open_workspace: Callable[..., Workspace]) -> Workspace:
    return open_workspace()
