"""Every error of a request becomes a problem document; nothing of the inside is told to the outside."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from antiphon.errors import AntiphonError, InvalidRequestError
from antiphon.server.problems import MEDIA_TYPE, TYPE_BASE, outward, problem_of, problem_response

log = logging.getLogger("antiphon.server")

COMPARE = "Compare it with the route's schema in /v1/openapi.json."
SEND_JSON = "Send JSON, and say so: Content-Type: application/json."


def request_id_of(request: Request) -> str:
    """The id under which this request is found in the logs."""
    return str(getattr(request.state, "request_id", ""))


def _misfit(found: Mapping[str, Any]) -> dict[str, str]:
    """Where a request does not fit, as a JSON pointer, and why."""
    if found["type"] == "json_invalid":
        # Its last part is no name in the body but how far it could be read.
        position, reason = found["loc"][-1], found.get("ctx", {}).get("error", "")
        return {"pointer": "/body", "detail": f"no JSON from character {position} on: {reason}"}
    return {"pointer": "/" + "/".join(str(part) for part in found["loc"]), "detail": str(found["msg"])}


def _is_json(request: Request) -> bool:
    """Whether its body says that it is JSON; one without a body needs not say so."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return request.method in {"GET", "HEAD", "DELETE"} or kind == "application/json" or kind.endswith("+json")


def _of_framework(request: Request, error: HTTPException, code: str) -> AntiphonError:
    path = request.url.path
    match error.status_code:
        case 404:
            return AntiphonError(
                f"There is no {path} here.", code=code, next_step="The API begins at /v1; /v1/openapi.json lists it."
            )
        case 405:
            allowed = _allowed(request)
            return AntiphonError(f"{path} takes no {request.method}.", code=code, next_step=f"It takes {allowed}.")
    return AntiphonError(str(error.detail), code=code)


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
        return problem_response(outward(error), request_id_of(request))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        found = [_misfit(each) for each in error.errors()[:20]]
        return problem_response(
            InvalidRequestError(
                "The request does not fit what this route takes.",
                cause="; ".join(f"{each['pointer']}: {each['detail']}" for each in found[:3]),
                next_step=COMPARE if _is_json(request) else SEND_JSON,
                details={"errors": found},
            ),
            request_id_of(request),
        )

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        code = {404: "route-unknown", 405: "method-not-allowed"}.get(error.status_code, "http-error")
        problem = {
            **problem_of(_of_framework(request, error, code), request_id_of(request)),
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
