"""What a client must know to reach this server as though it were Azure Quantum: read by `antiphon env azure`."""

from __future__ import annotations

import time

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from antiphon.errors import AuthenticationError
from antiphon.server.access.dependencies import Reader
from antiphon.server.azure.authority import PrivateAuthority
from antiphon.server.services import services_of

router = APIRouter()

TOKEN_SECONDS = 3600
"""After this time the client asks again."""


@router.get("/azure/connection")
async def connection(request: Request, principal: Reader) -> dict[str, str | bool]:
    """The workspace of the caller's key, and the certificate (PEM) to trust in proxy mode.

    `proxy` is False where this server cannot be the proxy itself: one that speaks TLS, or stands behind another server.
    """
    services = services_of(request)
    settings = services.settings
    authority = await run_in_threadpool(PrivateAuthority, services.running.home)
    return {
        "workspace": principal.workspace,
        "certificate": authority.certificate_pem,
        "proxy": request.url.scheme == "http" and not settings.behind_proxy,
    }


@router.get("/azure/identity")
async def identity(request: Request) -> JSONResponse:
    """A token for Azure's own sign-in, in the protocol of a managed identity of App Service (2019-08-01).

    The token is the secret that the client sends in X-IDENTITY-HEADER, which is its API key: whoever asks learns
    nothing, and the key is looked at where the token is used.

    Raises:
        AuthenticationError: No secret came (code "key-missing").
    """
    secret = request.headers.get("x-identity-header", "")
    if not secret:
        raise AuthenticationError(
            "An API key is needed.", code="key-missing", next_step="Set what `antiphon env azure` printed."
        )
    return JSONResponse(
        {
            "access_token": secret,
            "expires_on": str(int(time.time()) + TOKEN_SECONDS),
            "resource": request.query_params.get("resource", ""),
            "token_type": "Bearer",
        },
        headers={"Cache-Control": "no-store"},
    )
