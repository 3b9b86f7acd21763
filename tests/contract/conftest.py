from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from antiphon.adapters.store import open_store
from antiphon.ports.job_store import JobStore
from real_postgres import RealPostgres
from workspaces import open_workspace, pytest_generate_tests, shared_server, ws

__all__ = ["open_workspace", "pytest_generate_tests", "shared_server", "ws"]


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store with the newest schema and no rows."""
    if request.param == "sqlite":
        path = tmp_path / "antiphon.db"
        open_store(path).close()
        return f"sqlite:///{path}"
    server: RealPostgres = request.getfixturevalue("postgres_server")
    return server.database()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place where no store is yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'folder' / 'antiphon.db'}"
    server: RealPostgres = request.getfixturevalue("postgres_server")
    return server.empty_database()


@pytest.fixture
def open_another(store_url: str) -> Iterator[Callable[[], JobStore]]:
    """Opens one more store on the same database, as another process would."""
    stores: list[JobStore] = []

    def open_one() -> JobStore:
        stores.append(open_store(store_url))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def store(open_another: Callable[[], JobStore]) -> JobStore:
    return open_another()
