"""Where a server is and with what it is opened: the URL and the key, checked before anything is sent."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from antiphon.errors import AuthenticationError, ConnectionFailedError

KEY_VARIABLE = "ANTIPHON_API_KEY"


def is_url(where: object) -> bool:
    """Whether it names a server rather than a folder."""
    return isinstance(where, str) and where.lower().startswith(("http://", "https://"))


def checked_url(url: str) -> str:
    """The URL without a slash at its end.

    Raises:
        ConnectionFailedError: It has no host, a port that is none, a query, or a password (code "url-invalid").
    """
    try:
        parts = urlsplit(url)
        wrong = (
            "it names no host"
            if not parts.hostname
            else "it holds a password, which would be shown wherever the URL is"
            if parts.username is not None
            else "it has a query or a fragment"
            if parts.query or parts.fragment
            else ""
        )
        _ = parts.port
    except ValueError as error:
        wrong = str(error)
    if wrong:
        raise ConnectionFailedError(
            "The URL of the server cannot be used.",
            code="url-invalid",
            cause=wrong,
            next_step='Give host and port, Workspace("http://host:8000", api_key=…), and the key apart.',
        )
    return url.rstrip("/")


def api_key_or_default(api_key: str | None) -> str | None:
    """The key as given, else that of ANTIPHON_API_KEY; None where neither is.

    Raises:
        AuthenticationError: It cannot be one: it holds characters that no header takes. The error does not show it.
    """
    key = (api_key if api_key is not None else os.environ.get(KEY_VARIABLE, "")).strip()
    if not (key.isascii() and (key.isprintable() or not key)) or " " in key:
        raise AuthenticationError(
            "The API key is none: it holds spaces or characters that no key has.",
            code="key-malformed",
            next_step=f"Copy the whole key as `antiphon keys create` printed it, into api_key= or {KEY_VARIABLE}.",
        )
    return key or None
