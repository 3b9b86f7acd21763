"""The same tests over both kinds of workspace: embedded in this process, and behind a real server.

`from workspaces import *` in a conftest gives `open_workspace` and `ws`; every test that asks for one of them, or for a
fixture built on them, runs once over each. A test about the inside of an engine is marked `embedded`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from antiphon import JobStatus, Workspace
from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.identity import Role
from antiphon.engine.access.keys import create_key
from antiphon.engine.access.tenants import create_tenant
from real_server import RealServer, real_server

__all__ = ["open_workspace", "pytest_generate_tests", "shared_server", "ws"]

Open = Callable[..., Workspace]


@dataclass
class SharedServer:
    """One server for all tests of a test process, and the store behind it."""

    server: RealServer
    engine: RunningEngine
    numbers: Iterator[int] = field(default_factory=count)

    def new_key(self, role: Role = Role.ADMIN) -> str:
        """A key of a workspace that nobody else has."""
        name = f"tenant-{next(self.numbers)}"
        create_tenant(self.engine.ctx, name, by="tests")
        return create_key(self.engine.ctx, workspace=name, name="tester", role=role, by="tests")[1]


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    home = tmp_path_factory.mktemp("server")
    with real_server(home) as server:
        engine = build_engine(home, dispatch=False)
        yield SharedServer(server, engine)
        engine.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test of a workspace runs over both kinds, unless it is marked `embedded`."""
    if "open_workspace" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("embedded") is not None
        metafunc.parametrize("open_workspace", ["embedded"] if only else ["embedded", "remote"], indirect=True)


@pytest.fixture
def open_workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens workspaces on one folder, or on one tenant of the server, and closes them all at the end."""
    if request.param == "embedded":
        yield from _embedded(tmp_path / "lab")
    else:
        yield from _remote(request.getfixturevalue("shared_server"))


@pytest.fixture
def ws(open_workspace: Open) -> Workspace:
    return open_workspace()


def _embedded(home: Path) -> Iterator[Open]:
    opened: list[Workspace] = []

    def open_one(where: Path | str | None = None, **settings: Any) -> Workspace:
        workspace = Workspace(home if where is None else where, workers=1, **settings)
        opened.append(workspace)
        return workspace

    yield open_one
    for workspace in reversed(opened):
        workspace.close()


def _remote(shared: SharedServer) -> Iterator[Open]:
    key = shared.new_key()
    opened: list[Workspace] = []

    def open_one() -> Workspace:
        workspace = Workspace(shared.server.url, api_key=key)
        opened.append(workspace)
        return workspace

    yield open_one
    for workspace in opened:
        workspace.close()
    # The next test has the same server: nothing of this one may hold its worker.
    with Workspace(shared.server.url, api_key=key) as left:
        for status in (JobStatus.WAITING, JobStatus.EXECUTING):
            for job in left.jobs(status=status):
                job.cancel().wait(30)
