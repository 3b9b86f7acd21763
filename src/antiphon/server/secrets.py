"""The server's own secret: one random key, from which others are derived. Nothing of it is in the database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from antiphon.errors import StoreError

SECRET_FILE = "server.key"  # noqa: S105 - the name of the file
SECRET_VARIABLE = "ANTIPHON_SERVER_SECRET"  # noqa: S105 - the name of the variable


class ServerSecrets:
    """Keys derived with HMAC-SHA256 from the server's secret: the same on every server that shares the secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def derive(self, purpose: str) -> bytes:
        """32 bytes for a purpose, e.g. "sas" or "webhook:<endpoint>:<version>"."""
        return hmac.new(self._secret, purpose.encode(), hashlib.sha256).digest()

    def webhook_secret(self, endpoint_id: str, version: int) -> str:
        """The signing secret of a webhook endpoint, in the form of the Standard Webhooks specification."""
        return "whsec_" + base64.b64encode(self.derive(f"webhook:{endpoint_id}:{version}")).decode()

    def __repr__(self) -> str:
        return "<ServerSecrets>"


def given_secret(environ: Mapping[str, str] = os.environ) -> str | None:
    """The secret of ANTIPHON_SERVER_SECRET, or of the file that ANTIPHON_SERVER_SECRET_FILE names; None for neither.

    Raises:
        StoreError: The file cannot be read (code "store-permission").
    """
    given = environ.get(SECRET_VARIABLE)
    path = environ.get(f"{SECRET_VARIABLE}_FILE")
    if given or not path:
        return given or None
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            f"The file that {SECRET_VARIABLE}_FILE names cannot be read: {path}.",
            code="store-permission",
            cause=type(error).__name__,
            next_step="Check the path and its permissions.",
        ) from None


def load_secrets(home: Path) -> ServerSecrets:
    """The secret that is given (servers that share a database must share it), else that of the home folder.

    The file is made on first use, readable by its owner alone.

    Raises:
        StoreError: The file cannot be made or read, or others may read it (code "store-permission").
    """
    given = given_secret()
    if given:
        return ServerSecrets(given.encode())
    path = home / SECRET_FILE
    try:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return ServerSecrets(_read(path))
        with os.fdopen(handle, "wb") as file:
            secret = secrets.token_bytes(32)
            file.write(secret)
    except OSError as error:
        raise StoreError(
            f"The server's secret {path} cannot be used.",
            code="store-permission",
            cause=f"{type(error).__name__}: {error.strerror or error}",
            next_step=f"Make the folder writable, or set {SECRET_VARIABLE}.",
        ) from None
    return ServerSecrets(secret)


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise StoreError(
            f"Others may read the server's secret {path}.",
            code="store-permission",
            next_step=f"chmod 600 {path}",
        )
    return path.read_bytes()
