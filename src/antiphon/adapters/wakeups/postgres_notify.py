"""PostgreSQL tells: whoever stores a job that waits, or a job's end, notifies in the same transaction.

The first is a statement of the store (`store.telling`), the second a trigger (`store.triggers`).
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from contextlib import suppress

from antiphon.errors import MissingExtraError

TRY_AGAIN_S = 1.0
LISTEN_S = 0.5
"""So long a listener sleeps at most before it looks whether it is closed; a notification ends the sleep."""

log = logging.getLogger("antiphon.engine")


class PostgresWakeups:
    """Listens on a connection of its own, and opens it anew when it is lost.

    Behind a pooler that gives each transaction another connection nothing is ever heard, and the engine's own looks do
    the work.

    Args:
        url: The database, with its password.
        queued: The channel that tells that something waits.
        ended: The channel that tells that a job has ended; its payload is the id of the job.

    Raises:
        MissingExtraError: psycopg is not installed.
    """

    def __init__(self, url: str, *, queued: str, ended: str) -> None:
        try:
            import psycopg  # noqa: F401 - asked here, so that a thread need not
        except ModuleNotFoundError as error:
            raise MissingExtraError.of("psycopg", "postgres", "A PostgreSQL store") from error
        self._url = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)
        self._queued, self._ended = queued, ended
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, wake: Callable[[], None], ended: Callable[[str], None]) -> None:
        """Listen in a daemon thread."""
        self._thread = threading.Thread(target=self._run, args=(wake, ended), name="antiphon-listen", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, within `LISTEN_S`."""
        self._closed.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=2 * LISTEN_S)

    def _run(self, wake: Callable[[], None], ended: Callable[[str], None]) -> None:
        import psycopg

        told = False
        while not self._closed.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=10) as connection:
                    connection.execute(f"LISTEN {self._queued}")
                    connection.execute(f"LISTEN {self._ended}")
                    told = False
                    # What was stored while nobody listened.
                    wake()
                    while not self._closed.is_set():
                        for told_of in connection.notifies(timeout=LISTEN_S, stop_after=1):
                            if told_of.channel == self._ended:
                                ended(told_of.payload)
                            else:
                                wake()
            except psycopg.Error as error:
                if not told and not self._closed.is_set():
                    log.warning("the engine cannot listen to the database and looks by itself: %s", _first_line(error))
                    told = True
                self._closed.wait(TRY_AGAIN_S)


def _first_line(error: Exception) -> str:
    text = type(error).__name__
    with suppress(IndexError):
        text = str(error).splitlines()[0]
    return text
