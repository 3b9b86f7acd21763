"""The signing keys that an OpenID provider publishes: found by discovery, kept a while, fetched anew when rotated."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from antiphon.errors import ConnectionFailedError

DISCOVERY = "/.well-known/openid-configuration"
ASYMMETRIC = ("RSA", "EC", "OKP")
FRESH_S = 3600.0
SOONEST_S = 30.0
"""A stranger can send as many unknown key ids as they like; the provider is not asked more often than this."""
TIMEOUT_S = 5.0
MOST_BYTES = 512 * 1024
MOST_KEYS = 100


class ProviderKeys:
    """The public keys of one issuer.

    Args:
        clock: A clock that only goes forward, in seconds.
    """

    def __init__(self, issuer: str, http: httpx2.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._http = http
        self._clock = clock
        self._keys: KeySet | None = None
        self._asked_at: float | None = None
        self._found_at = 0.0
        self._lock = asyncio.Lock()

    async def find(self, kid: str | None) -> KeySet | None:
        """The keys among which the one called `kid` is (any, if there is no name); None when there is none.

        Raises:
            ConnectionFailedError: The provider cannot be asked, and no keys of it are known (code "oidc-unreachable").
        """
        found = self._known(kid)
        if found is not None and self._clock() < self._found_at + FRESH_S:
            return found
        async with self._lock:
            if self._asked_at is None or self._clock() >= self._asked_at + SOONEST_S:
                self._asked_at = self._clock()
                try:
                    self._keys = await self._fetch()
                    self._found_at = self._clock()
                except ConnectionFailedError:
                    # A provider that is away for an hour must not lock everybody out whose key is known.
                    if self._keys is None:
                        raise
            elif self._keys is None:
                raise _unreachable(self._issuer, "it could not be reached a moment ago")
        return self._known(kid)

    def _known(self, kid: str | None) -> KeySet | None:
        if self._keys is None:
            return None
        if kid is None:
            return self._keys if len(self._keys.keys) == 1 else None
        named = [key for key in self._keys.keys if key.kid == kid]
        return KeySet(named) if named else None

    async def _fetch(self) -> KeySet:
        about = await self._get(self._issuer.rstrip("/") + DISCOVERY)
        if about.get("issuer") != self._issuer:
            raise _unreachable(self._issuer, "its discovery document names another issuer")
        where = str(about.get("jwks_uri", ""))
        if urlsplit(where).scheme != "https" and urlsplit(self._issuer).scheme == "https":
            raise _unreachable(self._issuer, "its keys are not served over HTTPS")
        listed = (await self._get(where)).get("keys")
        keys = []
        for entry in listed[:MOST_KEYS] if isinstance(listed, list) else []:
            # Symmetric keys have no business there, and with one a public text would sign tokens.
            if isinstance(entry, dict) and entry.get("kty") in ASYMMETRIC and entry.get("use", "sig") == "sig":
                try:
                    keys.append(JWKRegistry.import_key(entry))
                except (JoseError, ValueError):
                    continue  # a kind of key that we cannot read; others may do
        if not keys:
            raise _unreachable(self._issuer, "it publishes no public key that can be used")
        return KeySet(keys)

    async def _get(self, url: str) -> dict[str, Any]:
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._http.stream("GET", url, headers={"Accept": "application/json"}) as response,
            ):
                if response.status_code != 200:
                    raise _unreachable(self._issuer, f"{url} answered {response.status_code}")
                text = b""
                async for part in response.aiter_bytes():
                    text += part
                    if len(text) > MOST_BYTES:
                        raise _unreachable(self._issuer, f"{url} is too large")
            found = json.loads(text)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise _unreachable(self._issuer, f"{type(error).__name__} at {url}") from None
        except ValueError:
            raise _unreachable(self._issuer, f"{url} is not JSON") from None
        if not isinstance(found, dict):
            raise _unreachable(self._issuer, f"{url} is not a JSON object")
        return found


def _unreachable(issuer: str, cause: str) -> ConnectionFailedError:
    return ConnectionFailedError(
        f"The OpenID provider {issuer} cannot be asked for its keys.",
        code="oidc-unreachable",
        cause=cause,
        next_step="Try again in half a minute; an operator can check the provider, and the setting `oidc`.",
        details={"issuer": issuer, "retry_after_s": SOONEST_S},
    )
