"""What a waiter holds in its hands: the view of one subject, or of all subjects of a workspace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

LOOK_ANYWAY_S = 5.0
"""After so long a waiter is told to look even if nothing was heard of its subject."""

CROWD = 500
"""With more waiters than this they look less often, so that all of them together read a hundred times a second."""

MOST_UNREAD = 10_000


class Subscription:
    """One waiter's view of one subject.

    Args:
        ended: Whether it has ended before it began.
        crowd: Tells how many waiters there are.
    """

    __slots__ = ("_crowd", "_event", "ended")

    def __init__(self, *, ended: bool, crowd: Callable[[], int]) -> None:
        self.ended = ended
        self._crowd = crowd
        self._event = asyncio.Event()
        if ended:
            self._event.set()

    async def changed(self, timeout: float) -> bool:
        """Wait until something may have happened to the subject; False when `timeout` seconds passed first.

        Once `ended` is true (the server stops), every call returns True at once: look a last time and leave.
        """
        longest = LOOK_ANYWAY_S * max(1.0, self._crowd() / CROWD)
        try:
            async with asyncio.timeout(min(timeout, longest)):
                await self._event.wait()
        except TimeoutError:
            return longest < timeout
        if not self.ended:
            self._event.clear()
        return True

    def wake(self) -> None:
        """Something may have happened."""
        self._event.set()

    def end(self) -> None:
        """Wake it for the last time."""
        self.ended = True
        self._event.set()


class WorkspaceChanges(AsyncIterator[str]):
    """The subjects of a workspace that changed and were not taken yet, in the order of their first change.

    Args:
        ended: Whether it has ended before it began.
    """

    __slots__ = ("_event", "_unread", "ended")

    def __init__(self, *, ended: bool) -> None:
        self.ended = ended
        self._unread: dict[str, None] = {}
        self._event = asyncio.Event()
        if ended:
            self._event.set()

    async def __anext__(self) -> str:
        """The next subject that changed."""
        while not self._unread:
            if self.ended:
                raise StopAsyncIteration
            self._event.clear()
            await self._event.wait()
        subject = next(iter(self._unread))
        del self._unread[subject]
        return subject

    def add(self, subject: str) -> None:
        """It changed. Whoever takes too few has its view ended: better to begin again than to miss some unknowingly."""
        if len(self._unread) >= MOST_UNREAD:
            self.end()
        if not self.ended:
            self._unread[subject] = None
            self._event.set()

    def end(self) -> None:
        """What was not taken can still be taken; then it is over."""
        self.ended = True
        self._event.set()
