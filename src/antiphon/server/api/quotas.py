"""Quotas of the workspace: every member may see them, an admin sets them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from antiphon.client.wire.access import standing_to_json
from antiphon.domain.identity import Principal, Scope
from antiphon.engine.access import limits
from antiphon.server.access.dependencies import Reader, ServicesOf, permitted
from antiphon.server.access.origin import origin_of
from antiphon.server.api.access_resources import QuotaBody, QuotaList, QuotaView
from antiphon.server.api.documents import answer, encode, is_id
from antiphon.server.api.problems import problems
from antiphon.server.api.workspace import UNCACHED

router = APIRouter(tags=["quotas"])

QuotaKeeper = Annotated[Principal, Depends(permitted(Scope.QUOTAS))]


@router.get("/quotas", response_model=QuotaList, responses=problems())
async def list_quotas(principal: Reader, services: ServicesOf) -> Response:
    """Every quota of the workspace with what is used, held by jobs that have not ended, and left."""
    found = await services.call(limits.list_quotas, services.engine, principal.workspace)
    return answer(encode({"quotas": [standing_to_json(each) for each in found]}), headers=UNCACHED)


@router.get("/quotas/{quota_id}", response_model=QuotaView, responses=problems(404))
async def get_quota(quota_id: str, principal: Reader, services: ServicesOf) -> Response:
    """One quota of the workspace, and where it stands."""
    standing = await services.call(limits.get_quota, services.engine, principal.workspace, quota_id)
    return answer(encode(standing_to_json(standing)), headers=UNCACHED)


@router.post(
    "/quotas",
    status_code=201,
    response_model=QuotaView,
    responses={
        **problems(400, 404, 413),
        200: {"description": "There was one for this; it has the new limit.", "model": QuotaView},
    },
)
async def set_quota(request: Request, body: QuotaBody, principal: QuotaKeeper, services: ServicesOf) -> Response:
    """Limit the workspace. It counts what is submitted from now on."""
    standing, is_new = await services.call(
        limits.set_quota,
        services.engine,
        workspace=principal.workspace,
        dimension=body.dimension,
        limit=body.limit,
        period=body.period,
        target=body.target,
        by=principal,
        where=origin_of(request),
    )
    headers = {**UNCACHED, "Location": f"/v1/quotas/{standing.quota.id}"}
    return answer(encode(standing_to_json(standing)), 201 if is_new else 200, headers)


@router.delete("/quotas/{quota_id}", status_code=204, response_class=Response, responses=problems(404))
async def remove_quota(request: Request, quota_id: str, principal: QuotaKeeper, services: ServicesOf) -> Response:
    """Limit the workspace no longer, and forget what was used."""
    if not is_id(quota_id):
        raise limits.quota_not_found(quota_id)
    await services.call(
        limits.remove_quota,
        services.engine,
        workspace=principal.workspace,
        quota_id=quota_id,
        by=principal,
        where=origin_of(request),
    )
    return Response(None, 204)
