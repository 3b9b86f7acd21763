"""What a client must know to reach this server as though it were Azure Quantum: read by `antiphon env azure`."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from antiphon.server.access.dependencies import Reader
from antiphon.server.azure.authority import PrivateAuthority
from antiphon.server.services import services_of

router = APIRouter()


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
