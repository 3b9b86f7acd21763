"""Who calls: an API key or an OpenID Connect token, looked up once and remembered for a few seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

from limits import parse
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.requests import Request

from antiphon.domain.identity import ApiKey, Principal
from antiphon.engine.access.audit import NOBODY, note_alone
from antiphon.engine.access.keys import check_live, find_key, parse_key, principal_of, touch_keys
from antiphon.engine.access.tenants import DEFAULT
from antiphon.engine.context import EngineContext
from antiphon.errors import AntiphonError, AuthenticationError, PermissionDeniedError, RateLimitedError
from antiphon.server.access.counters import LoopStorage
from antiphon.server.access.known import RecentlyKnown
from antiphon.server.telemetry.metrics import Metrics

log = logging.getLogger("antiphon.access")

KEY_PREFIX = "ant_"
REMEMBERED_S = 4.0
"""A key revoked by another process opens nothing after so long; in this process at once (`forget_key`)."""
REMEMBERED_KEYS = 10_000
TOUCH_EVERY_S = 60.0
FAILURES_PER_ADDRESS = "30/minute"
AUDITED_FAILURES = "600/minute"
"""Of all addresses together: an attack from many must not fill the disk with lines about itself."""
FINISH_S = 5.0
LONGEST_CREDENTIAL = 16_384

Call = Callable[..., Awaitable[Any]]


class TokenVerifier(Protocol):
    """Verifies OpenID Connect tokens."""

    async def principal(self, token: str, workspace: str | None) -> Principal:
        """Who the token proves, in the workspace asked for, or in the only one that it has.

        Raises:
            AuthenticationError: It proves nobody here.
        """
        ...

    def forget_members(self) -> None:
        """Ask the store the next time: a member was changed."""
        ...

    async def close(self) -> None:
        """End what it holds."""
        ...


class Authenticator:
    """Finds the principal of a request.

    Args:
        call: Runs a blocking function in a thread (`Services.call`).
        tokens: Verifies what is not an API key; None refuses it.
    """

    def __init__(self, ctx: EngineContext, call: Call, metrics: Metrics, tokens: TokenVerifier | None = None) -> None:
        self._ctx = ctx
        self._call = call
        self._metrics = metrics
        self._tokens = tokens
        self._keys: RecentlyKnown[ApiKey] = RecentlyKnown(REMEMBERED_S, REMEMBERED_KEYS)
        self._touched: dict[str, float] = {}
        self._failures = SlidingWindowCounterRateLimiter(LoopStorage())
        self._per_address, self._audited = parse(FAILURES_PER_ADDRESS), parse(AUDITED_FAILURES)
        self._background: set[asyncio.Task[None]] = set()

    async def authenticate(self, request: Request) -> Principal:
        """The principal of a request.

        Raises:
            AuthenticationError: No credential, or one that opens nothing (any more).
            PermissionDeniedError: A true token of somebody who is not a member here.
            RateLimitedError: This address has failed too often (code "auth-rate-limited"); a good key still works.
        """
        credential = credential_of(request)
        if not credential:
            raise AuthenticationError(
                "This needs an API key.",
                code="credential-missing",
                next_step="Send `Authorization: Bearer <key>`; an admin makes one with `antiphon keys create`.",
            )
        try:
            if credential.startswith(KEY_PREFIX):
                return principal_of(await self._key(credential))
            return await self._token(credential, request.headers.get("x-antiphon-workspace"))
        except (AuthenticationError, PermissionDeniedError) as error:
            await self._refused(request, credential, error)
            raise

    def forget_key(self, key_id: str) -> None:
        """Ask the store the next time this key is used: it was revoked or changed."""
        self._keys.forget(lambda key: key.id == key_id)

    def forget_members(self) -> None:
        """Ask the store the next time a token is used: a member was added, changed or removed."""
        if self._tokens is not None:
            self._tokens.forget_members()

    async def close(self) -> None:
        """Finish what is being recorded, and end connections to providers."""
        if self._background:
            await asyncio.wait(self._background, timeout=FINISH_S)
        if self._tokens is not None:
            await self._tokens.close()

    async def _key(self, text: str) -> ApiKey:
        now = self._ctx.clock.now()
        key = self._keys.get(text)
        if key is None:
            key = await self._call(find_key, self._ctx, text, now)
            self._keys.put(text, key)
        else:
            check_live(key, now)
        if now - self._touched.get(key.id, key.last_used_at or 0.0) >= TOUCH_EVERY_S:
            self._touch(key.id, now)
        return key

    async def _token(self, token: str, workspace: str | None) -> Principal:
        if self._tokens is None:
            raise AuthenticationError(
                "This is no API key, and this server accepts no tokens.",
                code="key-malformed",
                next_step="Send the whole key, from ant_ to its end; or let the operator set `oidc`.",
            )
        return await self._tokens.principal(token, workspace)

    def _touch(self, key_id: str, now: float) -> None:
        if len(self._touched) >= REMEMBERED_KEYS:
            self._touched.clear()
        self._touched[key_id] = now
        self._later(self._call(touch_keys, self._ctx, {key_id: now}))

    async def _refused(self, request: Request, credential: str, error: AntiphonError) -> None:
        self._metrics.auth_refusals.labels(error.code).inc()
        address = request.client.host if request.client else "unknown"
        if not self._failures.hit(self._per_address, "address", address):
            retry = self._per_address.get_expiry()
            raise RateLimitedError(
                "Too many keys or tokens from this address opened nothing.",
                code="auth-rate-limited",
                next_step=f"Check the key, and come back in {retry} s.",
                details={"retry_after_s": retry},
            ) from None
        if self._failures.hit(self._audited, "audited"):
            self._later(
                self._call(
                    _note_refusal,
                    self._ctx,
                    credential,
                    subject=next(iter(error.details.get("subjects", ())), ""),
                    where=address,
                    outcome=error.code,
                )
            )

    def _later(self, work: Awaitable[Any]) -> None:
        task = asyncio.create_task(_quietly(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _note_refusal(ctx: EngineContext, credential: str, *, subject: str, where: str, outcome: str) -> None:
    """Add a line to the log of the workspace whose key was tried; to the first workspace's where it is nobody's."""
    workspace = DEFAULT
    with suppress(AuthenticationError), ctx.store.read() as tx:
        key = tx.key(parse_key(credential)[0])
        if key is not None:
            workspace, subject = key.workspace, key.id
    note_alone(
        ctx,
        workspace=workspace,
        who=NOBODY,
        via="none",
        action="auth.refused",
        subject=subject,
        where=where,
        outcome=outcome,
    )


async def _quietly(work: Awaitable[Any]) -> None:
    try:
        await work
    except AntiphonError as error:
        log.warning("a use or refusal could not be recorded: %s", error.message)


def credential_of(request: Request) -> str:
    """The key or token of a request, from any of the headers that clients put it in; empty when there is none."""
    headers = request.headers
    scheme, _, text = headers.get("authorization", "").partition(" ")
    found = text.strip() if scheme.lower() == "bearer" else ""
    found = found or headers.get("x-api-key", "") or headers.get("x-ms-quantum-api-key", "")
    return found if len(found) <= LONGEST_CREDENTIAL else ""
