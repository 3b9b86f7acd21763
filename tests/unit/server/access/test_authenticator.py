from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.identity import Role
from antiphon.engine.access.keys import create_key, revoke_key
from antiphon.engine.access.tenants import create_tenant
from antiphon.errors import AuthenticationError, RateLimitedError, StoreError
from antiphon.ports.access_store import AuditQuery
from antiphon.server.access import authenticator as module
from antiphon.server.access.authenticator import Authenticator, credential_of
from antiphon.server.telemetry.metrics import Metrics


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[RunningEngine]:
    running = build_engine(tmp_path, dispatch=False)
    yield running
    running.close()


class Calls:
    """Runs the authenticator's blocking work in threads, and counts it."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def __call__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.names.append(function.__name__)
        return await asyncio.to_thread(function, *args, **kwargs)


def request(credential: str = "", address: str = "192.0.2.1", **headers: str) -> Request:
    named = {"authorization": f"Bearer {credential}", **headers} if credential else headers
    encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": encoded, "client": (address, 1)})


def scenario(engine: RunningEngine, run: Callable[[Authenticator, Calls], Coroutine[Any, Any, None]]) -> Metrics:
    calls, metrics = Calls(), Metrics()

    async def whole() -> None:
        found = Authenticator(engine.ctx, calls, metrics)
        try:
            await run(found, calls)
        finally:
            await found.close()

    asyncio.run(whole())
    return metrics


def make(engine: RunningEngine, name: str = "k", **more: Any) -> tuple[str, str]:
    key, text = create_key(engine.ctx, workspace="default", name=name, role=Role.SUBMITTER, by="tests", **more)
    return key.id, text


def test_a_key_is_looked_up_once_and_its_use_written_once(engine: RunningEngine) -> None:
    key_id, text = make(engine)

    async def run(found: Authenticator, calls: Calls) -> None:
        for _ in range(20):
            principal = await found.authenticate(request(text))
            assert (principal.workspace, principal.name, principal.via) == ("default", "k", f"key:{key_id}")
        assert calls.names.count("find_key") == 1
        await found.close()
        assert calls.names.count("touch_keys") == 1

    scenario(engine, run)
    with engine.ctx.store.read() as tx:
        key = tx.key(key_id)
    assert key is not None
    assert key.last_used_at is not None


def test_a_revoked_key_opens_nothing_at_once_here(engine: RunningEngine) -> None:
    key_id, text = make(engine)

    async def run(found: Authenticator, calls: Calls) -> None:
        await found.authenticate(request(text))
        revoke_key(engine.ctx, workspace="default", key_id=key_id, by="tests")
        found.forget_key(key_id)
        with pytest.raises(AuthenticationError) as refused:
            await found.authenticate(request(text))
        assert refused.value.code == "key-revoked"

    scenario(engine, run)


def test_a_use_that_is_being_written_does_not_undo_a_revocation(engine: RunningEngine) -> None:
    key_id, text = make(engine)

    async def run(found: Authenticator, calls: Calls) -> None:
        await found.authenticate(request(text))
        revoke_key(engine.ctx, workspace="default", key_id=key_id, by="tests")
        await found.close()

    scenario(engine, run)
    with engine.ctx.store.read() as tx:
        key = tx.key(key_id)
    assert key is not None
    assert key.revoked_at is not None


def test_a_key_that_expires_while_it_is_remembered(engine: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = make(engine, expires_in=100)
    now = engine.ctx.clock.now()

    async def run(found: Authenticator, calls: Calls) -> None:
        await found.authenticate(request(text))
        monkeypatch.setattr(type(engine.ctx.clock), "now", lambda _: now + 101)
        with pytest.raises(AuthenticationError) as refused:
            await found.authenticate(request(text))
        assert refused.value.code == "key-expired"
        assert calls.names.count("find_key") == 1

    scenario(engine, run)


@pytest.mark.parametrize(
    ("credential", "code"),
    [
        ("", "credential-missing"),
        ("ant_x", "key-malformed"),
        ("a.b.c", "key-malformed"),
        ("x" * 20_000, "credential-missing"),
    ],
)
def test_what_opens_nothing(engine: RunningEngine, credential: str, code: str) -> None:
    async def run(found: Authenticator, calls: Calls) -> None:
        with pytest.raises(AuthenticationError) as refused:
            await found.authenticate(request(credential))
        assert refused.value.code == code
        assert calls.names.count("find_key") <= 1

    scenario(engine, run)


def test_refusals_are_audited_and_counted_without_the_key(engine: RunningEngine) -> None:
    _, text = make(engine)
    wrong = text[:40] + ("b" if text[40] == "a" else "a") + text[41:]

    async def run(found: Authenticator, calls: Calls) -> None:
        with pytest.raises(AuthenticationError):
            await found.authenticate(request(wrong))

    metrics = scenario(engine, run)
    with engine.ctx.store.read() as tx:
        [line] = tx.audit(AuditQuery("default", action="auth.refused"))
    assert (line.where, line.outcome) == ("192.0.2.1", "key-malformed")
    assert wrong not in repr(line)
    assert b'antiphon_auth_refusals_total{code="key-malformed"} 1.0' in metrics.render()[0]


def test_an_address_that_goes_on_failing_is_slowed_and_a_good_key_is_not(engine: RunningEngine) -> None:
    _, text = make(engine)

    async def run(found: Authenticator, calls: Calls) -> None:
        for _ in range(30):
            with pytest.raises(AuthenticationError):
                await found.authenticate(request("ant_wrong"))
        with pytest.raises(RateLimitedError) as refused:
            await found.authenticate(request("ant_wrong"))
        assert refused.value.code == "auth-rate-limited"
        assert refused.value.details["retry_after_s"] > 0
        await found.authenticate(request(text))
        with pytest.raises(AuthenticationError):
            await found.authenticate(request("ant_wrong", "192.0.2.2"))

    scenario(engine, run)
    with engine.ctx.store.read() as tx:
        assert len(tx.audit(AuditQuery("default", action="auth.refused"))) == 31


def test_many_addresses_do_not_fill_the_audit_log(engine: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AUDITED_FAILURES", "5/minute")

    async def run(found: Authenticator, calls: Calls) -> None:
        for number in range(20):
            with pytest.raises(AuthenticationError):
                await found.authenticate(request("ant_wrong", f"192.0.2.{number}"))

    scenario(engine, run)
    with engine.ctx.store.read() as tx:
        assert len(tx.audit(AuditQuery("default", action="auth.refused"))) == 5


def test_a_store_that_cannot_be_written_refuses_nobody(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, text = make(engine)

    def touch_keys(*_: object) -> None:
        raise StoreError("The store is full.")

    monkeypatch.setattr(module, "touch_keys", touch_keys)

    async def run(found: Authenticator, calls: Calls) -> None:
        await found.authenticate(request(text))

    scenario(engine, run)
    assert "could not be recorded" in caplog.text
    assert text not in caplog.text


def test_where_a_credential_may_be() -> None:
    assert credential_of(request("ant_1")) == "ant_1"
    assert credential_of(request(authorization="bearer  ant_1 ")) == "ant_1"
    assert credential_of(request(x_api_key="ant_2")) == "ant_2"
    assert credential_of(request(x_ms_quantum_api_key="ant_3")) == "ant_3"
    assert credential_of(request(authorization="Basic YTpi")) == ""
    assert credential_of(request(authorization="Basic YTpi", x_api_key="ant_2")) == "ant_2"
    assert credential_of(request()) == ""


def test_a_key_that_was_refused_is_told_in_the_log_of_its_own_workspace(engine: RunningEngine) -> None:
    create_tenant(engine.ctx, "team", by="tests")
    key, text = create_key(engine.ctx, workspace="team", name="k", role=Role.VIEWER, by="tests")
    revoke_key(engine.ctx, workspace="team", key_id=key.id, by="tests")

    async def run(found: Authenticator, calls: Calls) -> None:
        with pytest.raises(AuthenticationError):
            await found.authenticate(request(text))

    scenario(engine, run)
    with engine.ctx.store.read() as tx:
        own, others = (tx.audit(AuditQuery(workspace=name, action="auth.refused")) for name in ("team", "default"))
    assert [(line.subject, line.outcome) for line in own] == [(key.id, "key-revoked")]
    assert others == []
