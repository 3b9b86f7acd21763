"""Pages of lists: an opaque cursor, and the address of the next page in the body and as a Link (RFC 8288)."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any

from starlette.requests import Request

from antiphon.errors import LimitError

Place = tuple[float, str]
"""(created_at, id) of the last one seen."""

LARGEST_PAGE = 500


def encode_cursor(place: Place) -> str:
    """A cursor that `decode_cursor` understands."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> Place | None:
    """Where the page before ended; None without a cursor.

    Raises:
        LimitError: It is none of ours (code "cursor-invalid").
    """
    if cursor is None:
        return None
    try:
        found: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        found = None
    match found:
        # Ids are ASCII; half a surrogate pair, which JSON can spell, could not even be asked for.
        case [float(at), str(last)] if math.isfinite(at) and last.isascii() and "\0" not in last and len(last) <= 100:
            return at, last
    raise LimitError(
        "The cursor is none that this server gave out.",
        code="cursor-invalid",
        next_step='Follow "next" of the page before as it is, or leave the cursor out to begin anew.',
    )


def next_address(request: Request, place: Place) -> str:
    """Path and query of the page after this one: the same question with another cursor."""
    url = request.url.include_query_params(cursor=encode_cursor(place))
    return f"{url.path}?{url.query}"


def link_header(address: str | None) -> dict[str, str]:
    """The Link of the next page, if there is one."""
    return {} if address is None else {"Link": f'<{address}>; rel="next"'}
