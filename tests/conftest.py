from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.adapters.store import opening, schema
from new_stores import NEW_STORES
from real_postgres import RealPostgres

# The genuine Azure Quantum clients run in an environment of their own: `make test` starts a second pytest for them.
# The OpenID provider and the Vault are no tests at all.
collect_ignore = ["wire", "oidc", "vault"]

TESTS = Path(__file__).parent


@pytest.fixture(scope="session", autouse=True)
def compiled_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled circuits are kept in a folder of the test run, and not in that of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTIPHON_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def copied_stores() -> Iterator[None]:
    """New stores of this process are copies; what is about making one asks for `migrated`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "bring_up_to_date", NEW_STORES.bring_up_to_date)
        yield


@pytest.fixture
def migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    """New stores are made by the migrations themselves."""
    monkeypatch.setattr(opening, "bring_up_to_date", schema.bring_up_to_date)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What tests share as a fixture of their module is made once: they run in the same worker."""
    for item in items:
        if isinstance(item, pytest.Function) and not item.get_closest_marker("xdist_group") and _shares(item):
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(TESTS).as_posix()))


def _shares(item: pytest.Function) -> bool:
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    return any(fixture.scope == "module" for found in fixtures for fixture in found[-1:])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[RealPostgres]:
    try:
        server = RealPostgres()
    except Exception as error:  # noqa: BLE001 - whatever it is, the machine has no PostgreSQL to offer
        pytest.skip(f"PostgreSQL cannot start here: {type(error).__name__}: {error}")
    yield server
    server.close()
