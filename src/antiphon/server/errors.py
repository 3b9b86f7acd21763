"""Every error of a request becomes a problem document; nothing of the inside is told to the outside."""

from __future__ import annotations

import json
import logging

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from antiphon.errors import AntiphonError, LimitError
from antiphon.server.problems import MEDIA_TYPE, TYPE_BASE, problem_of, problem_response

log = logging.getLogger("antiphon.server")


def request_id_of(request: Request) -> str:
    """The id under which this request is found in the logs."""
    return str(getattr(request.state, "request_id", ""))


def _allowed(request: Request) -> str:
    """The methods of every route of this path: the router names those of the first one alone."""
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.methods and route.path_regex.match(request.scope["path"]):
            methods |= route.methods
    return ", ".join(sorted(methods))


def install_error_handlers(app: FastAPI) -> None:
    """Handlers for our own errors, for bodies that do not fit the schema, for the framework's, and for the rest."""

    @app.exception_handler(AntiphonError)
    async def ours(request: Request, error: AntiphonError) -> Response:
        return problem_response(error, request_id_of(request))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        found = [
            {"pointer": "/" + "/".join(str(part) for part in each["loc"]), "detail": each["msg"]}
            for each in error.errors()[:20]
        ]
        return problem_response(
            LimitError(
                "The request does not fit what this route takes.",
                code="request-invalid",
                cause="; ".join(f"{each['pointer']}: {each['detail']}" for each in found[:3]),
                next_step="Compare it with the route's schema in /v1/openapi.json.",
                details={"errors": found},
            ),
            request_id_of(request),
        )

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        code = {404: "route-unknown", 405: "method-not-allowed"}.get(error.status_code, "http-error")
        problem = {
            **problem_of(AntiphonError(str(error.detail), code=code), request_id_of(request)),
            "status": error.status_code,
            "type": TYPE_BASE + code,
        }

        headers = {**(error.headers or {}), **({"Allow": _allowed(request)} if error.status_code == 405 else {})}
        return Response(json.dumps(problem).encode(), error.status_code, headers, MEDIA_TYPE)

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        log.error("a request failed", exc_info=error, extra={"path": request.url.path})
        return problem_response(
            AntiphonError(
                "Something went wrong inside the server.",
                code="internal-error",
                next_step="Report it with the request id; the server's log says more.",
            ),
            request_id_of(request),
        )
