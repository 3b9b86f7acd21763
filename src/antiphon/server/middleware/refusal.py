"""Refusing a request from a middleware, in the words of the part of the server it was meant for."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from antiphon.errors import AntiphonError
from antiphon.server.problems import problem_response

AZURE_PATHS = ("/subscriptions/", "/providers/")
"""Where Azure's clients ask, in lower case."""


async def refuse(error: AntiphonError, scope: Scope, receive: Receive, send: Send, *, close: bool = False) -> None:
    """Answer with the error as the path's protocol tells it.

    Args:
        close: End the connection, where the rest of a body is unwanted.
    """
    if scope["path"].lower().startswith(AZURE_PATHS):
        from antiphon.server.azure.refusals import azure_response

        response = azure_response(error)
        if close:
            response.headers["Connection"] = "close"
    else:
        request_id = str(scope.get("state", {}).get("request_id", ""))
        response = problem_response(error, request_id, {"Connection": "close"} if close else None)
    await response(scope, receive, send)
