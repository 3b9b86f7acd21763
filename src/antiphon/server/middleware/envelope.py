"""The outermost layer: the request's id, the headers of every answer, the metrics, and one line in the log."""

from __future__ import annotations

import logging
import re
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from antiphon.engine.ids import new_id
from antiphon.server.telemetry.metrics import Metrics

log = logging.getLogger("antiphon.request")

_AN_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
NATIVE = "/v1"
_QUIET = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})


class Envelope:
    """Gives each request an id (the caller's `X-Request-Id` if it is one) and sends it back with the answer."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given_id(scope) or new_id("req")
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, request_id, state.get("rate_limit"))
            await send(message)

        # Whatever is logged on the way carries the id, in threads too.
        bound = bind_contextvars(request_id=request_id)
        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, answer)
        finally:
            self._metrics.in_flight.dec()
            self._tell(scope, status or 499, time.perf_counter() - started)
            reset_contextvars(**bound)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        # The route's pattern, never the path: an id in a label would make a new time series for each job.
        route = _pattern(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.request_seconds.labels(method, route).observe(seconds)
        level = logging.DEBUG if scope["path"] in _QUIET else logging.INFO
        if log.isEnabledFor(level):
            state = scope["state"]
            principal = state.get("principal")
            client = scope.get("client")
            log.log(
                level,
                "request",
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "route": route,
                    "status": status,
                    "duration_ms": round(seconds * 1000, 3),
                    "request_id": state["request_id"],
                    "job_id": state.get("job_id") or scope.get("path_params", {}).get("job_id"),
                    "workspace": principal.workspace if principal is not None else None,
                    "who": principal.name if principal is not None else None,
                    "address": client[0] if client else None,
                },
            )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _pattern(scope: Scope) -> str:
    """The pattern of the route that answered, e.g. "/v1/jobs/{job_id}"."""
    found: str | None = getattr(scope.get("route"), "path", None)
    if found is None:
        return "unknown"
    # The route of a router that is included under a prefix does not know the prefix.
    native = scope["path"].startswith(NATIVE) and not found.startswith(NATIVE)
    return NATIVE + found if native else found


def _given_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode() if _AN_ID.fullmatch(value) else None
    return None


def _add_headers(message: Message, request_id: str, rate_limit: tuple[str, str] | None) -> None:
    headers = MutableHeaders(scope=message)
    headers["X-Request-Id"] = request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Cache-Control", "no-store")
    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    headers.setdefault("Referrer-Policy", "no-referrer")
    if rate_limit is not None:
        headers["RateLimit-Policy"], headers["RateLimit"] = rate_limit
