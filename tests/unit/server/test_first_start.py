from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.identity import Role
from antiphon.engine.access.keys import create_key, find_key, revoke_key
from antiphon.engine.access.tenants import create_tenant
from antiphon.errors import PermissionDeniedError, StoreError
from antiphon.server.first_start import check_safe, check_secret, first_key, has_live_key, is_loopback
from antiphon.server.secrets import given_secret
from antiphon.server.settings import OidcIssuer, ServerSettings


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[RunningEngine]:
    running = build_engine(tmp_path, dispatch=False)
    yield running
    running.close()


def test_the_first_key_is_an_admins_and_made_once(engine: RunningEngine) -> None:
    made = first_key(engine.ctx)
    assert made is not None
    key, text = made
    assert (key.workspace, key.name, key.role) == ("default", "first", Role.ADMIN)
    assert find_key(engine.ctx, text, engine.ctx.clock.now()) == key
    assert first_key(engine.ctx) is None


def test_a_live_key_of_any_workspace(engine: RunningEngine) -> None:
    ctx = engine.ctx
    assert not has_live_key(ctx)
    create_tenant(ctx, "chemistry", by="tests")
    key, _ = create_key(ctx, workspace="chemistry", name="k", role=Role.VIEWER, by="tests")
    assert has_live_key(ctx)
    revoke_key(ctx, workspace="chemistry", key_id=key.id, by="tests")
    assert not has_live_key(ctx)
    create_key(ctx, workspace="default", name="k", role=Role.VIEWER, by="tests", expires_in=1e-6)
    assert not has_live_key(ctx)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "2001:db8::1"])
def test_beyond_loopback_somebody_must_be_able_to_sign_in(engine: RunningEngine, host: str) -> None:
    with pytest.raises(PermissionDeniedError) as refused:
        check_safe(ServerSettings(host=host), engine.ctx)
    assert refused.value.code == "authentication-missing"
    check_safe(ServerSettings(host=host, oidc=[OidcIssuer(issuer="https://i", audience="a")]), engine.ctx)
    check_safe(ServerSettings(host="127.0.0.1"), engine.ctx)
    first_key(engine.ctx)
    check_safe(ServerSettings(host=host), engine.ctx)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.1", False),
        ("no-such-host.invalid", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    "secret", ["", "changeme", "CHANGE-ME-PLEASE", "0123456789abcdef", "fifteen-bytes-x", "abababababababababab"]
)
def test_secrets_that_are_none(secret: str) -> None:
    with pytest.raises(PermissionDeniedError) as refused:
        check_secret(secret)
    assert refused.value.code == "secret-weak"
    assert not secret or secret not in str(refused.value)


def test_secrets_that_are_some() -> None:
    check_secret(None)
    check_secret("kI8_2mQz-7rT5wYxLp0v")


def test_where_the_servers_secret_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from-the-file-17-bytes\n")
    named = {"ANTIPHON_SERVER_SECRET_FILE": str(path)}
    assert given_secret({}) is None
    assert given_secret(named) == "from-the-file-17-bytes"
    assert given_secret({**named, "ANTIPHON_SERVER_SECRET": "from-the-variable"}) == "from-the-variable"
    with pytest.raises(StoreError):
        given_secret({"ANTIPHON_SERVER_SECRET_FILE": str(tmp_path / "none")})
