"""Whether the process lives, and whether it is ready for work."""

from __future__ import annotations

import asyncio
import shutil

from fastapi import APIRouter
from starlette.responses import JSONResponse

from antiphon.errors import StoreError
from antiphon.server.access.dependencies import ServicesOf
from antiphon.server.services import Services

router = APIRouter(tags=["health"])

ANSWER_S = 5.0
"""A store that takes longer does not answer."""
LEAST_FREE_BYTES = 64 * 1024 * 1024
"""With less room on the disk of the folder, accepted work could not be stored."""


@router.get("/livez")
async def livez() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/healthz")
@router.get("/readyz")
async def readyz(services: ServicesOf) -> JSONResponse:
    """200 when the store answers, the disk has room and the server is not being stopped; else 503 with the reason."""
    if services.draining:
        return JSONResponse({"status": "draining"}, 503)
    try:
        # Asked often and by anybody: while a store hangs, one look waits for it, not one for each question.
        if services.looking is None or services.looking.done():
            services.looking = asyncio.ensure_future(services.call(_look, services))
        async with asyncio.timeout(ANSWER_S):
            await asyncio.shield(services.looking)
    except StoreError as error:
        return _unready(error.code, error.message)
    except TimeoutError:
        return _unready("store-slow", f"The store has not answered for {ANSWER_S:.0f} seconds.")
    return JSONResponse({"status": "ok"})


def _look(services: Services) -> None:
    with services.engine.store.read() as tx:
        tx.engines()
    free = shutil.disk_usage(services.running.home).free
    if free < LEAST_FREE_BYTES:
        raise StoreError(
            f"Only {free // 1024**2} MiB are free on the disk of the folder.",
            code="disk-nearly-full",
            next_step="Make room, or move the folder to a larger disk.",
        )


def _unready(code: str, reason: str) -> JSONResponse:
    return JSONResponse({"status": "unready", "code": code, "reason": reason}, 503)
