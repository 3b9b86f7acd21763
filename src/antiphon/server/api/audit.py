"""The audit log of the workspace."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from antiphon.client.wire.access import audit_to_json
from antiphon.domain.identity import Principal, Scope
from antiphon.engine.access.audit import read_audit
from antiphon.engine.context import EngineContext
from antiphon.ports.access_store import AuditQuery
from antiphon.server.access.dependencies import ServicesOf, permitted
from antiphon.server.api.access_resources import AuditPage
from antiphon.server.api.documents import answer, encode
from antiphon.server.api.jobs import Text
from antiphon.server.api.paging import LARGEST_PAGE, decode_cursor, link_header, next_address
from antiphon.server.api.problems import problems
from antiphon.server.api.times import Moment, seconds_of
from antiphon.server.api.workspace import UNCACHED

router = APIRouter(tags=["audit"])

Auditor = Annotated[Principal, Depends(permitted(Scope.AUDIT_READ))]
Action = Annotated[
    str | None,
    Query(
        max_length=100,
        pattern=r"^[!-~]*$",
        description="Exact, or a beginning that ends in a dot: `key.` is every action on keys.",
    ),
]
LARGEST_SEQ = 2**53


@router.get("/audit", response_model=AuditPage, responses=problems())
async def list_audit(
    request: Request,
    principal: Auditor,
    services: ServicesOf,
    who: Text = None,
    action: Action = None,
    subject: Text = None,
    after: Moment = None,
    before: Moment = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 100,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """Who did what, when, from where; newest first, a page at a time."""
    place = decode_cursor(cursor)
    query = AuditQuery(
        workspace=principal.workspace,
        who=who,
        action=action,
        subject=subject,
        after=seconds_of(after),
        before=seconds_of(before),
        # The page before says where it ended by the number of its last line.
        before_seq=None if place is None else int(min(max(place[0], 0), LARGEST_SEQ)),
        limit=limit + 1,
    )
    return await services.call(_page, services.engine, request, query)


def _page(ctx: EngineContext, request: Request, query: AuditQuery) -> Response:
    found = read_audit(ctx, query)
    page = found[: query.limit - 1]
    more = next_address(request, (float(page[-1].seq), "")) if len(found) > len(page) else None
    document = {"entries": [audit_to_json(entry) for entry in page], "next": more}
    return answer(encode(document), headers={**UNCACHED, **link_header(more)})
