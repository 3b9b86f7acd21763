"""What the failures of `requests`, under several SDKs, mean for what was asked."""

from __future__ import annotations

import requests
from urllib3.exceptions import NewConnectionError

BUSY = frozenset({408, 425, 429, 503})
"""Answers of which nothing was taken."""


def never_left(error: BaseException) -> bool:
    """Whether no connection was made, so that the request is not on its way; looks through what the error came from."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, requests.exceptions.ConnectTimeout):
            return True
        if isinstance(seen, requests.exceptions.ConnectionError):
            reason = getattr(seen.args[0], "reason", None) if seen.args else None
            return isinstance(reason, NewConnectionError)
        seen = seen.__cause__ or seen.__context__
    return False


def status_of(error: BaseException) -> int | None:
    """The HTTP status under an error, where there was an answer."""
    seen: BaseException | None = error
    while seen is not None:
        status = getattr(seen, "status_code", None) or getattr(getattr(seen, "response", None), "status_code", None)
        if isinstance(status, int) and status > 0:
            return status
        seen = seen.__cause__ or seen.__context__
    return None
