"""Pages of a list: `{"value", "nextLink"}`, the link absolute and repeating what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from antiphon.server.azure.refusals import AzureRefusal
from antiphon.server.azure.routing import AzureCall

DEFAULT_TOP = 100
MOST_TOP = 1_000
MOST_SKIP = 10_000_000


def page_bounds(query: Mapping[str, str]) -> tuple[int, int]:
    """`skip` and `top` of a request.

    Raises:
        AzureRefusal: 400 when one is no number or too small. Too large a `top` is cut, since the link leads on.
    """
    return _number(query, "skip", 0, 0, MOST_SKIP), min(_number(query, "top", DEFAULT_TOP, 1, MOST_SKIP), MOST_TOP)


def page(call: AzureCall, values: Sequence[Any], *, more: bool = False) -> Response:
    """One page; with `more`, its link leads to the next."""
    link = None
    if more:
        asked = call.request.query_params
        skip, top = page_bounds(asked)
        repeated = {name: asked[name] for name in ("filter", "orderby", "api-version") if name in asked}
        query = urlencode({**repeated, "top": top, "skip": skip + top})
        link = f"{call.api}{call.request.scope['path']}?{query}"
    return JSONResponse({"value": list(values), "nextLink": link})


def _number(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 12 or not least <= int(text) <= most:
        raise AzureRefusal(400, "InvalidQueryParameter", f"{name} must be a whole number from {least} to {most}.")
    return int(text)
