"""API keys: made once, shown once, and known again by the hash of their secret.

A key reads `ant_<id>_<secret><checksum>`: the id finds the row, the secret has 256 bits from the operating system, and
the checksum (of all before it) tells a typo from a wrong key before the database is asked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
import secrets
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from antiphon.domain.identity import ApiKey, Principal, Role, Scope
from antiphon.engine.access.audit import note
from antiphon.engine.access.names import check_name
from antiphon.engine.access.principals import LOCAL, acting, check_gift
from antiphon.engine.access.tenants import require_tenant
from antiphon.engine.context import EngineContext
from antiphon.engine.ids import new_id
from antiphon.errors import AuthenticationError, LimitError, NotFoundError
from antiphon.ports.access_store import AccessTransaction

SECRET_BYTES = 32
CHECKSUM_LETTERS = 6
LONGEST_LIFE_S = 10 * 366 * 86_400.0
_ID = "key"
_TEXT = re.compile(rf"(ant_([0-9a-z]{{26}})_([a-z2-7]{{52}}))([a-z2-7]{{{CHECKSUM_LETTERS}}})")
_NO_HASH = "0" * 64


def create_key(
    ctx: EngineContext,
    *,
    workspace: str,
    name: str,
    role: Role,
    scopes: Iterable[Scope] | None = None,
    expires_in: float | None = None,
    by: Principal | str,
    where: str = LOCAL,
) -> tuple[ApiKey, str]:
    """Make a key. Keys of one name in one workspace act as one user, so a new one can follow an old one.

    Args:
        scopes: Fewer than the role may; None for all of them.
        expires_in: Seconds until it opens nothing any more; None for never.
        by: Who makes it; a plain name is the machine's own user.
        where: The address it was asked from, for the audit log.

    Returns:
        The key as stored, and its text, which is nowhere stored and never shown again.

    Raises:
        NotFoundError: No such workspace.
        PermissionDeniedError: The key would be able to do more than who makes it.
        LimitError: A name, a scope or a time that no key can have.
    """
    check_name(name, "the name of a key")
    actor = acting(by, workspace)
    given = role.scopes if scopes is None else frozenset(scopes)
    _check_scopes(role, given)
    check_gift(actor, role, given)
    if expires_in is not None and not (math.isfinite(expires_in) and 0 < expires_in <= LONGEST_LIFE_S):
        raise LimitError(
            f"A key cannot expire in {expires_in:g} seconds.",
            code="expiry-invalid",
            next_step="Give a time above zero and up to ten years, or none for a key that does not expire.",
        )
    now = ctx.clock.now()
    key_id = new_id(_ID)
    secret = _letters(secrets.token_bytes(SECRET_BYTES))
    key = ApiKey(
        id=key_id,
        workspace=workspace,
        name=name,
        role=role,
        scopes=given,
        secret_hash=_hash(secret),
        created_at=now,
        created_by=actor.name,
        expires_at=None if expires_in is None else now + expires_in,
    )
    with ctx.store.write() as tx:
        require_tenant(tx, workspace)
        tx.add_key(key)
        facts = {"name": name, "role": role.value, "scopes": " ".join(sorted(scope.value for scope in given))}
        note(ctx, tx, actor, "key.create", key_id, where=where, details=facts)
    text = f"ant_{key_id.removeprefix(_ID + '_').lower()}_{secret}"
    return key, text + _checksum(text)


def revoke_key(ctx: EngineContext, *, workspace: str, key_id: str, by: Principal | str, where: str = LOCAL) -> ApiKey:
    """Make a key open nothing any more; a second time changes nothing.

    Raises:
        NotFoundError: The workspace has no such key.
    """
    actor = acting(by, workspace)
    with ctx.store.write() as tx:
        key = _own_key(tx, workspace, key_id)
        if key.revoked_at is not None:
            return key
        key = replace(key, revoked_at=ctx.clock.now())
        tx.save_key(key)
        note(ctx, tx, actor, "key.revoke", key.id, where=where, details={"name": key.name})
    return key


def list_keys(ctx: EngineContext, workspace: str) -> list[ApiKey]:
    """All keys of a workspace, newest first, the expired and revoked ones too.

    Raises:
        NotFoundError: No such workspace.
    """
    with ctx.store.read() as tx:
        require_tenant(tx, workspace)
        return tx.keys(workspace)


def get_key(ctx: EngineContext, workspace: str, key_id: str) -> ApiKey:
    """One key of a workspace.

    Raises:
        NotFoundError: The workspace has no such key.
    """
    with ctx.store.read() as tx:
        return _own_key(tx, workspace, key_id)


def find_key(ctx: EngineContext, text: str, now: float) -> ApiKey:
    """The live key that a text is the text of.

    Raises:
        AuthenticationError: It is no key at all (code "key-malformed"), no key that was ever made or another one's
            secret ("not-authenticated", one message for both), revoked ("key-revoked"), or expired ("key-expired").
    """
    key_id, secret = parse_key(text)
    with ctx.store.read() as tx:
        key = tx.key(key_id)
    # An unknown key is compared too, so that time does not tell it from a wrong secret.
    same = hmac.compare_digest(_hash(secret), _NO_HASH if key is None else key.secret_hash)
    if key is None or not same:
        raise AuthenticationError("This key opens nothing here.", next_step="Check the key and the server's address.")
    check_live(key, now)
    return key


def check_live(key: ApiKey, now: float) -> None:
    """Refuse a key that was revoked or has expired; for callers that remember keys for a while.

    Raises:
        AuthenticationError: Code "key-revoked" or "key-expired".
    """
    if key.is_live(now):
        return
    state = "revoked" if key.revoked_at is not None else "expired"
    raise AuthenticationError(
        f"The key {key.id} has {'been revoked' if key.revoked_at is not None else 'expired'}.",
        code=f"key-{state}",
        next_step="Ask an admin of the workspace for a new key.",
        details={"id": key.id},
    )


def parse_key(text: str) -> tuple[str, str]:
    """Id and secret of a key's text; nothing is asked of the store.

    Raises:
        AuthenticationError: It does not read as a key, or its checksum is wrong (code "key-malformed").
    """
    found = _TEXT.fullmatch(text)
    if found is None or not hmac.compare_digest(_checksum(found[1]), found[4]):
        raise AuthenticationError(
            "This is not an Antiphon key: it is mistyped or cut.",
            code="key-malformed",
            next_step="Copy the whole key, from ant_ to its end.",
        )
    return f"{_ID}_{found[2].upper()}", found[3]


def principal_of(key: ApiKey) -> Principal:
    """Who a request with this key acts as."""
    return Principal(
        workspace=key.workspace, name=key.name, role=key.role, scopes=key.scopes & key.role.scopes, via=f"key:{key.id}"
    )


def touch_keys(ctx: EngineContext, used: Mapping[str, float]) -> None:
    """Store when keys were last used, as id to time; for callers that collect uses and store them now and then."""
    with ctx.store.write() as tx:
        for key_id in sorted(used):
            # Read again in this transaction: the key may have been revoked since the caller saw it.
            key = tx.key(key_id)
            if key is not None and (key.last_used_at is None or key.last_used_at < used[key_id]):
                tx.save_key(replace(key, last_used_at=used[key_id]))


def key_not_found(key_id: str) -> NotFoundError:
    """What is said of a key that the workspace does not have."""
    return NotFoundError(
        f"There is no key {key_id[:80]} in this workspace.", next_step="See them with `antiphon keys list`."
    )


def _own_key(tx: AccessTransaction, workspace: str, key_id: str) -> ApiKey:
    key = tx.key(key_id)
    if key is None or key.workspace != workspace:
        raise key_not_found(key_id)
    return key


def _check_scopes(role: Role, scopes: frozenset[Scope]) -> None:
    beyond = sorted(scope.value for scope in scopes - role.scopes)
    if beyond:
        raise LimitError(
            f"The role {role.value} does not have the scope {', '.join(beyond)}.",
            code="scope-beyond-role",
            next_step=f"Choose among {', '.join(sorted(scope.value for scope in role.scopes))}, or a higher role.",
            details={"scopes": beyond},
        )
    if not scopes:
        raise LimitError(
            "A key without any scope could do nothing.",
            code="scope-beyond-role",
            next_step="Name at least one scope, or none to have all of the role.",
        )


def _letters(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def _checksum(text: str) -> str:
    return _letters(zlib.crc32(text.encode()).to_bytes(4, "big"))[:CHECKSUM_LETTERS]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
