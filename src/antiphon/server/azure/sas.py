"""Shared access signatures: the one credential of the storage, since the blob clients send no other.

The signature is an HMAC-SHA256 of ours, not of a storage account; the blob clients pass on whatever `sig` holds.
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from antiphon.server.azure.refusals import StorageRefusal

SERVICE_VERSION = "2026-10-06"
PERMISSIONS = "racwdl"
"""Read, add, create, write, delete, list: those the protocol knows, in its order."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a signature opens.

    Attributes:
        blob: One blob, or None for the whole container.
        permissions: Letters of PERMISSIONS.
        expires_at: Seconds since the epoch; whole ones are signed.
    """

    container: str
    blob: str | None
    permissions: str
    expires_at: float


class SasSigner:
    """Signs and checks grants with one secret key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, grant: Grant) -> str:
        """The grant as the query of a URL."""
        expires = dt.datetime.fromtimestamp(int(grant.expires_at), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        kind = "c" if grant.blob is None else "b"
        signature = self._signature(kind, grant.container, grant.blob or "", grant.permissions, expires)
        return urlencode({"sv": SERVICE_VERSION, "se": expires, "sr": kind, "sp": grant.permissions, "sig": signature})

    def check(self, query: Mapping[str, str], container: str, blob: str | None, needed: str, now: float) -> None:
        """Nothing, if the query opens `blob` (None: the container itself) for one of the permissions in `needed`.

        Raises:
            StorageRefusal: 403, saying whether the signature is missing, wrong, too old, or for something else.
        """
        kind, expires, permissions = query.get("sr", ""), query.get("se", ""), query.get("sp", "")
        given = query.get("sig", "")
        if not given:
            raise StorageRefusal(403, "AuthenticationFailed", "The URL carries no shared access signature.")
        signed_blob = (blob or "") if kind == "b" else ""
        expected = self._signature(kind, container, signed_blob, permissions, expires)
        if kind not in {"b", "c"} or not hmac.compare_digest(expected.encode(), given.encode()):
            raise StorageRefusal(
                403, "AuthenticationFailed", "The shared access signature does not belong to this URL."
            )
        if now >= dt.datetime.strptime(expires, "%Y-%m-%dT%H:%M:%S%z").timestamp():
            raise StorageRefusal(
                403,
                "AuthenticationFailed",
                f"The shared access signature expired at {expires}.",
                next_step="Ask the workspace for a new one (storage/sasUri).",
            )
        if (blob is None and kind == "b") or not set(needed) & set(permissions):
            raise StorageRefusal(
                403,
                "AuthorizationPermissionMismatch",
                f"The shared access signature permits {permissions!r}, and this takes one of {needed!r}.",
            )

    def _signature(self, *parts: str) -> str:
        # A JSON list, so that no two different lists of parts are the same text.
        digest = hmac.new(self._key, json.dumps(parts).encode(), "sha256").digest()
        return base64.b64encode(digest).decode()
