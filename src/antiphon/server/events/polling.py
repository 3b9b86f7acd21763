"""A hub that looks again and again: each waiter wakes every 50 ms and reads its own subject."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

EVERY_S = 0.05


class _Looking:
    async def changed(self, timeout: float) -> bool:
        """Wait a moment; something may have happened."""
        await asyncio.sleep(min(timeout, EVERY_S))
        return timeout > EVERY_S


class PollingHub:
    """Keeps the promises of `hub.EventHub` at the price of one look for each waiter and moment."""

    @asynccontextmanager
    async def watch(self, subject: str, *, key: str) -> AsyncIterator[_Looking]:  # noqa: ARG002 - the protocol's
        """Watch one job or session."""
        yield _Looking()

    @asynccontextmanager
    async def watch_workspace(self, workspace: str, *, key: str) -> AsyncIterator[AsyncIterator[str]]:  # noqa: ARG002
        """Watch nothing: single subjects are to be watched."""

        async def nothing() -> AsyncIterator[str]:
            await asyncio.Event().wait()
            yield ""

        yield nothing()

    async def start(self) -> None:
        """Nothing to begin."""

    async def stop(self) -> None:
        """Nothing to end: no wait is longer than a moment."""
