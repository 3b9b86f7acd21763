from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future

import pytest

os.environ["QDK_PYTHON_TELEMETRY"] = "none"  # before qdk is imported anywhere
for name in list(os.environ):
    if (name.startswith(("AZURE_", "ANTIPHON_")) and name != "ANTIPHON_COMMAND") or name.lower().endswith("_proxy"):
        del os.environ[name]

from azure.quantum import Workspace  # noqa: E402

from microsofts_samples import Run, start  # noqa: E402
from server_under_test import Server, Tenant, start_server  # noqa: E402


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = start_server(tmp_path_factory.mktemp("server"))
    yield found
    found.stop()
    assert found.process.returncode == 0
    assert found.errors() == []


@pytest.fixture(scope="session")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """A server that takes nothing from its queue: jobs wait until they are cancelled."""
    found = start_server(
        tmp_path_factory.mktemp("held"), "--workers", "0", "--inline-seconds", "0", "--drain-seconds", "0"
    )
    yield found.default
    found.stop()
    assert found.errors() == []


@pytest.fixture(scope="session")
def runs(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], Future[Run]]:
    """How Microsoft's samples go, by sample and mode."""
    return start(server, tmp_path_factory.mktemp("samples"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The samples are looked at last: most of their time is Microsoft's clients sleeping, while other tests run."""
    items.sort(key=lambda item: item.path.name == "test_samples.py")


@pytest.fixture(scope="session", autouse=True)
def samples_under_way(request: pytest.FixtureRequest) -> None:
    """For the same reason they start first."""
    if any(item.path.name == "test_samples.py" for item in request.session.items):
        request.getfixturevalue("runs")


@pytest.fixture
def tenant(server: Server) -> Tenant:
    """The workspace of the first key."""
    return server.default


@pytest.fixture
def workspace(tenant: Tenant) -> Workspace:
    """Microsoft's own client, connected in mode A."""
    return tenant.connect()
