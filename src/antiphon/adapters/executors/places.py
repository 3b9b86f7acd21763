"""Places for calls that hold a thread while they wait: so many in all, and fewer of one workspace."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from antiphon.errors import StoreError

MOST = 8
MOST_EACH = 4
"""Of one workspace: whatever it asks for, others get in."""


class Places:
    """Whoever finds no place is refused at once. Thread-safe.

    Args:
        most: In all.
        most_each: Of one workspace.
    """

    def __init__(self, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._most, self._most_each = most, most_each
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def place(self, workspace: str, busy: Callable[[], StoreError]) -> Iterator[None]:
        """Hold a place in the block.

        Raises:
            StoreError: As `busy` says: there is none.
        """
        with self._lock:
            if self._taken[workspace] >= self._most_each or self._taken.total() >= self._most:
                raise busy()
            self._taken[workspace] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[workspace] -= 1
                self._taken = +self._taken  # names of workspaces that have none are not kept
