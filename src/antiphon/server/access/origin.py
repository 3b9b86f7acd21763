"""Where a request comes from, for the audit log."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from antiphon.domain.identity import Principal
from antiphon.engine.requests import Origin


def origin_of(request: HTTPConnection) -> str:
    """The caller's address: its own, or what a trusted proxy in front says it is."""
    return request.client.host if request.client else "unknown"


def sender_of(request: HTTPConnection, principal: Principal) -> Origin:
    """How and from where a caller came, for what the engine writes into the audit log."""
    return Origin(principal.via, origin_of(request))
