"""What a living device remembers of our jobs: a small SQLite file that outlives any process, and that several share.

It holds times and keys, and nothing of the programs: those stay with the engine, which hands them over again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from antiphon.domain.policies.life import Visit
from antiphon.errors import StoreError

BUSY_S = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """One job of ours in the queue of a device; times are seconds since the epoch.

    Attributes:
        came: When it was taken.
        seconds: How long it runs.
        starts: When it starts, as things stand.
        programs: How many it has.
        published: When the calibration was published that it was compiled for.
        youngest: It must not start under a calibration published before; 0 if it has no such demand.
        fails_after: Part of its time after which it fails; None: it does not.
        cancelled: When it was cancelled, or None.
    """

    key: str
    came: float
    seconds: float
    starts: float
    programs: int
    published: float
    max_age: float | None = None
    fails_after: float | None = None
    cancelled: float | None = None
    number: int = 0

    @property
    def ends(self) -> float:
        """When it ends as it would without being cancelled."""
        return self.starts + self.seconds * (1.0 if self.fails_after is None else self.fails_after)

    @property
    def visit(self) -> Visit:
        """What it takes of the device's time."""
        if self.cancelled is None:
            return Visit(self.came, self.ends - self.starts)
        return Visit(self.came, max(0.0, min(self.cancelled, self.ends) - self.starts))


_TABLE = """
CREATE TABLE IF NOT EXISTS places (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, came REAL NOT NULL, seconds REAL NOT NULL,
    starts REAL NOT NULL, programs INTEGER NOT NULL, published REAL NOT NULL, max_age REAL, fails_after REAL,
    cancelled REAL
)
"""
_COLUMNS = [field.name for field in fields(Place) if field.name != "number"]
_LIST = ", ".join([*_COLUMNS, "number"])


class Places:
    """The file.

    Raises:
        StoreError: It cannot be opened; so do all methods where it cannot be read or written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        with self._opened() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(_TABLE)
            db.execute("CREATE INDEX IF NOT EXISTS places_came ON places (came)")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that nobody else writes in."""
        with self._opened() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def of_key(self, key: str) -> Place | None:
        """The job sent under a key."""
        with self._opened() as db:
            return one(db, "key = ?", key)

    def numbered(self, number: int) -> Place | None:
        """The job of a number."""
        with self._opened() as db:
            return one(db, "number = ?", number)

    def since(self, came: float) -> list[Place]:
        """The jobs that came from a time on, in that order."""
        with self._opened() as db:
            return since(db, came)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            db = sqlite3.connect(self._file, timeout=BUSY_S, isolation_level=None)
            try:
                yield db
            finally:
                db.close()
        except sqlite3.Error as error:
            raise StoreError(
                f"The file of a living device cannot be used: {self._file.name}.",
                code="device-file-unusable",
                cause=f"{type(error).__name__}: {error}",
                next_step="Check that the folder can be written. If the file is damaged, delete it: the device then "
                "forgets its jobs, and those under way fail.",
            ) from error


def one(db: sqlite3.Connection, where: str, value: object) -> Place | None:
    """The place that a condition finds."""
    row = db.execute(f"SELECT {_LIST} FROM places WHERE {where}", (value,)).fetchone()  # noqa: S608 - our own words
    return None if row is None else Place(*row)


def since(db: sqlite3.Connection, came: float) -> list[Place]:
    """The jobs that came from a time on, in that order."""
    rows = db.execute(f"SELECT {_LIST} FROM places WHERE came >= ? ORDER BY came, number", (came,))  # noqa: S608
    return [Place(*row) for row in rows]


def add(db: sqlite3.Connection, place: Place) -> int:
    """A new job; its number."""
    marks = ", ".join("?" * len(_COLUMNS))
    cursor = db.execute(f"INSERT INTO places ({', '.join(_COLUMNS)}) VALUES ({marks})", astuple(place)[:-1])  # noqa: S608
    return int(cursor.lastrowid or 0)


def change(db: sqlite3.Connection, number: int, *, starts: float | None = None, cancelled: float | None = None) -> None:
    """Another start, or that it was cancelled."""
    if starts is not None:
        db.execute("UPDATE places SET starts = ? WHERE number = ?", (starts, number))
    if cancelled is not None:
        db.execute("UPDATE places SET cancelled = ? WHERE number = ?", (cancelled, number))
