"""Who the caller is, and its workspace."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from antiphon.client.wire.access import tenant_to_json
from antiphon.domain.identity import Principal
from antiphon.engine.access.tenants import require_tenant
from antiphon.engine.context import EngineContext
from antiphon.server.access.dependencies import Reader, ServicesOf, authenticated
from antiphon.server.api.access_resources import WhoView, WorkspaceView
from antiphon.server.api.documents import answer, encode
from antiphon.server.api.problems import problems

router = APIRouter(tags=["workspace"])

UNCACHED = {"Cache-Control": "private, no-store"}


@router.get("/whoami", response_model=WhoView, responses=problems())
async def who_am_i(principal: Annotated[Principal, Depends(authenticated)]) -> Response:
    """Who the caller is, in which workspace, and what it may do. Any key or token will do."""
    document = {
        "workspace": principal.workspace,
        "who": principal.name,
        "role": principal.role.value,
        "scopes": sorted(scope.value for scope in principal.scopes),
        "via": principal.via,
    }
    return answer(encode(document), headers=UNCACHED)


@router.get("/workspace", response_model=WorkspaceView, responses=problems(404))
async def get_workspace(principal: Reader, services: ServicesOf) -> Response:
    """The caller's workspace."""
    return await services.call(_workspace, services.engine, principal.workspace)


def _workspace(ctx: EngineContext, name: str) -> Response:
    with ctx.store.read() as tx:
        return answer(encode(tenant_to_json(require_tenant(tx, name))), headers=UNCACHED)
