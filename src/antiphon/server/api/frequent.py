"""The two requests that a server gets more often than all others together: a submit, and a look at a job's status.

The framework compares the path with every route and takes the request apart parameter by parameter, which costs
several times what the answer does. The plain form of these two is therefore answered before it, by the same functions.
A request with a query, a preference, another type of content or a body that does not fit goes the usual way, and so do
the documentation and every refusal of a body.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import FastAPI
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Message, Receive, Scope, Send

from antiphon.domain.identity import Principal
from antiphon.domain.identity import Scope as Permission
from antiphon.engine.context import EngineContext
from antiphon.engine.requests import Origin
from antiphon.server.access.dependencies import authenticated, require
from antiphon.server.access.origin import sender_of
from antiphon.server.api.headers import idempotency_key, trace_of
from antiphon.server.api.job_status import status_answer
from antiphon.server.api.jobs import accepted, submit_body
from antiphon.server.api.submissions import Submission
from antiphon.server.services import services_of

_PASSED_ON = "antiphon.passed_on"
_OTHER_MEANING = frozenset({b"prefer"})
_JSON = b"application/json"

Endpoint = Callable[[Request], Awaitable[Response | None]]


def install_frequent(app: FastAPI) -> None:
    """Put the short ways before all routes of the app."""
    app.router.routes[:0] = [
        _PlainRoute("GET", "/v1/jobs/{job_id}/status", _status),
        _PlainRoute("POST", "/v1/jobs", _submit),
    ]


class _PlainRoute(Route):
    """Answers a request in its plain form; when the endpoint returns None, the routes after it do."""

    def __init__(self, method: str, path: str, endpoint: Endpoint) -> None:
        super().__init__(path, endpoint, methods=[method], include_in_schema=False)
        self.methods = {method}
        self._method = method
        self._endpoint = endpoint

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Only in full: what is not plain is another route's."""
        if scope["type"] == "http" and scope["method"] == self._method and not scope["query_string"]:
            found = self.path_regex.fullmatch(scope["path"])
            if found is not None and _PASSED_ON not in scope and _is_plain(scope, has_body=self._method == "POST"):
                return Match.FULL, {"path_params": found.groupdict(), "endpoint": self.endpoint, "route": self}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        request = Request(scope, receive, send)
        response = await self._endpoint(request)
        if response is None:
            scope[_PASSED_ON] = True
            await request.app.router(scope, _again(await request.body(), receive), send)
        else:
            await response(scope, receive, send)


def _is_plain(scope: Scope, *, has_body: bool) -> bool:
    is_json = not has_body
    for name, value in scope["headers"]:
        if name in _OTHER_MEANING:
            return False
        if name == b"content-type":
            is_json = value == _JSON
    return is_json


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive` with a body that was read already before what is still to come."""
    read: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def take() -> Message:
        return read.pop() if read else await receive()

    return take


async def _status(request: Request) -> Response:
    principal = await authenticated(request)
    require(principal, Permission.JOBS_READ)
    return await status_answer(request, services_of(request), principal, request.path_params["job_id"])


async def _submit(request: Request) -> Response | None:
    services = services_of(request)
    principal = await authenticated(request)
    require(principal, Permission.JOBS_WRITE)
    act = partial(
        _submitted,
        services.engine,
        principal,
        await request.body(),
        request.headers.get("idempotency-key"),
        trace_of(request),
        sender_of(request, principal),
    )
    found = await services.call(act)
    if found is None:
        return None
    request.state.job_id, response = found
    return response


def _submitted(
    ctx: EngineContext, principal: Principal, raw: bytes, key: str | None, trace: str | None, origin: Origin
) -> tuple[str, Response] | None:
    try:
        body = Submission.model_validate(json.loads(raw))
    except (ValueError, RecursionError, ValidationError):
        # The framework says it in its words, which are those of every other route.
        return None
    finished = submit_body(ctx, principal, body, idempotency_key(key), trace, origin)
    return finished.job.id, accepted(finished)
