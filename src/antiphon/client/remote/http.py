"""Requests to a server: one pool of connections, retries of what is safe to repeat, errors as the classes they were."""

from __future__ import annotations

import os
import platform
import ssl
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import tenacity

from antiphon import __version__
from antiphon.client.remote.answers import NEVER_SENT, T, TryAgainError, body_of, understood, unreachable
from antiphon.client.remote.bodies import encoded
from antiphon.client.tracing import trace_headers
from antiphon.errors import ConnectionFailedError, StoreError

CONNECT_S = 5.0
ANSWER_S = 60.0
"""For an answer beyond what the request asks the server to wait: it may have to read a large program first."""
FIRST_PATIENCE_S = 2.0
"""How long a server that never answered is tried: a mistyped address should be told soon."""
PATIENCE_S = 30.0
"""How long a server that did answer is tried: it may be restarting."""
CONNECTIONS = httpx2.Limits(max_connections=1_000, max_keepalive_connections=100)
"""Each thread that waits for a job has one; a submit must not wait for theirs."""
_open: weakref.WeakSet[HttpSession] = weakref.WeakSet()
_of_the_parent: list[httpx2.Client] = []


class HttpSession:
    """Connections to one server, kept open between requests. Thread-safe; a forked child makes its own.

    Args:
        url: Of the server, without "/v1".
        api_key: An API key or a bearer token.
        ca: A file with the certificate authorities to trust, for a server with a private one.
        headers: Sent with every request.
        transport: For tests.

    Raises:
        ConnectionFailedError: The file cannot be read (code "ca-unusable").
    """

    def __init__(
        self,
        url: str,
        api_key: str | None,
        *,
        ca: str | os.PathLike[str] | None = None,
        headers: Mapping[str, str] | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.url = url
        self._headers = {**(headers or {}), "User-Agent": f"antiphon/{__version__} python/{platform.python_version()}"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._verify = _trusted(url, ca)
        self._transport = transport
        self._answered = False
        self._closed = False
        self._client = self._connect()
        _open.add(self)

    def get(
        self,
        path: str,
        read: Callable[[Any], T],
        params: Mapping[str, Any] | None = None,
        *,
        wait: float = 0.0,
        patience: float | None = None,
    ) -> T:
        """GET, and what `read` makes of the JSON that comes.

        Args:
            wait: How long the request asks the server to take, in seconds.
            patience: Bounds the retries, in seconds; default PATIENCE_S.
        """
        return understood(self.url, read, self._request("GET", path, params=params, wait=wait, patience=patience))

    def post(
        self,
        path: str,
        read: Callable[[Any], T],
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        once: bool = False,
    ) -> T:
        """POST of what is safe to repeat: it carries a key, or says how something shall be. `once` is for the rest."""
        return understood(self.url, read, self._request("POST", path, body=body, headers=headers, once=once))

    def send(
        self,
        method: str,
        path: str,
        read: Callable[[Any], T],
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        once: bool = False,
    ) -> T:
        """As `post`, with another method."""
        return understood(self.url, read, self._request(method, path, body=body, headers=headers, once=once))

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        wait: float = 0.0,
        patience: float | None = None,
        once: bool = False,
    ) -> Any:
        """Send, and again while it is safe and the server may come back.

        Raises:
            ConnectionFailedError: No answer, or none of an Antiphon server.
            AntiphonError: What the server answered, in the class it had there.
        """
        if self._closed:
            raise _closed()
        given = {name: value for name, value in (params or {}).items() if value is not None}
        sent = {**(headers or {}), **trace_headers()}
        content = None
        if body is not None:
            content, sent["Content-Type"] = encoded(body), "application/json"
        request = self._client.build_request(
            method,
            f"{self.url}{path}",
            params=given or None,
            content=content,
            headers=sent,
            timeout=httpx2.Timeout(ANSWER_S + wait, connect=CONNECT_S),
        )
        known_for = PATIENCE_S if patience is None else patience
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TryAgainError),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=2.0)
            + tenacity.wait_exception(lambda error: error.after if isinstance(error, TryAgainError) else 0.0),
            stop=lambda state: tenacity.stop_before_delay(
                known_for if self._answered else min(known_for, FIRST_PATIENCE_S)
            )(state),
            reraise=True,
        )
        try:
            return retrying(self._send, request, once)
        except TryAgainError as last:
            raise last.error from last.__cause__

    def close(self) -> None:
        """Close the connections; what comes after is refused."""
        self._closed = True
        self._client.close()

    def _send(self, request: httpx2.Request, once: bool) -> Any:
        try:
            response = self._client.send(request)
        except RuntimeError:
            if self._closed:  # by another thread, just now
                raise _closed() from None
            raise
        except httpx2.RequestError as error:
            if once and not isinstance(error, NEVER_SENT):
                raise unreachable(self.url, error) from error
            raise TryAgainError(unreachable(self.url, error)) from error
        # A proxy before a server that is away is no sign that the server is there.
        self._answered = self._answered or response.status_code not in {502, 503, 504}
        return body_of(self.url, response, once=once)

    def _connect(self) -> httpx2.Client:
        client = httpx2.Client(
            headers=self._headers,
            verify=self._verify,
            transport=self._transport,
            limits=CONNECTIONS,
            follow_redirects=False,
        )
        # Who forgets to close leaves no open sockets behind.
        weakref.finalize(self, client.close)
        return client

    def _in_child(self) -> None:
        # The parent's sockets are shared with it: two processes must not speak on one.
        _of_the_parent.append(self._client)
        self._client = self._connect()

    def __repr__(self) -> str:
        return f"<HttpSession to {self.url}>"


def _closed() -> StoreError:
    return StoreError("The workspace is closed.", code="store-closed", next_step="Open a new workspace.")


def _trusted(url: str, ca: str | os.PathLike[str] | None) -> ssl.SSLContext:
    if ca is None:
        # Reading the system's authorities takes longer than a request, and plain HTTP needs none.
        return (
            ssl.create_default_context() if url.lower().startswith("https") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise ConnectionFailedError(
            f"The certificate authorities in {os.fspath(ca)} cannot be used.",
            code="ca-unusable",
            cause=f"{type(error).__name__}: {error.strerror or error}",
            next_step="Give ca= a file of certificates in PEM.",
        ) from None


def _all_in_child() -> None:
    for session in list(_open):
        session._in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_all_in_child)
