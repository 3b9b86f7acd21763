from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.identity import ApiKey, Principal, Role, Scope
from antiphon.engine.access.keys import (
    check_live,
    create_key,
    find_key,
    get_key,
    list_keys,
    parse_key,
    principal_of,
    revoke_key,
    touch_keys,
)
from antiphon.engine.access.tenants import create_tenant
from antiphon.engine.context import EngineContext
from antiphon.errors import AuthenticationError, LimitError, NotFoundError, PermissionDeniedError
from antiphon.ports.access_store import AuditQuery

NOW = 1_700_000_000.0


def make(ctx: EngineContext, name: str = "ada", role: Role = Role.SUBMITTER, **more: object) -> tuple[ApiKey, str]:
    return create_key(ctx, **{"workspace": "default", "name": name, "role": role, "by": "root", **more})  # type: ignore[arg-type]


def someone(role: Role, *, scopes: frozenset[Scope] | None = None, workspace: str = "default") -> Principal:
    return Principal(workspace, "eve", role, role.scopes if scopes is None else scopes, "key:key_1")


def refusal(ctx: EngineContext, text: str, now: float = NOW) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        find_key(ctx, text, now)
    return caught.value


def last_letter_changed(text: str) -> str:
    return text[:-1] + ("b" if text[-1] == "a" else "a")


def with_checksum(head: str) -> str:
    """The text that a stranger who knows the format would send."""
    import base64
    import zlib

    return head + base64.b32encode(zlib.crc32(head.encode()).to_bytes(4, "big")).decode().lower()[:6]


def test_a_key_is_found_by_its_text(ctx: EngineContext) -> None:
    key, text = make(ctx)
    assert re.fullmatch(r"ant_[0-9a-z]{26}_[a-z2-7]{58}", text)
    assert find_key(ctx, text, NOW) == key
    assert principal_of(key) == Principal("default", "ada", Role.SUBMITTER, Role.SUBMITTER.scopes, f"key:{key.id}")


def test_the_secret_is_nowhere_in_the_folder(ctx: EngineContext, tmp_path: Path) -> None:
    key, text = make(ctx)
    secret = text.split("_")[2][:-6]
    assert key.secret_hash == hashlib.sha256(secret.encode()).hexdigest()
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert key.secret_hash.encode() in stored
    assert secret.encode() not in stored
    assert secret not in repr(key)


def test_no_two_keys_share_anything(ctx: EngineContext) -> None:
    texts = [make(ctx)[1] for _ in range(20)]
    assert len({text.split("_")[1] for text in texts}) == 20
    assert len({text.split("_")[2] for text in texts}) == 20


def test_a_typo_is_told_from_a_key_that_opens_nothing(ctx: EngineContext) -> None:
    _, text = make(ctx)
    assert refusal(ctx, last_letter_changed(text)).code == "key-malformed"
    assert refusal(ctx, text[:-1]).code == "key-malformed"
    assert refusal(ctx, text.upper()).code == "key-malformed"
    assert refusal(ctx, "").code == "key-malformed"


def test_an_unknown_key_and_a_wrong_secret_read_alike(ctx: EngineContext) -> None:
    _, text = make(ctx)
    _, key_id, rest = text.split("_")
    secret = rest[:-6]
    other = ("b" if secret[0] == "a" else "a") + secret[1:]
    wrong = refusal(ctx, with_checksum(f"ant_{key_id}_{other}"))
    unknown = refusal(ctx, with_checksum(f"ant_{'0' * 26}_{secret}"))
    assert wrong.to_dict() == unknown.to_dict()
    assert wrong.code == "not-authenticated"
    assert secret not in str(wrong)


def test_a_key_expires(ctx: EngineContext, clock: ManualClock) -> None:
    key, text = make(ctx, expires_in=60.0)
    assert find_key(ctx, text, NOW + 59.9) == key
    assert refusal(ctx, text, NOW + 60).code == "key-expired"
    clock.advance(61)
    with pytest.raises(AuthenticationError):
        check_live(key, clock.now())


@pytest.mark.parametrize("span", [0.0, -1.0, float("nan"), float("inf"), 1e12])
def test_a_time_that_no_key_has_is_refused(ctx: EngineContext, span: float) -> None:
    with pytest.raises(LimitError) as caught:
        make(ctx, expires_in=span)
    assert caught.value.code == "expiry-invalid"


