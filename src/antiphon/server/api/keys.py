"""API keys of the workspace."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from antiphon.client.wire.access import key_to_json
from antiphon.domain.identity import ApiKey, Principal, Scope
from antiphon.engine.access import keys
from antiphon.server.access.dependencies import ServicesOf, permitted
from antiphon.server.access.origin import origin_of
from antiphon.server.api.access_resources import KeyBody, KeyList, KeyView, NewKeyView
from antiphon.server.api.documents import answer, encode, is_id
from antiphon.server.api.problems import problems
from antiphon.server.api.workspace import UNCACHED
from antiphon.server.services import Services

router = APIRouter(tags=["keys"])

KeyKeeper = Annotated[Principal, Depends(permitted(Scope.KEYS))]


@router.post("/keys", status_code=201, response_model=NewKeyView, responses=problems(400, 413))
async def create_key(request: Request, body: KeyBody, principal: KeyKeeper, services: ServicesOf) -> Response:
    """Make a key, which can do no more than who makes it. Its text is in this answer only: keep it."""
    key, text = await services.call(
        keys.create_key,
        services.engine,
        workspace=principal.workspace,
        name=body.name,
        role=body.role,
        scopes=body.scopes,
        expires_in=body.expires_in_s,
        by=principal,
        where=origin_of(request),
    )
    document = {**key_to_json(key, key.created_at), "key": text}
    return answer(encode(document), 201, {**UNCACHED, "Location": f"/v1/keys/{key.id}"})


@router.get("/keys", response_model=KeyList, responses=problems())
async def list_keys(principal: KeyKeeper, services: ServicesOf) -> Response:
    """All keys of the workspace, newest first, the expired and revoked ones too."""
    found = await services.call(keys.list_keys, services.engine, principal.workspace)
    now = services.engine.clock.now()
    return answer(encode({"keys": [key_to_json(key, now) for key in found]}), headers=UNCACHED)


@router.get("/keys/{key_id}", response_model=KeyView, responses=problems(404))
async def get_key(key_id: str, principal: KeyKeeper, services: ServicesOf) -> Response:
    """One key of the workspace."""
    _check(key_id)
    return _answer(services, await services.call(keys.get_key, services.engine, principal.workspace, key_id))


@router.delete("/keys/{key_id}", response_model=KeyView, responses=problems(404))
async def revoke_key(request: Request, key_id: str, principal: KeyKeeper, services: ServicesOf) -> Response:
    """Revoke a key: it opens nothing any more. Its line stays; to revoke it again is no error."""
    _check(key_id)
    key = await services.call(
        keys.revoke_key,
        services.engine,
        workspace=principal.workspace,
        key_id=key_id,
        by=principal,
        where=origin_of(request),
    )
    services.authenticator.forget_key(key.id)
    return _answer(services, key)


def _answer(services: Services, key: ApiKey) -> Response:
    return answer(encode(key_to_json(key, services.engine.clock.now())), headers=UNCACHED)


def _check(key_id: str) -> None:
    if not is_id(key_id):
        raise keys.key_not_found(key_id)
