"""The hub: any number of requests wait for what happens to jobs and sessions, with one look at the store for all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Subscription(Protocol):
    """One waiter's view of one subject."""

    async def changed(self, timeout: float) -> bool:
        """Wait until something may have happened to the subject; False when `timeout` seconds passed first."""
        ...


class EventHub(Protocol):
    """Tells waiters that a job's or session's log has grown, whichever process wrote the line."""

    def watch(self, subject: str, *, key: str) -> AbstractAsyncContextManager[Subscription]:
        """Watch one job or session. `key` is the caller (`Principal.via`), for the limit on open watches.

        Raises:
            RateLimitedError: Too many are open (code "streams-exceeded").
        """
        ...

    def watch_workspace(self, workspace: str, *, key: str) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Watch every job and session of a workspace: an iterator over the subjects that changed."""
        ...

    async def start(self) -> None:
        """Begin to follow the log."""
        ...

    async def stop(self) -> None:
        """Wake and end every watch."""
        ...
