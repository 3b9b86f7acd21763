"""`GET /metrics`, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from antiphon.server.access.dependencies import ServicesOf

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(services: ServicesOf) -> Response:
    """All metrics of this process in Prometheus' text format; no names of users or jobs are among them."""
    text, media_type = services.metrics.render()
    return Response(text, headers={"Content-Type": media_type})
