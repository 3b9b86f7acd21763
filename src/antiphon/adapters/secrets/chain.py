"""Several places for secrets, asked in order."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.adapters.secrets.names import check_secret_name
from antiphon.ports.secrets import Secret, SecretSource


class SecretChain:
    """The first place that has a secret gives it.

    A place that cannot be asked ends the search: going on could find an old value in a place further down.
    """

    def __init__(self, sources: Sequence[SecretSource]) -> None:
        self.sources = tuple(sources)
        self.name = ", ".join(source.name for source in sources)

    def get(self, key: str) -> Secret | None:
        """The secret called `key`, or None when no place has it.

        Raises:
            SecretError: A place cannot be asked, or no secret can be called so.
        """
        check_secret_name(key)
        return next((found for source in self.sources if (found := source.get(key)) is not None), None)
