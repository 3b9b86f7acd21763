"""Refusing a request from a middleware, in the words of the part of the server it was meant for."""

from __future__ import annotations

import re

from starlette.types import Receive, Scope, Send

from antiphon.errors import AntiphonError
from antiphon.server.problems import outward, problem_response

AZURE_PATHS = ("/subscriptions/", "/providers/")
"""Where Azure's clients ask, in lower case."""
_STORAGE = re.compile(r"/([A-Za-z0-9-]{3,63})/\1(/|$)")
"""Where their blobs are: the container's name twice."""


async def refuse(error: AntiphonError, scope: Scope, receive: Receive, send: Send, *, close: bool = False) -> None:
    """Answer with the error as the path's protocol tells it.

    Args:
        close: End the connection, where the rest of a body is unwanted.
    """
    if scope["path"].lower().startswith(AZURE_PATHS):
        from antiphon.server.azure.refusals import azure_response

        response = azure_response(error)
    elif _speaks_azure(scope) and _STORAGE.match(scope["path"]):
        from antiphon.server.azure.refusals import storage_response

        response = storage_response(error, with_body=scope["method"] != "HEAD")
    else:
        response = problem_response(outward(error), str(scope.get("state", {}).get("request_id", "")))
    if close:
        response.headers["Connection"] = "close"
    await response(scope, receive, send)


def _speaks_azure(scope: Scope) -> bool:
    app = scope.get("app")
    return app is not None and hasattr(app.state, "azure")
