"""SQLite tells nobody, but every commit changes its log, and the time of a file's last change costs little to read."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

LOOK_S = 0.015
"""About half a per cent of a core; at 10 ms it is three quarters of one."""
QUIET_LOOK_S = 0.03
QUIET_AFTER = 200
"""After so many looks that saw nothing (three seconds), it looks half as often until something happens."""
TRY_AGAIN_S = 1.0


class SqliteWakeups:
    """Looks every `LOOK_S` at the size and time of the database's write-ahead log, every `QUIET_LOOK_S` in quiet times.

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
        """Stop, within `QUIET_LOOK_S`."""
        self._closed.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)

    def _run(self, wake: Callable[[], None]) -> None:
        while not self._closed.is_set():
            with suppress(sqlite3.Error, OSError), closing(self._connect()) as connection:
                self._watch(connection, wake)
            self._closed.wait(TRY_AGAIN_S)

    def _watch(self, connection: sqlite3.Connection, wake: Callable[[], None]) -> None:
        ask = connection.cursor().execute
        # Once it is open here nobody else's last connection removes it.
        ask(self._question)
        with Path(f"{self._file}-wal").open("rb", buffering=0) as log:
            self._look(log.fileno(), lambda: bool(ask(self._question).fetchone()[0]), wake)

    def _look(self, log: int, waits: Callable[[], bool], wake: Callable[[], None]) -> None:
        closed, seen, changed, quiet = self._closed, (-1, -1), True, 0
        while not closed.is_set():
            found = os.fstat(log)
            if not found.st_nlink:
                return  # somebody removed the database; what has its name now, if anything, is another one
            now = (found.st_mtime_ns, found.st_size)
            # Two commits within a tick of the file system's clock look like one: after a change it asks once more.
            if changed or now != seen:
                changed, seen, quiet = now != seen, now, 0
                if waits():
                    wake()
            quiet += 1
            time.sleep(LOOK_S if quiet < QUIET_AFTER else QUIET_LOOK_S)

    def _connect(self) -> sqlite3.Connection:
        # Never made here: a file that was removed is not to come back empty.
        return sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=1.0)
