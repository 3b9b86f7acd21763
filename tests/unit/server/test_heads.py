"""What of pipelined requests counts for the limits on a head; the limits themselves are tried on a real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from antiphon.server.heads import HEAD_BYTES, HeadDeadline

ONE = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
Ask = Callable[..., int]
Receive = Callable[[], Awaitable[dict[str, object]]]
Send = Callable[[dict[str, object]], Awaitable[None]]


@pytest.fixture(params=[HttpToolsProtocol, H11Protocol])
def ask(request: pytest.FixtureRequest) -> Ask:
    """How many answers come to these parts, sent with a pause in between, until the server closes."""
    protocol = type("Protocol", (HeadDeadline, request.param), {"head_seconds": 0.3})

    def run(parts: list[bytes], pause: float = 0.0) -> int:
        return asyncio.run(_ask(protocol, parts, pause))

    return run


async def _answer(scope: dict[str, object], receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/slow":
        await asyncio.sleep(1.0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def _ask(protocol: Callable[..., asyncio.Protocol], parts: list[bytes], pause: float) -> int:
    loop = asyncio.get_running_loop()
    config = uvicorn.Config(_answer, lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    server = await loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        reading = asyncio.ensure_future(reader.read())
        for part in parts:
            writer.write(part)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(pause)
        found = await asyncio.wait_for(asyncio.shield(_until_closed(reading, writer)), 30)
    return found.count(b"HTTP/1.1 200")


async def _until_closed(reading: asyncio.Future[bytes], writer: asyncio.StreamWriter) -> bytes:
    found = await reading
    writer.close()
    return found


LAST = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("count", [10, 3 * HEAD_BYTES // len(ONE), 6 * HEAD_BYTES // len(ONE)])
def test_requests_in_one_breath_are_no_long_head(ask: Ask, count: int) -> None:
    assert ask([ONE * count + LAST]) == count + 1


def test_a_head_behind_them_has_its_own_time(ask: Ask) -> None:
    parts = [(ONE * 50 + LAST[:20]), LAST[20:] + ONE[:10]]
    assert ask(parts, pause=0.1) == 51


def test_a_head_that_comes_in_parts_behind_others_each_time_is_not_late(ask: Ask) -> None:
    body = ONE * 2
    parts = [body[:10], *[body[10:] + body[:10]] * 6, body[10:] + LAST]
    assert ask(parts, pause=0.1) == 2 * 7 + 1


def test_no_time_passes_while_the_server_does_not_read(ask: Ask) -> None:
    slow = b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n"
    assert ask([slow + ONE + LAST[:10], LAST[10:]], pause=0.8) == 3


@pytest.mark.parametrize("before", [b"", ONE], ids=["alone", "behind another"])
def test_a_head_that_is_late_or_too_large_ends_the_connection(ask: Ask, before: bytes) -> None:
    answers = 1 if before else 0
    assert ask([before + LAST[:20]]) == answers
    large = b"GET / HTTP/1.1\r\nCookie: "
    pieces = [before + large, *[b"a" * 30_000] * 3]
    assert ask(pieces, pause=0.05) == answers
