"""How much of the storage each workspace may fill, so that none fills the disk for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from antiphon.engine.context import EngineContext
from antiphon.server.azure.refusals import StorageRefusal

COUNTED_EVERY_S = 10.0
"""Counting looks at every container of a workspace; in between, what comes in by this process is added.

So several servers of one database together may let in what comes to the others within that time.
"""


class WorkspaceRoom:
    """The room that workspaces have. Blocks while it counts; may be called from any thread.

    Args:
        limit: Bytes of one workspace.
    """

    def __init__(self, ctx: EngineContext, limit: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._ctx = ctx
        self._limit = limit
        self._now = now
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, int]] = {}

    def take(self, workspace: str, size: int) -> None:
        """Count bytes that are about to be stored.

        Raises:
            StorageRefusal: 409: the workspace has not so much room.
        """
        now = self._now()
        with self._lock:
            known = self._known.get(workspace)
        if known is None or now - known[0] >= COUNTED_EVERY_S:
            with self._ctx.store.read() as tx:
                known = now, tx.workspace_written(workspace)
            with self._lock:
                self._known[workspace] = known
        with self._lock:
            at, held = self._known[workspace]
            if held + size <= self._limit:
                self._known[workspace] = at, held + size
                return
        raise StorageRefusal(
            409,
            "AccountLimitExceeded",
            f"The storage of the workspace {workspace} is full: it holds {held} of {self._limit} bytes.",
            next_step="Delete jobs whose input and output nobody needs any more.",
        )
