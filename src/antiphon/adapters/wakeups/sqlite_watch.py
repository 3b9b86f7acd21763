"""SQLite tells nobody, but every commit changes its log, and the time of a file's last change costs little to read."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

LOOK_S = 0.015
"""About half a per cent of a core when nothing happens; at 10 ms it is three quarters of one."""
TRY_AGAIN_S = 1.0


class SqliteWakeups:
    """Looks every `LOOK_S` at the size and time of the database's write-ahead log.

    `PRAGMA data_version` costs twice as much. This process's own commits change the log as well, so that after a change
    one more question is asked: whether anything waits.

    Args:
        file: The database, which is there.
        question: A query that gives one row with 1 if something waits, 0 otherwise.
    """

    def __init__(self, file: Path, question: str) -> None:
        self._file, self._question = file, question
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, wake: Callable[[], None], ended: Callable[[str], None]) -> None:  # noqa: ARG002 - it cannot tell
        """Look in a daemon thread."""
        self._thread = threading.Thread(target=self._run, args=(wake,), name="antiphon-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, within `LOOK_S`."""
        self._closed.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)

    def _run(self, wake: Callable[[], None]) -> None:
        while not self._closed.is_set():
            with suppress(sqlite3.Error, OSError), closing(self._connect()) as connection:
                self._watch(connection, wake)
            self._closed.wait(TRY_AGAIN_S)

    def _watch(self, connection: sqlite3.Connection, wake: Callable[[], None]) -> None:
        ask, closed = connection.cursor().execute, self._closed
        # Once it is open here nobody else's last connection removes it.
        ask(self._question)
        log = Path(f"{self._file}-wal")
        seen: tuple[int, int] | None = None
        changed = True
        while not closed.is_set():
            found = log.stat()
            now = (found.st_mtime_ns, found.st_size)
            # Two commits within a tick of the file system's clock look like one: after a change it asks once more.
            if changed or now != seen:
                changed, seen = now != seen, now
                if ask(self._question).fetchone()[0]:
                    wake()
            time.sleep(LOOK_S)

    def _connect(self) -> sqlite3.Connection:
        # Never made here: a file that was removed is not to come back empty.
        return sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=1.0)
