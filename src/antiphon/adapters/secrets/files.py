"""Secrets from files: one secret a file, called by its name, in one folder."""

from __future__ import annotations

import os
from pathlib import Path

from antiphon.adapters.secrets.names import check_secret_name
from antiphon.errors import SecretError
from antiphon.ports.secrets import Secret

MOST_BYTES = 64 * 1024


class FileSecrets:
    """The files of a folder, e.g. `secrets/provider.ionq.token`; one line end at the end does not count.

    Args:
        private: Refuse a file that others may read. Off for a folder that a container platform mounts.
    """

    name = "file"

    def __init__(self, folder: Path, *, private: bool = True) -> None:
        self._folder = folder
        self._private = private

    def get(self, key: str) -> Secret | None:
        """What the secret's file holds, or None when there is no such file.

        Raises:
            SecretError: The file cannot be read, or others may read it (code "secret-exposed").
        """
        check_secret_name(key)
        path = self._folder / key
        if not path.exists():
            return None
        if self._private and os.name == "posix" and path.stat().st_mode & 0o077:
            raise SecretError(
                f"Others may read the secret {path}.", code="secret-exposed", next_step=f"chmod 600 {path}"
            )
        return read_secret(path, "the file")


def read_secret(path: Path, what: str) -> Secret:
    """The text of a small file.

    Raises:
        SecretError: It cannot be read, is too large, or is no text; never holds what it says.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            cause = f"it is larger than {MOST_BYTES:,} bytes"
        else:
            return Secret(data.decode().removesuffix("\n").removesuffix("\r"))
    except UnicodeDecodeError:
        cause = "it is not UTF-8 text"
    except OSError as error:
        cause = f"{type(error).__name__}: {error.strerror or ''}"
    raise SecretError(
        f"A secret cannot be read: {what} {path}.", cause=cause, next_step="Check the path and its permissions."
    ) from None
