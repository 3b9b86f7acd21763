"""Errors over HTTP: RFC 9457 problem details with the error's code, cause and next step."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from antiphon.client.wire.problems import category_of
from antiphon.errors import (
    AntiphonError,
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    InvalidRequestError,
    JobCancelledError,
    JobFailedError,
    LimitError,
    MissingExtraError,
    NotFoundError,
    PermissionDeniedError,
    ProgramError,
    QuotaExceededError,
    RateLimitedError,
    SessionEndedError,
    StoreError,
    WaitTimeoutError,
)

log = logging.getLogger("antiphon.server")

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "urn:antiphon:problem:"
"""`type` is this and the code: a name, not an address, since servers have no common place on the web."""

_BY_CODE: Mapping[str, int] = {
    "key-reused": 422,
    "body-too-large": 413,
    "internal-error": 500,
    "store-busy": 503,
    "store-closed": 503,
    "server-draining": 503,
    "readers-busy": 503,
    "compilers-busy": 503,
    "oidc-unreachable": 503,
    "body-too-slow": 408,
    "store-unreachable": 503,
    "store-full": 507,
    "precondition-failed": 412,
    "precondition-required": 428,
}
_BY_KIND: tuple[tuple[type[AntiphonError], int], ...] = (
    (AuthenticationError, 401),
    (PermissionDeniedError, 403),
    (QuotaExceededError, 403),
    (RateLimitedError, 429),
    (NotFoundError, 404),
    (SessionEndedError, 409),
    (JobFailedError, 409),
    (JobCancelledError, 409),
    (ConflictError, 409),
    (LimitError, 422),
    (ProgramError, 422),
    (MissingExtraError, 501),
    (WaitTimeoutError, 504),
    (ConnectionFailedError, 502),
    (StoreError, 500),
)


def outward(error: AntiphonError) -> AntiphonError:
    """The error as callers may see it: where the store is and what its driver said is for the server's log alone."""
    if not (isinstance(error, StoreError) and error.code.startswith(("store-", "blob-"))):
        return error
    level = logging.WARNING if error.code in {"store-busy", "store-closed"} else logging.ERROR
    log.log(level, error.message, extra={"code": error.code, "cause": error.cause})
    return StoreError(
        "The server's store cannot do this now.",
        code=error.code,
        next_step="Try again later; the operator finds the cause in the server's log, under the id of the request.",
    )


def status_of(error: AntiphonError) -> int:
    """The HTTP status of an error."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return next((status for kind, status in _BY_KIND if isinstance(error, kind)), 500)


def problem_of(error: AntiphonError, request_id: str = "") -> dict[str, Any]:
    """The problem document.

    `title` is the message, `solution` the next step, `category` the code of the error's class, and `details` are
    machine-readable facts. A request that does not fit also has `errors`, with a JSON pointer each.
    """
    misfits = error.details.get("errors") if isinstance(error, InvalidRequestError) else None
    return {
        "type": TYPE_BASE + error.code,
        "title": error.message,
        "status": status_of(error),
        "detail": error.cause,
        "code": error.code,
        "category": category_of(error),
        "solution": error.next_step,
        "details": error.details,
        "request_id": request_id,
        **({} if misfits is None else {"errors": misfits}),
    }


def problem_response(error: AntiphonError, request_id: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """The answer that tells an error."""
    status = status_of(error)
    extra = dict(headers or {})
    retry_after = error.details.get("retry_after_s")
    if isinstance(retry_after, int | float):
        extra.setdefault("Retry-After", str(max(1, math.ceil(retry_after))))
    elif status == 503:
        extra.setdefault("Retry-After", "1")
    if status == 401:
        extra.setdefault("WWW-Authenticate", 'Bearer realm="antiphon"')
    body = json.dumps(problem_of(error, request_id), separators=(",", ":"), default=str).encode()
    return Response(body, status, extra, MEDIA_TYPE)
