"""Wake-ups: how an engine hears at once of work that another process stored, instead of looking every now and then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Wakeups(Protocol):
    """Listens to what other processes commit. What it misses is found when the engine looks by itself."""

    def start(self, wake: Callable[[], None], ended: Callable[[str], None]) -> None:
        """Call `wake`, from a thread of its own, whenever something may wait that did not before; at once, first.

        And `ended` with the id of each job that has ended, where the database tells it: PostgreSQL does.

        Nothing is raised: without a connection it tries again, and wakes once it has one.
        """
        ...

    def close(self) -> None:
        """Stop listening; safe to call twice."""
        ...
