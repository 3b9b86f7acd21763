from __future__ import annotations

from collections.abc import Iterator

import pytest

from real_postgres import RealPostgres

# The genuine Azure Quantum clients run in an environment of their own: `make test` starts a second pytest for them.
# The OpenID provider and the Vault are no tests at all.
collect_ignore = ["wire", "oidc", "vault"]


@pytest.fixture(scope="session", autouse=True)
def compiled_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled circuits are kept in a folder of the test run, and not in that of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTIPHON_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[RealPostgres]:
    try:
        server = RealPostgres()
    except Exception as error:  # noqa: BLE001 - whatever it is, the machine has no PostgreSQL to offer
        pytest.skip(f"PostgreSQL cannot start here: {type(error).__name__}: {error}")
    yield server
    server.close()
