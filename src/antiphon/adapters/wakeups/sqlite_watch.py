"""SQLite tells nobody, but counts: a connection sees cheaply whether another one has committed since it last asked."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

LOOK_S = 0.01
TRY_AGAIN_S = 1.0


class SqliteWakeups:
    """Looks at `PRAGMA data_version` every `LOOK_S`, which reads a few bytes of shared memory.

    The counter grows with this process's own commits as well, so that after a change one more question is asked:
    whether anything waits.

    Args:
        file: The database, which is there.
        question: A query that gives one row with 1 if something waits, 0 otherwise.
    """

    def __init__(self, file: Path, question: str) -> None:
        self._file, self._question = file, question
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, wake: Callable[[], None]) -> None:
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
            with suppress(sqlite3.Error), closing(self._connect()) as connection:
                self._watch(connection, wake)
            self._closed.wait(TRY_AGAIN_S)

    def _watch(self, connection: sqlite3.Connection, wake: Callable[[], None]) -> None:
        ask = connection.cursor().execute
        seen = None
        while not self._closed.wait(LOOK_S):
            (version,) = ask("PRAGMA data_version").fetchone()
            if version != seen:
                seen = version
                if ask(self._question).fetchone()[0]:
                    wake()

    def _connect(self) -> sqlite3.Connection:
        # Never made here: a file that was removed is not to come back empty.
        return sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=1.0)
