"""Jobs and sessions that were archived: where they went, and what is read there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from antiphon.engine.archive_files import lines_of
from antiphon.engine.context import EngineContext
from antiphon.engine.job_record import iso
from antiphon.errors import NotFoundError, StoreError
from antiphon.ports.job_store import Transaction


def where_it_went(tx: Transaction, workspace: str, subject: str) -> NotFoundError | None:
    """The error for a job or session that was archived: it says where it is; None for one that was not."""
    found = tx.archived(subject, workspace=workspace)
    if found is None:
        return None
    at = iso(found.archived_at)
    return NotFoundError(
        f"The {found.kind} {subject} was archived on {(at or '')[:10]}.",
        code="archived",
        cause=f"its record is in {found.file}",
        next_step=f"Read it there with `antiphon archive --show {subject}`.",
        details={found.kind: subject, "archived_at": at, "file": found.file},
    )


def archived_record(ctx: EngineContext, workspace: str, subject: str) -> dict[str, Any]:
    """The line of the archive about a job or session: its whole record.

    Raises:
        NotFoundError: None of that id was archived in the workspace.
        StoreError: The file is not where it was, or does not hold it.
    """
    with ctx.store.read() as tx:
        found = tx.archived(subject, workspace=workspace)
    if found is None:
        raise NotFoundError(
            f"Nothing called {subject} was archived in this workspace.",
            next_step="Jobs that were not archived are shown by `antiphon jobs show`.",
            details={"id": subject},
        )
    for line in lines_of(Path(found.file)):
        if line["id"] == subject:
            return line
    raise StoreError(
        f"The archive's file {found.file} does not hold {subject}.",
        code="archive-unreadable",
        cause="it ends before, or was replaced",
        next_step="Bring back the file from a backup.",
        details={"id": subject, "file": found.file},
    )
