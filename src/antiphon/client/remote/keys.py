"""Idempotency keys: what makes a submit safe to send again."""

from __future__ import annotations

import http_sf
from ulid import ULID


def new_key() -> str:
    """A key for a request that the caller gave none."""
    return f"auto-{ULID()}"


def idempotency(key: str) -> dict[str, str]:
    """The header of a key: a String of RFC 9651, or a Display String when it has other characters than ASCII's."""
    plain = key.isascii() and key.isprintable()
    value = http_sf.ser(key if plain else http_sf.DisplayString(key))
    return {"Idempotency-Key": value}
