"""Secrets: read when they are needed, never stored in the database, a log, a record or an error."""

from __future__ import annotations

import hmac
from typing import NoReturn, Protocol


class Secret:
    """A text that shows itself to nobody but who asks with `reveal`: not printed, not formatted, not pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text. Hand it on at once; do not keep it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment] # a hash of a secret would be a trace of it

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


class SecretSource(Protocol):
    """One place that secrets come from."""

    name: str
    """For people: "environment", "file", "keyring", "vault"."""

    def get(self, key: str) -> Secret | None:
        """The secret called `key` ("provider.ionq.token"), or None when this place does not have it.

        Raises:
            SecretError: The place cannot be asked (not reachable, not permitted); never holds the value.
        """
        ...
