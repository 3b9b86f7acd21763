"""Errors over HTTP: the class of an error as a word, and a problem document as the error it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from antiphon import errors
from antiphon.errors import (
    AntiphonError,
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    LimitError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
)

_BY_STATUS: Mapping[int, type[AntiphonError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: LimitError,
    422: LimitError,
    429: RateLimitedError,
    502: ConnectionFailedError,
    503: ConnectionFailedError,
    504: ConnectionFailedError,
}
"""For answers of a proxy in between, which names no category of ours."""


def category_of(error: AntiphonError) -> str:
    """The code of the error's class, e.g. "limit-exceeded" for every `LimitError`, whatever its own code."""
    kinds = [kind for kind in type(error).__mro__ if issubclass(kind, AntiphonError)]
    return next(kind.code for kind in kinds if kind.__module__ == errors.__name__)


def error_from_problem(problem: Mapping[str, Any], status: int) -> AntiphonError:
    """The error that a problem document tells of, in the class it had in the server.

    A document without a category that is known here gets its class from the HTTP status, or the root class.
    """
    kind = _CLASSES.get(str(problem.get("category")), _BY_STATUS.get(status, AntiphonError))
    details = problem.get("details")
    details = dict(details) if isinstance(details, Mapping) else {}
    if status >= 500 and problem.get("request_id"):
        details["request_id"] = problem["request_id"]
    return kind(
        _text(problem.get("title")) or f"The server answered with the HTTP status {status}.",
        cause=_text(problem.get("detail")),
        next_step=_text(problem.get("solution")),
        code=_text(problem.get("code")) or None,
        details=details,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _family(kind: type[AntiphonError]) -> Iterator[type[AntiphonError]]:
    yield kind
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from _family(each)


_CLASSES = {kind.code: kind for kind in _family(AntiphonError)}