def test_a_revoked_key_opens_nothing_and_stays_listed(ctx: EngineContext, clock: ManualClock) -> None:
    key, text = make(ctx)
    clock.advance(5)
    revoked = revoke_key(ctx, workspace="default", key_id=key.id, by="root")
    assert revoked.revoked_at == NOW + 5
    assert refusal(ctx, text).code == "key-revoked"
    clock.advance(5)
    assert revoke_key(ctx, workspace="default", key_id=key.id, by="root") == revoked
    assert list_keys(ctx, "default") == [revoked]
    with ctx.store.read() as tx:
        assert [entry.action for entry in tx.audit(AuditQuery("default"))].count("key.revoke") == 1


def test_a_use_never_brings_a_revoked_key_back(ctx: EngineContext) -> None:
    key, _ = make(ctx)
    revoke_key(ctx, workspace="default", key_id=key.id, by="root")
    touch_keys(ctx, {key.id: NOW + 1, "key_unknown": NOW})
    stored = get_key(ctx, "default", key.id)
    assert stored.revoked_at is not None
    assert stored.last_used_at == NOW + 1
    touch_keys(ctx, {key.id: NOW})
    assert get_key(ctx, "default", key.id).last_used_at == NOW + 1


def test_a_key_of_another_workspace_is_not_there(ctx: EngineContext) -> None:
    create_tenant(ctx, "other", by="root")
    key, _ = make(ctx, workspace="other")
    assert list_keys(ctx, "default") == []
    for act in (
        lambda: get_key(ctx, "default", key.id),
        lambda: revoke_key(ctx, workspace="default", key_id=key.id, by="root"),
        lambda: make(ctx, workspace="third"),
    ):
        with pytest.raises(NotFoundError):
            act()
    with pytest.raises(PermissionDeniedError):
        revoke_key(ctx, workspace="other", key_id=key.id, by=someone(Role.ADMIN))
    assert get_key(ctx, "other", key.id).revoked_at is None


def test_nobody_makes_a_key_that_can_do_more_than_they(ctx: EngineContext) -> None:
    with pytest.raises(PermissionDeniedError) as caught:
        make(ctx, role=Role.ADMIN, by=someone(Role.OPERATOR))
    assert caught.value.code == "role-too-high"
    clerk = someone(Role.ADMIN, scopes=frozenset({Scope.KEYS, Scope.JOBS_READ}))
    with pytest.raises(PermissionDeniedError) as caught:
        make(ctx, role=Role.SUBMITTER, by=clerk)
    assert caught.value.code == "scope-not-held"
    key, _ = make(ctx, role=Role.SUBMITTER, scopes=[Scope.JOBS_READ], by=clerk)
    assert key.scopes == {Scope.JOBS_READ}
    assert key.created_by == "eve"


@pytest.mark.parametrize("scopes", [[], [Scope.KEYS], [Scope.JOBS_READ, Scope.AUDIT_READ]])
def test_a_key_has_scopes_of_its_role(ctx: EngineContext, scopes: list[Scope]) -> None:
    with pytest.raises(LimitError) as caught:
        make(ctx, scopes=scopes)
    assert caught.value.code == "scope-beyond-role"


@pytest.mark.parametrize("name", ["", "  ", "a\0b", "a\nb", "x" * 251, "\ud800"])
def test_a_name_that_no_key_has_is_refused(ctx: EngineContext, name: str) -> None:
    with pytest.raises(LimitError) as caught:
        make(ctx, name=name)
    assert caught.value.code == "name-invalid"
    assert list_keys(ctx, "default") == []


def test_making_a_key_is_in_the_audit_log_without_its_secret(ctx: EngineContext) -> None:
    key, text = make(ctx, by=someone(Role.ADMIN), where="192.0.2.7")
    with ctx.store.read() as tx:
        [entry] = tx.audit(AuditQuery("default"))
    assert (entry.who, entry.via, entry.action, entry.subject, entry.where, entry.outcome) == (
        "eve",
        "key:key_1",
        "key.create",
        key.id,
        "192.0.2.7",
        "ok",
    )
    assert entry.details == {"name": "ada", "role": "submitter", "scopes": "jobs:read jobs:write"}
    assert text.split("_")[2] not in str(entry)


@given(st.text(max_size=120))
def test_no_text_but_a_key_reads_as_one(text: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        parse_key(text)
    assert caught.value.code == "key-malformed"
