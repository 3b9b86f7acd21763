"""What OpenAPI says of answers that are problems."""

from __future__ import annotations

from typing import Any

from antiphon.server.problems import MEDIA_TYPE

_MEANING = {
    400: "The request cannot be read.",
    401: "No key or token, or one that opens nothing.",
    403: "The role or the key does not allow this, or a quota is used up.",
    404: "Nothing of that id or name is in this workspace.",
    409: "The state of things does not allow it (yet); the code says which.",
    412: "It is no longer what If-Match says.",
    413: "The body is too large.",
    422: "What is asked for is refused: a program, a value, a limit, or a reused key.",
    428: "If-Match is missing.",
    429: "Too many requests or open streams; Retry-After says when to come back.",
    500: "Something went wrong inside the server.",
    503: "The server is being stopped, or its store does not answer.",
}
ALWAYS = (401, 403, 422, 429, 500, 503)
"""What any route may answer."""

Responses = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Responses:
    """`responses=` of a route: these problems and those that any route may answer."""
    return {
        status: {
            "description": _MEANING[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted({*statuses, *ALWAYS})
    }
