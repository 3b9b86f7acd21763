"""Members of the workspace, who sign in with an OpenID provider."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from antiphon.client.wire.access import member_to_json
from antiphon.domain.identity import Principal, Scope
from antiphon.engine.access import members
from antiphon.engine.access.names import LONGEST_NAME
from antiphon.server.access.dependencies import ServicesOf, permitted
from antiphon.server.access.origin import origin_of
from antiphon.server.api.access_resources import MemberBody, MemberList, MemberView
from antiphon.server.api.documents import answer, encode
from antiphon.server.api.problems import problems
from antiphon.server.api.workspace import UNCACHED

router = APIRouter(tags=["members"])

MemberKeeper = Annotated[Principal, Depends(permitted(Scope.MEMBERS))]

Subject = Annotated[str, Path(min_length=1, max_length=LONGEST_NAME)]
ONE = "/members/{subject:path}"
"""A subject holds the URL of its issuer, slashes and all."""


@router.get("/members", response_model=MemberList, responses=problems())
async def list_members(principal: MemberKeeper, services: ServicesOf) -> Response:
    """All members of the workspace, by name."""
    found = await services.call(members.list_members, services.engine, principal.workspace)
    return answer(encode({"members": [member_to_json(member) for member in found]}), headers=UNCACHED)


@router.get(ONE, response_model=MemberView, responses=problems(404))
async def get_member(subject: Subject, principal: MemberKeeper, services: ServicesOf) -> Response:
    """One member; the subject is "<issuer>#<sub>" of its tokens, percent-encoded, or its verified e-mail address."""
    member = await services.call(members.get_member, services.engine, principal.workspace, subject)
    return answer(encode(member_to_json(member)), headers=UNCACHED)


@router.put(
    ONE,
    response_model=MemberView,
    responses={**problems(400, 404, 409, 413), 201: {"description": "The member is new.", "model": MemberView}},
)
async def put_member(
    request: Request, subject: Subject, body: MemberBody, principal: MemberKeeper, services: ServicesOf
) -> Response:
    """Add a member, or change its role and name. Nobody gives a role above their own; the last admin stays one."""
    member, is_new = await services.call(
        members.save_member,
        services.engine,
        workspace=principal.workspace,
        subject=subject,
        role=body.role,
        name=body.name,
        by=principal,
        where=origin_of(request),
    )
    services.authenticator.forget_members()
    return answer(encode(member_to_json(member)), 201 if is_new else 200, UNCACHED)


@router.delete(ONE, status_code=204, response_class=Response, responses=problems(404, 409))
async def remove_member(request: Request, subject: Subject, principal: MemberKeeper, services: ServicesOf) -> Response:
    """Take a member out of the workspace; what it submitted stays."""
    await services.call(
        members.remove_member,
        services.engine,
        workspace=principal.workspace,
        subject=subject,
        by=principal,
        where=origin_of(request),
    )
    services.authenticator.forget_members()
    return Response(None, 204)
