"""A workspace after a fork: the child shares its parent's memory, but must not act as its engine."""

from __future__ import annotations

from typing import NoReturn

from antiphon.errors import StoreError
from antiphon.ports.job_store import JobStore


class AbandonedStore:
    """Refuses every use in a process that was forked from the one that opened the store.

    It keeps the store it replaces from being closed: its connections and locks belong to the parent.
    """

    def __init__(self, parents: JobStore) -> None:
        self._parents = parents

    @property
    def url(self) -> str:
        """Where it is, without any password."""
        return self._parents.url

    def write(self) -> NoReturn:
        """Never.

        Raises:
            StoreError: Code "store-closed".
        """
        raise StoreError(
            "This workspace was opened by another process, from which this one was forked.",
            code="store-closed",
            cause="connections, locks and leases cannot be shared by two processes",
            next_step="Open a workspace of its own in the child: Workspace(path).",
        )

    def read(self) -> NoReturn:
        """Never; see `write`."""
        self.write()

    def close(self) -> None:
        """Nothing: the parent's connections are not the child's to close."""
