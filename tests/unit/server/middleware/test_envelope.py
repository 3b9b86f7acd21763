from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from antiphon.server.middleware.draining import RefuseNewWork
from antiphon.server.middleware.envelope import Envelope
from antiphon.server.telemetry.metrics import Metrics


async def whole(request: Request) -> Response:
    return Response(request.state.request_id, headers={"Cache-Control": "public"})


async def limited(request: Request) -> Response:
    request.state.rate_limit = ("policy", "standing")
    return Response()


async def broken(request: Request) -> Response:
    raise RuntimeError("inside")


ROUTES = [
    Route("/jobs/{job_id}", whole),
    Route("/limited", limited),
    Route("/broken", broken),
    Route("/jobs", whole, methods=["POST"]),
    Route("/jobs/{job_id}/cancel", whole, methods=["POST"]),
    Route("/sessions/{name:path}", whole, methods=["POST", "GET"]),
]


def send(app: Any, path: str, method: str = "GET", **options: Any) -> httpx2.Response:
    async def once() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.request(method, path, **options)

    return asyncio.run(once())


def test_the_id_goes_in_and_out() -> None:
    app = Envelope(Starlette(routes=ROUTES), Metrics())
    answer = send(app, "/jobs/1", headers={"X-Request-Id": "abc-1"})
    assert (answer.text, answer.headers["X-Request-Id"]) == ("abc-1", "abc-1")


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>", "a\tb", 'a"b'])
def test_what_is_no_id_is_replaced(given: str) -> None:
    app = Envelope(Starlette(routes=ROUTES), Metrics())
    answer = send(app, "/jobs/1", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"].startswith("req_")
    assert answer.text == answer.headers["X-Request-Id"]


def test_headers_are_added_and_a_routes_own_are_kept() -> None:
    app = Envelope(Starlette(routes=ROUTES), Metrics())
    kept = send(app, "/jobs/1").headers
    assert kept["Cache-Control"] == "public"
    assert kept["X-Content-Type-Options"] == "nosniff"
    told = send(app, "/limited").headers
    assert (told["RateLimit-Policy"], told["RateLimit"]) == ("policy", "standing")
    assert told["Cache-Control"] == "no-store"


def test_metrics_know_routes_and_no_ids(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    app = Envelope(Starlette(routes=ROUTES), metrics)
    send(app, "/jobs/secret-name")
    send(app, "/broken")
    send(app, "/nowhere/secret-name")
    send(app, "/jobs/1", "BREW")
    text = metrics.render()[0].decode()
    assert 'antiphon_http_requests_total{method="GET",route="/jobs/{job_id}",status="200"} 1.0' in text
    assert 'route="/broken",status="500"} 1.0' in text
    assert 'method="other"' in text
    assert "secret-name" not in text
    assert "antiphon_http_requests_in_flight 0.0" in text


def test_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    app = Envelope(Starlette(routes=ROUTES), Metrics())
    with caplog.at_level(logging.INFO, "antiphon.request"):
        send(app, "/jobs/1", headers={"X-Request-Id": "abc", "Authorization": "Bearer ant_hush"})
    [line] = [record for record in caplog.records if record.name == "antiphon.request"]
    assert (line.__dict__["request_id"], line.__dict__["status"], line.__dict__["path"]) == ("abc", 200, "/jobs/1")
    assert "ant_hush" not in str(line.__dict__)


@pytest.mark.parametrize(
    ("method", "path", "refused"),
    [
        ("POST", "/jobs", True),
        ("POST", "/sessions/s", True),
        ("GET", "/jobs/1", False),
        ("POST", "/jobs/1/cancel", False),
        ("POST", "/sessions/s/close", False),
        ("POST", "/sessions/s:close", False),
    ],
)
def test_while_draining_new_work_is_refused_and_nothing_else(method: str, path: str, refused: bool) -> None:
    inside = Starlette(routes=ROUTES)
    assert send(Envelope(RefuseNewWork(inside, is_draining=lambda: False), Metrics()), path, method).status_code == 200
    answer = send(Envelope(RefuseNewWork(inside, is_draining=lambda: True), Metrics()), path, method)
    assert answer.status_code == (503 if refused else 200)
    if refused:
        assert answer.json()["code"] == "server-draining"
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
