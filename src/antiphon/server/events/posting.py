"""One try to deliver: signed by Standard Webhooks, posted to a checked address, judged by its status."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import httpx2
from standardwebhooks.webhooks import Webhook

from antiphon.domain.webhooks import Attempt, Delivery, Endpoint
from antiphon.errors import LimitError
from antiphon.server.events.addresses import AddressGuard
from antiphon.server.secrets import ServerSecrets

TIMEOUT_S = 15.0
LONGEST_ERROR = 200
ASKED_TO_WAIT = frozenset({429, 503})


class Poster:
    """Posts deliveries. Belongs to one event loop.

    Args:
        secrets: Signing secrets are derived from these.
        guard: Says which addresses may be connected to.
        timeout: Seconds for the whole try, resolving included.
        trust: Which certificates of receivers are believed; those of the public authorities by default.
    """

    def __init__(
        self,
        secrets: ServerSecrets,
        guard: AddressGuard,
        *,
        timeout: float = TIMEOUT_S,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._secrets = secrets
        self._guard = guard
        self._timeout = timeout
        self._trust = trust
        self._client: httpx2.AsyncClient | None = None

    async def post(self, delivery: Delivery, endpoint: Endpoint, now: float) -> Attempt:
        """Try once. Never raises for anything that a receiver, its name or its network does.

        Args:
            now: The time of the try, in seconds since the epoch: it is signed.
        """
        body = json.dumps(delivery.body, separators=(",", ":"))
        headers = {**signed(self._secrets, delivery, endpoint, body, now), **_PLAIN_HEADERS}
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(endpoint.url, headers, body.encode(), now)
        except TimeoutError:
            return Attempt(error=f"no answer within {self._timeout:g} s")
        except LimitError as error:
            return Attempt(error=_short(f"{error.code}: {error.cause or error.message}"))
        except httpx2.HTTPError as error:
            return Attempt(error=_short(f"{type(error).__name__}: {error}"))

    async def close(self) -> None:
        """Close what is open."""
        if self._client is not None:
            await self._client.aclose()

    async def _send(self, url: str, headers: Mapping[str, str], body: bytes, now: float) -> Attempt:
        refused: httpx2.ConnectError | None = None
        for destination in await self._guard.destinations(url):
            request = self._opened().stream(
                "POST",
                destination.url,
                headers={**headers, "Host": destination.host},
                content=body,
                extensions={"sni_hostname": destination.name},
            )
            try:
                # The status says it all; a body without end is not read.
                async with request as response:
                    return _judged(response, now)
            except httpx2.ConnectError as error:
                refused = error
        assert refused is not None, "there is always an address to try"
        raise refused

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(
                # No connection is used twice: two names on one address must each show their own certificate.
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
                timeout=self._timeout,
                follow_redirects=False,
                trust_env=False,
                verify=True if self._trust is None else self._trust,
            )
        return self._client


_PLAIN_HEADERS = {
    "Content-Type": "application/cloudevents+json",
    "User-Agent": f"antiphon/{version('antiphon')}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}


def signed(secrets: ServerSecrets, delivery: Delivery, endpoint: Endpoint, body: str, now: float) -> dict[str, str]:
    """The three headers of the specification; while a secret is being rotated there are two signatures."""
    at = dt.datetime.fromtimestamp(int(now), dt.UTC)
    signatures = [
        Webhook(secrets.webhook_secret(endpoint.id, each)).sign(delivery.id, at, body)
        for each in endpoint.signing_versions(now)
    ]
    return {
        "webhook-id": delivery.id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": " ".join(signatures),
    }


def _judged(response: httpx2.Response, now: float) -> Attempt:
    status = response.status_code
    if 200 <= status < 300:
        return Attempt(status=status)
    error = "redirects are not followed" if 300 <= status < 400 else f"it answered {status}"
    asked = _retry_after(response.headers.get("Retry-After"), now) if status in ASKED_TO_WAIT else None
    return Attempt(status=status, error=error, retry_after=asked)


def _retry_after(value: str | None, now: float) -> float | None:
    """Seconds until the time of a Retry-After (RFC 9110, section 10.2.3); None when there is none that reads."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value.strip()[:12])
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)).timestamp() - now)


def _short(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LONGEST_ERROR]
