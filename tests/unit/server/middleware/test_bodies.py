from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from antiphon.server.middleware.bodies import BodyLimits


async def echo(request: Request) -> Response:
    return JSONResponse({"size": len(await request.body())})


async def swallow(request: Request) -> Response:
    """What a framework does that takes any fault of a body for a bad request of its own."""
    try:
        await request.body()
    except Exception:  # noqa: BLE001 - that is the point
        return Response("something else", 400)
    return Response("ok")


async def ignore(request: Request) -> Response:
    return Response("not read")


APP = BodyLimits(
    Starlette(routes=[Route(f"/{f.__name__}", f, methods=["POST", "GET"]) for f in (echo, swallow, ignore)]),
    max_bytes=lambda path: 1000 if path != "/large" else 10_000,
    seconds=0.05,
)


def send(path: str, method: str = "POST", **options: Any) -> httpx2.Response:
    async def once() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=APP), base_url="http://x") as client:
            return await client.request(method, path, **options)

    return asyncio.run(once())


async def parts(count: int, pause: float = 0.0) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(pause)
        yield b"x" * 100


def test_what_fits_passes() -> None:
    assert send("/echo", content=b"x" * 1000).json() == {"size": 1000}
    assert send("/echo", content=parts(10)).json() == {"size": 1000}
    assert send("/echo").json() == {"size": 0}
    assert send("/echo", "GET").json() == {"size": 0}


@pytest.mark.parametrize("path", ["/echo", "/swallow", "/ignore"])
def test_a_body_announced_as_too_large_is_refused_unread(path: str) -> None:
    answer = send(path, content=b"x" * 1001)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert answer.json()["details"] == {"limit_bytes": 1000}
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize("path", ["/echo", "/swallow"])
def test_a_body_that_turns_out_too_large(path: str) -> None:
    answer = send(path, content=parts(11))
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("path", ["/echo", "/swallow"])
def test_a_body_that_does_not_come(path: str) -> None:
    answer = send(path, content=parts(5, pause=0.5))
    assert (answer.status_code, answer.json()["code"]) == (408, "body-too-slow")


def test_a_body_that_nobody_reads_is_no_fault() -> None:
    assert send("/ignore", content=parts(3)).text == "not read"


def test_a_refusal_in_azures_words() -> None:
    answer = send("/subscriptions/s/resourceGroups/r", content=b"x" * 1001)
    assert answer.status_code == 413
    assert "error" in answer.json()
