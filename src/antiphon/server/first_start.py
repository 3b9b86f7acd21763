"""What must be true before a server listens: somebody can get in, and nobody else can."""

from __future__ import annotations

import ipaddress
import socket

from antiphon.domain.identity import ApiKey, Role
from antiphon.engine.access.keys import create_key
from antiphon.engine.access.tenants import DEFAULT
from antiphon.engine.context import EngineContext
from antiphon.errors import PermissionDeniedError
from antiphon.server.secrets import SECRET_VARIABLE, given_secret
from antiphon.server.settings import ServerSettings

FIRST_KEY = "first"
SHORTEST_SECRET = 16
WELL_KNOWN_SECRETS = frozenset(
    {
        "0123456789abcdef", "1234567890123456", "antiphon", "antiphonantiphon", "change-me", "change-me-please",
        "changeit", "changeme", "changemechangeme", "default", "insecure", "password", "passwordpassword",
        "please-change-me", "replace-me", "replace-with-a-secret", "secret", "secretsecretsecret", "your-secret-here",
        "your-secret-key",
    }
)  # fmt: skip


def first_key(ctx: EngineContext) -> tuple[ApiKey, str] | None:
    """Make an admin's key for the workspace "default" when there is no key at all; None when there is one.

    Returns:
        The key and its text, which is not stored and must be shown now.
    """
    with ctx.store.read() as tx:
        if tx.count_keys():
            return None
    return create_key(ctx, workspace=DEFAULT, name=FIRST_KEY, role=Role.ADMIN, by="local")


def check_safe(settings: ServerSettings, ctx: EngineContext) -> None:
    """Refuse to listen where strangers are while nobody can be told from them.

    Raises:
        PermissionDeniedError: Beyond loopback without a live key and without an OpenID provider (code
            "authentication-missing"), or with a secret that others know or could guess ("secret-weak").
    """
    check_secret(given_secret())
    if is_loopback(settings.host) or settings.oidc or has_live_key(ctx):
        return
    raise PermissionDeniedError(
        f"Nobody could sign in to a server on {settings.host}, since there is no key yet.",
        code="authentication-missing",
        cause="the address can be reached from other machines, there is no live API key and no OpenID provider is set",
        next_step=f"Make a key first with `antiphon keys create {FIRST_KEY} --role admin`, or listen on 127.0.0.1.",
        details={"host": settings.host},
    )


def check_secret(secret: str | None) -> None:
    """Refuse a server secret that is well known or too short; the value is in no message.

    Raises:
        PermissionDeniedError: Code "secret-weak".
    """
    if secret is None:
        return
    known = secret.strip().lower() in WELL_KNOWN_SECRETS
    if not known and len(secret.encode()) >= SHORTEST_SECRET and len(set(secret)) > 4:
        return
    raise PermissionDeniedError(
        f"The value of {SECRET_VARIABLE} is no secret.",
        code="secret-weak",
        cause="it is a well-known default" if known else f"it is too simple or has fewer than {SHORTEST_SECRET} bytes",
        next_step='Make one with `python -c "import secrets; print(secrets.token_urlsafe(32))"`, or unset it: '
        "the server then keeps one of its own in its folder.",
    )


def has_live_key(ctx: EngineContext) -> bool:
    """Whether any key of any workspace still opens something."""
    now = ctx.clock.now()
    with ctx.store.read() as tx:
        if not tx.count_keys():
            return False
        names = {DEFAULT, *(tenant.name for tenant in tx.tenants())}
        return any(key.is_live(now) for name in names for key in tx.keys(name))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; a name counts if all it stands for does."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found)
