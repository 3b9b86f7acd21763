"""Retention: what a server does once an hour so that the tables stay small."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from antiphon.engine.archive import ARCHIVE, archive
from antiphon.errors import AntiphonError
from antiphon.server.services import Services

log = logging.getLogger("antiphon.server")

FIRST_AFTER_S = 60.0
EVERY_S = 3_600.0
DAY_S = 86_400.0


@asynccontextmanager
async def retaining(services: Services) -> AsyncIterator[None]:
    """Archive what is older than the setting says, once an hour as long as the block runs."""
    task = asyncio.create_task(_retain(services))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _retain(services: Services) -> None:
    await asyncio.sleep(FIRST_AFTER_S)
    while True:
        try:
            # In a thread of its own: the first time it may take minutes.
            await asyncio.to_thread(tidy, services)
        except AntiphonError as error:
            log.warning("Old jobs could not be archived: %s", error.message, extra={"code": error.code})
        await asyncio.sleep(EVERY_S)


def tidy(services: Services) -> None:
    """Archive what is older than the setting says, if it says anything, and fold counters."""
    days = services.settings.retention_days
    if days is None:
        with services.engine.store.write() as tx:
            tx.fold_counts()
        return
    folder = services.settings.archive_dir or services.running.home / ARCHIVE
    report = archive(services.engine, older_than_s=days * DAY_S, folder=folder)
    if report.jobs or report.sessions or report.left:
        log.info(
            "Old jobs were archived.",
            extra={"jobs": report.jobs, "sessions": report.sessions, "left": report.left, "folder": report.folder},
        )
