"""Whether the process lives, and whether it is ready for work."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse

from antiphon.errors import StoreError
from antiphon.server.access.dependencies import ServicesOf
from antiphon.server.services import Services

router = APIRouter(tags=["health"])


@router.get("/livez")
async def livez() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/healthz")
@router.get("/readyz")
async def readyz(services: ServicesOf) -> JSONResponse:
    """200 when the store answers and the server is not being stopped; else 503 with the reason."""
    if services.draining:
        return JSONResponse({"status": "draining"}, 503)
    try:
        await services.call(_look, services)
    except StoreError as error:
        return JSONResponse({"status": "unready", "code": error.code, "reason": error.message}, 503)
    return JSONResponse({"status": "ok"})


def _look(services: Services) -> None:
    with services.engine.store.read() as tx:
        tx.engines()
