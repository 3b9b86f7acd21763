"""Archive: ended jobs and sessions leave the tables for files, so that the tables stay small.

What leaves is on the disk before it goes: a process that is killed at any moment leaves it in the tables, in a file, or
in both, and never in neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from antiphon.domain.jobs import Job
from antiphon.domain.sessions import Session
from antiphon.engine.archive_files import ArchiveWriter
from antiphon.engine.context import EngineContext
from antiphon.engine.job_record import event_to_json, iso, record_of
from antiphon.engine.sweep import sweep
from antiphon.errors import LimitError, StoreError
from antiphon.ports.archive_store import Archived
from antiphon.ports.job_store import Transaction

ARCHIVE = "archive"
"""The folder, in that of the data, in which files are unless another is given."""
BATCH = 100
"""Jobs that leave in one transaction: some 20 ms of the write lock."""
LEAST_AGE_S = 86_400.0
"""What is younger may still be asked for by who made it; and what nobody names is swept only when it is older."""
KEPT_OUTCOMES = 10_000
"""Outcomes of a target that estimates still learn from."""


@dataclass(slots=True)
class ArchiveReport:
    """What an archiving did, or with `dry_run` would do.

    Attributes:
        left: Jobs that stayed because something that they name cannot be read.
        files: Where it is, one file a month.
    """

    dry_run: bool
    before: float
    folder: str
    jobs: int = 0
    sessions: int = 0
    left: int = 0
    deliveries: int = 0
    outcomes: int = 0
    artefacts: int = 0
    blobs: int = 0
    files: list[str] = field(default_factory=list)


def archive(
    ctx: EngineContext,
    *,
    older_than_s: float,
    folder: Path,
    workspace: str | None = None,
    dry_run: bool = False,
    watch: Callable[[ArchiveReport], None] | None = None,
) -> ArchiveReport:
    """Move jobs that ended longer ago to files of `folder`, and sessions that ended and have no job left.

    A line of a file holds the whole record. Values that no job names any more go too, as do webhook deliveries that are
    over and all but the newest outcomes of each target. It takes the write lock for short moments only.

    Args:
        older_than_s: Seconds since the end of what is moved; a day at least.
        workspace: Only of this workspace; None is all.
        watch: Told after each batch how far it is.

    Raises:
        LimitError: `older_than_s` is less than a day.
        StoreError: The folder cannot be written; what was moved until then stays moved.
    """
    if not older_than_s >= LEAST_AGE_S:
        raise LimitError(
            "Only what ended a day ago or earlier can be archived.",
            code="archive-too-young",
            next_step="Give 1d or more.",
            details={"least_s": LEAST_AGE_S},
        )
    moving = _Moving(ctx, ArchiveReport(dry_run, ctx.clock.now() - older_than_s, str(folder)), folder, watch)
    moving.move_jobs(workspace)
    moving.move_sessions(workspace)
    if not dry_run and not ctx.closing.is_set():
        _prune(ctx, moving.report)
        moving.report.artefacts, moving.report.blobs = sweep(ctx)
    return moving.report


class _Moving:
    """One archiving: what leaves, in batches, each on the disk before it leaves."""

    def __init__(
        self, ctx: EngineContext, report: ArchiveReport, folder: Path, watch: Callable[[ArchiveReport], None] | None
    ) -> None:
        self._ctx, self.report, self._watch = ctx, report, watch
        self._writer = ArchiveWriter(folder)

    def move_jobs(self, only: str | None) -> None:
        """Move the jobs."""
        with self._ctx.store.read() as tx:
            names = [only] if only is not None else tx.workspaces_with_jobs()
        for name in names:
            for batch in self._pages(lambda tx, after, name=name: self._jobs(tx, name, after)):
                lines = [(job, line) for job in batch if (line := self._job_line(job)) is not None]
                self.report.left += len(batch) - len(lines)
                self._move("job", lines, lambda tx, job, went: tx.forget_job(job, went))

    def move_sessions(self, only: str | None) -> None:
        """Move the sessions."""
        with self._ctx.store.read() as tx:
            names = [only] if only is not None else tx.workspaces_with_sessions()
        for name in names:
            for batch in self._pages(lambda tx, after, name=name: self._sessions(tx, name, after)):
                lines = [(session, self._session_line(session)) for session in batch]
                self._move("session", lines, lambda tx, session, went: tx.forget_session(session, went))

    def _jobs(self, tx: Transaction, workspace: str, after: tuple[float, str] | None) -> list[Job]:
        return tx.jobs_ended_before(workspace, self.report.before, after, BATCH)

    def _sessions(self, tx: Transaction, workspace: str, after: tuple[float, str] | None) -> list[Session]:
        return tx.sessions_ended_before(workspace, self.report.before, after, BATCH)

    def _pages(self, read: Callable[..., list[Any]]) -> Iterator[list[Any]]:
        after: tuple[float, str] | None = None
        while True:
            with self._ctx.store.read() as tx:
                page = read(tx, after)
            if not page:
                return
            if self._ctx.closing.is_set():
                return
            yield page
            after = (page[-1].created_at, page[-1].id)

    def _job_line(self, job: Job) -> dict[str, Any] | None:
        try:
            record = record_of(self._ctx, job)
        except StoreError:
            return None
        with self._ctx.store.read() as tx:
            azure = tx.azure_item_of(job.id)
        return {"archived": "job", **record, "azure_item": None if azure is None else asdict(azure)}

    def _session_line(self, session: Session) -> dict[str, Any]:
        with self._ctx.store.read() as tx:
            events = [event_to_json(event) for event in tx.events(session.id)]
            azure = tx.azure_item_of(session.id)
        return {
            "archived": "session",
            **asdict(session),
            "created_at": iso(session.created_at),
            "ended_at": iso(session.ended_at),
            "events": events,
            "azure_item": None if azure is None else asdict(azure),
        }

    def _move(
        self, kind: str, lines: list[tuple[Any, dict[str, Any]]], forget: Callable[[Transaction, Any, Archived], bool]
    ) -> None:
        if self.report.dry_run:
            moved = len(lines)
        else:
            now = self._ctx.clock.now()
            files = self._writer.write([(subject.ended_at or 0.0, line) for subject, line in lines])
            self.report.files = sorted({*self.report.files, *(str(file) for file in files)})
            with self._ctx.store.write() as tx:
                moved = sum(
                    forget(
                        tx,
                        subject,
                        Archived(
                            id=subject.id, workspace=subject.workspace, kind=kind, archived_at=now, file=str(file)
                        ),
                    )
                    for (subject, _), file in zip(lines, files, strict=True)
                )
        if kind == "job":
            self.report.jobs += moved
        else:
            self.report.sessions += moved
        if self._watch is not None:
            self._watch(self.report)


def _prune(ctx: EngineContext, report: ArchiveReport) -> None:
    for target in ctx.drivers:
        with ctx.store.write() as tx:
            report.outcomes += tx.prune_outcomes(target, KEPT_OUTCOMES)
    while True:
        with ctx.store.write() as tx:
            gone = tx.forget_deliveries(report.before, 1_000)
        report.deliveries += gone
        if not gone:
            break
    with ctx.store.write() as tx:
        tx.fold_counts()
