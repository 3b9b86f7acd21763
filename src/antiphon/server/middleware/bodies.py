"""Bodies: how large one may be, and how long it may take to come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from antiphon.errors import LimitError
from antiphon.server.middleware.refusal import refuse


class BodyLimits:
    """Refuses a body that is too large (413) or too slow (408), whatever its Content-Length says.

    Args:
        max_bytes: How large a body of this path may be.
        seconds: Time from the request's head until the whole body must be there, plus one second for each megabyte
            that is allowed, so that a large upload over a slow line is not cut off.
    """

    def __init__(self, app: ASGIApp, max_bytes: Callable[[str], int], seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._max_bytes(scope["path"])
        announced = _content_length(scope)
        if announced is not None and announced > limit:
            await refuse(_too_large(limit), scope, receive, send, close=True)
            return
        if announced == 0 or (announced is None and not _is_chunked(scope)):
            await self._app(scope, receive, send)
            return
        seconds = self._seconds + (min(announced, limit) if announced is not None else limit) / 1_000_000
        body = _Body(receive, limit, asyncio.get_running_loop().time() + seconds)
        refused = started = False

        async def take() -> Message:
            nonlocal refused
            try:
                return await body.next()
            except (_TooLargeError, TimeoutError) as fault:
                if not started and not refused:
                    refused = True
                    error = _too_large(limit) if isinstance(fault, _TooLargeError) else _too_slow(seconds)
                    await refuse(error, scope, receive, send, close=True)
                # The app is told what it would be told if the caller had gone; what it then says reaches nobody.
                refused = True
                return {"type": "http.disconnect"}

        async def answer(message: Message) -> None:
            nonlocal started
            if not refused:
                started = True
                await send(message)

        try:
            await self._app(scope, take, answer)
        except ClientDisconnect:
            if not refused:
                raise


class _TooLargeError(Exception):
    pass


class _Body:
    """`receive` with its bytes counted and its time limited until the whole body is there."""

    def __init__(self, receive: Receive, limit: int, deadline: float) -> None:
        self._receive = receive
        self._limit = limit
        self._deadline = deadline
        self._size = 0
        self._complete = False

    async def next(self) -> Message:
        """The next message.

        Raises:
            _TooLargeError: More bytes than the limit have come.
            TimeoutError: The body has not come in time.
        """
        if self._complete:
            return await self._receive()
        async with asyncio.timeout_at(self._deadline):
            message = await self._receive()
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            if self._size > self._limit:
                raise _TooLargeError
            self._complete = not message.get("more_body", False)
        return message


def _content_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            try:
                return int(value)
            except ValueError:
                return None
    return None


def _is_chunked(scope: Scope) -> bool:
    return any(name == b"transfer-encoding" for name, _ in scope["headers"])


def _too_large(limit: int) -> LimitError:
    return LimitError(
        f"The body is larger than the {limit:,} bytes that are allowed here.",
        code="body-too-large",
        next_step="Send less at once, e.g. several jobs; an operator can raise max_body_bytes.",
        details={"limit_bytes": limit},
    )


def _too_slow(seconds: float) -> LimitError:
    return LimitError(
        f"The body did not come within {seconds:.0f} seconds.",
        code="body-too-slow",
        next_step="Send it again over a faster connection, or in smaller parts.",
        details={"limit_s": seconds},
    )
