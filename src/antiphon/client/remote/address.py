"""Where a server is and with what it is opened: the URL and the key, checked before anything is sent."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from antiphon.errors import AuthenticationError, ConnectionFailedError

KEY_VARIABLE = "ANTIPHON_API_KEY"
KEY_FILE_VARIABLE = "ANTIPHON_API_KEY_FILE"


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
    """The key as given, else of ANTIPHON_API_KEY, else of the file that ANTIPHON_API_KEY_FILE names; else None.

    Raises:
        AuthenticationError: It cannot be one, since it holds characters that no header takes (code "key-malformed"; the
            error does not show it); or its file cannot be read (code "key-unreadable").
    """
    key = (_key_outside() if api_key is None else api_key).strip()
    if not (key.isascii() and (key.isprintable() or not key)) or " " in key:
        raise AuthenticationError(
            "The API key is none: it holds spaces or characters that no key has.",
            code="key-malformed",
            next_step=f"Copy the whole key as `antiphon keys create` printed it, into api_key= or {KEY_VARIABLE}.",
        )
    return key or None


def _key_outside() -> str:
    key, file = os.environ.get(KEY_VARIABLE, ""), os.environ.get(KEY_FILE_VARIABLE)
    if key or not file:
        return key
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AuthenticationError(
            f"The file of the API key, {file}, cannot be read.",
            code="key-unreadable",
            cause=type(error).__name__,
            next_step=f"Correct {KEY_FILE_VARIABLE}, or set {KEY_VARIABLE}.",
        ) from None
