"""While the server is being stopped, what would start new work is refused; looking, waiting and ending go on."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon.errors import StoreError
from antiphon.server.middleware.refusal import refuse

_ENDINGS = ("/cancel", "/close", ":cancel", ":close")
RETRY_AFTER_S = 5


class RefuseNewWork:
    """503 with Retry-After for POST, PUT and PATCH while `is_draining` says so."""

    def __init__(self, app: ASGIApp, is_draining: Callable[[], bool]) -> None:
        self._app = app
        self._is_draining = is_draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if (
            scope["type"] == "http"
            and scope["method"] in {"POST", "PUT", "PATCH"}
            and self._is_draining()
            and not scope["path"].endswith(_ENDINGS)
        ):
            error = StoreError(
                "The server is being stopped and takes no new work.",
                code="server-draining",
                next_step="Try again in a few seconds; what was accepted is not lost.",
                details={"retry_after_s": RETRY_AFTER_S},
            )
            await refuse(error, scope, receive, send, close=True)
            return
        await self._app(scope, receive, send)
