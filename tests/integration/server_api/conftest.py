from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from served import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Cheap jobs have ended when they are accepted; the others run in a worker. Webhooks may go to loopback."""
    with served(tmp_path_factory.mktemp("served"), inline_seconds=0.1, webhooks_allow_private=True) as running:
        yield running


@pytest.fixture(scope="module")
def api(server: Served) -> Iterator[httpx2.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def idle_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Nothing ever runs: jobs wait until they are cancelled."""
    with served(tmp_path_factory.mktemp("idle"), inline_seconds=0, workers=0) as running:
        yield running


@pytest.fixture(scope="module")
def idle(idle_server: Served) -> Iterator[httpx2.Client]:
    with idle_server.client() as client:
        yield client
