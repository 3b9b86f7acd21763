"""What is new in the log of all jobs and sessions, found with few and small reads; blocking, for one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from antiphon.ports.job_store import JobStore, StoredEvent, Transaction

PAGE = 1_000
"""Lines read at once, and how far behind a reader may be before it jumps to the end."""

WINDOW = 300
"""How many lines back a line may still appear."""

LATE_S = 2.0
"""How long a line may take to appear after one with a larger `seq`."""

REMEMBERED_WORKSPACES = 20_000


@dataclass(frozen=True, slots=True)
class News:
    """What one look found.

    Attributes:
        subjects: Each job or session with new lines, once, with its workspace if that was asked for.
        jumped: True when lines were skipped: anything may have changed.
    """

    subjects: tuple[tuple[str, str | None], ...] = ()
    jumped: bool = False


class LogReader:
    """Reads on where the last look ended.

    On PostgreSQL a transaction that took its `seq` first may commit last. So numbers that were passed over are kept in
    mind for LATE_S seconds, and looked for again; on SQLite, which has one writer at a time, there are none.
    """

    def __init__(self, store: JobStore, *, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._now = now
        self._last: int | None = None
        self._passed_over: dict[int, float] = {}
        self._workspaces: dict[str, str] = {}

    def look(self, *, with_workspaces: bool = False, jump: bool = False) -> News:
        """Everything since the last look; the first look jumps to the end of the log.

        Args:
            with_workspaces: Also say whose the subjects are; then nothing is skipped however much there is.
            jump: Go to the end of the log at once.

        Raises:
            StoreError: The store cannot be read; the next look finds what this one missed.
        """
        with self._store.read() as tx:
            last = tx.last_seq()
            if jump or self._last is None or (last - self._last > PAGE and not with_workspaces):
                self._take(tx.events_after(max(last - WINDOW, 0), PAGE), since=max(last - WINDOW, 0), last=last)
                return News(jumped=True)
            if last == self._last and not self._passed_over:
                return News()
            new = self._take(_all_after(tx, min([self._last + 1, *self._passed_over]) - 1), since=self._last, last=last)
            subjects = dict.fromkeys(line.subject for line in new)
            return News(
                tuple((subject, self._workspace(tx, subject) if with_workspaces else None) for subject in subjects)
            )

    def _take(self, lines: Iterable[StoredEvent], *, since: int, last: int) -> list[StoredEvent]:
        """Those of the lines that are new; from now on `last` is the end of what is known."""
        found = {line.seq: line for line in lines}
        new = [line for seq, line in found.items() if seq > since or seq in self._passed_over]
        now = self._now()
        missing = range(max(since, last - WINDOW) + 1, last + 1)
        passed_over = self._passed_over | {seq: now + LATE_S for seq in missing if seq not in found}
        self._passed_over = {
            seq: until for seq, until in passed_over.items() if seq not in found and seq > last - WINDOW and now < until
        }
        self._last = max(last, since)
        return new

    def _workspace(self, tx: Transaction, subject: str) -> str | None:
        known = self._workspaces.get(subject)
        if known is None:
            found = tx.session(subject) if subject.startswith("ses-") else tx.job(subject)
            if found is None:
                return None
            if len(self._workspaces) >= REMEMBERED_WORKSPACES:
                self._workspaces.clear()
            known = self._workspaces[subject] = found.workspace
        return known


def _all_after(tx: Transaction, seq: int) -> Iterable[StoredEvent]:
    while True:
        lines = tx.events_after(seq, PAGE)
        yield from lines
        if len(lines) < PAGE:
            return
        seq = lines[-1].seq
