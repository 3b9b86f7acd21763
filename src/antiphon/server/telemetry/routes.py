"""`GET /metrics`, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from antiphon.domain.identity import Scope
from antiphon.engine.access.tenants import DEFAULT
from antiphon.errors import PermissionDeniedError
from antiphon.server.access.dependencies import ServicesOf, authenticated, require
from antiphon.server.api.problems import problems
from antiphon.server.first_start import is_loopback
from antiphon.server.settings import ServerSettings

router = APIRouter(tags=["health"])


def are_open(settings: ServerSettings) -> bool:
    """Whether anybody who reaches the server may read its metrics: unless set, on loopback without a proxy in front."""
    if settings.metrics_open is not None:
        return settings.metrics_open
    return is_loopback(settings.host) and not settings.behind_proxy


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}}},
        **{status: told for status, told in problems().items() if status != 422},
    },
)
async def metrics(request: Request, services: ServicesOf) -> Response:
    """All metrics in Prometheus' text format; no names of users or jobs are among them.

    Anybody may read them where the operator says so (`metrics_open`) or only this machine can ask; otherwise it takes a
    key of the workspace "default" with the scope audit:read, since they are about all workspaces.
    """
    if not request.app.state.metrics_open:
        principal = await authenticated(request)
        require(principal, Scope.AUDIT_READ)
        if principal.workspace != DEFAULT:
            raise PermissionDeniedError(
                "Metrics are about all workspaces of this server.",
                cause=f"this key is of the workspace {principal.workspace}",
                next_step=f"Use a key of the workspace {DEFAULT} with the scope audit:read.",
            )
    text, media_type = await services.call(services.metrics.render)
    return Response(text, headers={"Content-Type": media_type})
