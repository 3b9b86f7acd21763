"""The entrance: what this is, who the caller is to it, and where to go."""

from __future__ import annotations

from importlib.metadata import version

from starlette.responses import Response

from antiphon.server.access.dependencies import Reader
from antiphon.server.api.documents import answer, encode

LINKS = {
    "self": "/v1",
    "jobs": "/v1/jobs",
    "sessions": "/v1/sessions",
    "targets": "/v1/targets",
    "events": "/v1/events",
    "openapi": "/v1/openapi.json",
}


async def get_root(principal: Reader) -> Response:
    """What this service is, the workspace and scopes of the caller, and links to everything."""
    document = {
        "name": "antiphon",
        "version": version("antiphon"),
        "workspace": principal.workspace,
        "who": principal.name,
        "role": principal.role.value,
        "scopes": sorted(scope.value for scope in principal.scopes),
        "links": LINKS,
    }
    return answer(encode(document), headers={"Cache-Control": "private, no-cache"})
