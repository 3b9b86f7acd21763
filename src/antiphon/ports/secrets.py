"""Secrets: read when they are needed, never stored in the database, a log, a record or an error."""

from __future__ import annotations

from typing import Protocol


class SecretSource(Protocol):
    """One place that secrets come from."""

    name: str
    """For people: "environment", "file", "keyring", "vault"."""

    def get(self, key: str) -> str | None:
        """The secret called `key` ("provider.ionq.token"), or None when this place does not have it.

        Raises:
            SecretError: The place cannot be asked (not reachable, not permitted); never holds the value.
        """
        ...
