"""Entity tags: what a client has already need not be sent again (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from antiphon.errors import ConflictError
from antiphon.server.api.documents import answer


def version_tag(version: int) -> str:
    """A weak tag: what it stands for is the same as long as the stored version is."""
    return f'W/"v{version}"'


def content_tag(body: bytes) -> str:
    """A strong tag: SHA-256 of the body."""
    return f'"{hashlib.sha256(body).hexdigest()}"'


def is_known(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` names the tag; tags are compared weakly, as the header asks."""
    given = request.headers.get("If-None-Match")
    if given is None:
        return False
    names = {each.strip().removeprefix("W/") for each in given.split(",")}
    return "*" in names or tag.removeprefix("W/") in names


def tagged(request: Request, tag: str, body: bytes, headers: Mapping[str, str]) -> Response:
    """200 with the body, or 304 when the client has it."""
    with_tag = {**headers, "ETag": tag}
    return Response(None, 304, with_tag) if is_known(request, tag) else answer(body, 200, with_tag)


def require_match(request: Request, tag: str) -> None:
    """Let a change through only if it is of the state that the caller has seen: `If-Match` names it, or is `*`.

    Raises:
        ConflictError: There is no such header (code "precondition-required"), or the state is another one by now
            ("precondition-failed").
    """
    given = request.headers.get("If-Match")
    if given is None:
        raise ConflictError(
            "A change says which state it is of.",
            code="precondition-required",
            next_step="Send the ETag of what you read as If-Match, or If-Match: * to change it whatever it is.",
        )
    # Weak tags never match here (RFC 9110, 13.1.1).
    if not {each.strip() for each in given.split(",")} & {"*", tag}:
        raise ConflictError(
            "It is no longer what If-Match says.",
            code="precondition-failed",
            next_step="Read it again, and change what you find then.",
        )
