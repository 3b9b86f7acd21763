"""What comes back, or does not: a body, the error it tells of, and whether asking again may help."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import httpx2

from antiphon.client.remote.address import KEY_VARIABLE
from antiphon.client.wire.problems import error_from_problem
from antiphon.errors import AntiphonError, ConnectionFailedError

T = TypeVar("T")

NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
REFUSED = frozenset({429, 503})
"""Nothing was done, and may be later."""
COME_BACK = REFUSED | {502, 504}
"""The same, or a proxy that lost the server: something may have been done."""
NO_MORE_POLLS = "streams-exceeded"
"""The code of a server that holds as many long polls as it may; the same request without a wait is answered."""


class TryAgainError(Exception):
    """Something that may pass.

    Attributes:
        error: What to raise if it does not.
        after: When the server wants to be asked again, in seconds.
    """

    def __init__(self, error: AntiphonError, after: float = 0.0) -> None:
        super().__init__(error.message)
        self.error = error
        self.after = after


def body_of(url: str, response: httpx2.Response, *, once: bool) -> Any:
    """The JSON of an answer.

    Args:
        once: Whether the request must not be done twice.

    Raises:
        TryAgainError: The server, or a proxy before it, could not answer now.
        AntiphonError: What the server answered, in the class it had there; or that it is no Antiphon server.
    """
    is_json = response.headers.get("content-type", "").partition(";")[0].endswith("json")
    try:
        body = json.loads(response.content) if is_json else None
    except ValueError:
        is_json, body = False, None
    if response.is_success and is_json:
        return body
    status = response.status_code
    if response.is_error and isinstance(body, dict) and "code" in body:
        error = error_from_problem(body, status)
        if error.code == "credential-missing":
            # What the server says is for those who write requests by hand.
            error.next_step = (
                f"Set {KEY_VARIABLE}, or give api_key=…; `antiphon keys create` beside the server makes one."
            )
    elif status in COME_BACK:
        error = error_from_problem({}, status)
        error.next_step = f"Look whether the server behind {url} runs, and try again."
    else:
        to = response.headers.get("location")
        what = f"a redirection to {to}" if to else response.headers.get("content-type") or "no content"
        raise not_a_server(url, f"{response.request.method} {response.request.url.path}: HTTP {status}, {what}")
    if status in (REFUSED if once else COME_BACK) and error.code != NO_MORE_POLLS:
        raise TryAgainError(error, _seconds(response.headers.get("retry-after")))
    raise error


def understood(url: str, read: Callable[[Any], T], body: Any) -> T:
    """What `read` makes of a body.

    Raises:
        ConnectionFailedError: It does not know the form (code "answer-unknown").
    """
    try:
        return read(body)
    except (KeyError, TypeError, ValueError) as error:
        raise ConnectionFailedError(
            f"The server {url} answers in a form that this client does not know.",
            code="answer-unknown",
            cause=f"{type(error).__name__}: {error}",
            next_step="Use the same version of Antiphon here and there.",
        ) from error


def not_a_server(url: str, cause: str) -> ConnectionFailedError:
    """The error for something that answers and is no Antiphon server."""
    return ConnectionFailedError(
        f"What answers at {url} is no Antiphon server.",
        code="server-unknown",
        cause=cause,
        next_step="Check the URL: host, port, http or https; no path unless a proxy adds one.",
    )


def unreachable(url: str, error: httpx2.RequestError) -> ConnectionFailedError:
    """The error for no answer."""
    late = isinstance(error, httpx2.TimeoutException) and not isinstance(error, NEVER_SENT)
    return ConnectionFailedError(
        f"The server {url} did not answer in time." if late else f"The server {url} cannot be reached.",
        cause=f"{type(error).__name__}: {error}" if str(error) else type(error).__name__,
        next_step="Check the URL and that the server runs (antiphon serve); its /healthz answers 200 when ready.",
    )


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0.0
