"""Where a request comes from, for the audit log."""

from __future__ import annotations

from starlette.requests import HTTPConnection


def origin_of(request: HTTPConnection) -> str:
    """The caller's address: its own, or what a trusted proxy in front says it is."""
    return request.client.host if request.client else "unknown"
