from __future__ import annotations

from collections.abc import Iterator

import pytest

from azure_wire import AzureWire
from served import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("azure"), azure=True, inline_seconds=0.1) as running:
        yield running


@pytest.fixture(scope="module")
def queue_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose jobs wait for ever: nothing is cheap enough to run inline, and there are no workers."""
    with served(tmp_path_factory.mktemp("azure"), azure=True, inline_seconds=0.0, workers=0) as running:
        yield running


def _wire(server: Served, workspace: str) -> Iterator[AzureWire]:
    with server.client(workspace=workspace) as client, AzureWire(client, workspace) as wire:
        yield wire


@pytest.fixture
def wire(server: Served, request: pytest.FixtureRequest) -> Iterator[AzureWire]:
    """A client in a workspace of the test's own, so that its lists hold nothing else."""
    yield from _wire(server, f"ws-{abs(hash(request.node.name)) % 10**9}")


@pytest.fixture
def waiting(queue_only: Served, request: pytest.FixtureRequest) -> Iterator[AzureWire]:
    """The same on the server whose jobs wait."""
    yield from _wire(queue_only, f"ws-{abs(hash(request.node.name)) % 10**9}")
