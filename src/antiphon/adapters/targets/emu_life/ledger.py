"""What a living device remembers of our jobs: a small SQLite file that outlives any process, and that several share.

It holds times and keys, and nothing of the programs: those stay with the engine, which hands them over again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from antiphon.domain.policies.device_schedule import Visit
from antiphon.errors import StoreError

BUSY_S = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """One job of ours in the queue of a device; times are seconds since the epoch.

    Attributes:
        came: When it was taken.
        joined: When it joined the queue: then, or with a calibration that it demanded to wait for.
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
    joined: float = 0.0
    number: int = 0

    @property
    def ends(self) -> float:
        """When it ends as it would without being cancelled."""
        return self.starts + self.seconds * (1.0 if self.fails_after is None else self.fails_after)

    @property
    def visit(self) -> Visit:
        """What it takes of the device's time; its start is settled."""
        until = self.ends if self.cancelled is None else min(self.cancelled, self.ends)
        return Visit(self.joined, max(0.0, until - self.starts), self.starts)


_TABLE = """
CREATE TABLE IF NOT EXISTS places (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, came REAL NOT NULL, seconds REAL NOT NULL,
    starts REAL NOT NULL, programs INTEGER NOT NULL, published REAL NOT NULL, max_age REAL, fails_after REAL,
    cancelled REAL, joined REAL NOT NULL DEFAULT 0
)
"""
# Who was cancelled before it started took none of the device's time.
_TOOK_TIME = "(cancelled IS NULL OR cancelled > starts)"
_JOINED = "ALTER TABLE places ADD COLUMN joined REAL NOT NULL DEFAULT 0"
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
            if "joined" not in {row[1] for row in db.execute("PRAGMA table_info(places)")}:
                db.execute(_JOINED)
                db.execute("UPDATE places SET joined = came")
            # However many are over, none of them is looked at but the last.
            db.execute("CREATE INDEX IF NOT EXISTS places_joined ON places (joined, number)")
            db.execute("CREATE INDEX IF NOT EXISTS places_over ON places (starts + seconds)")

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

    def queue(self, now: float) -> list[Place]:
        """See `queue`."""
        with self._opened() as db:
            return queue(db, now)

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


def queue(db: sqlite3.Connection, now: float) -> list[Place]:
    """The jobs that say where the queue stands, in its order: the last that joined, and all that are not over.

    Those to come are in it, too. Who was cancelled before it started is not: it took none of the device's time.
    """
    return _standing(db, "joined <= ?", now, now)


def queue_at(db: sqlite3.Connection, place: Place, now: float) -> list[Place]:
    """As `queue`, with the last that joined before a job that is not over."""
    return _standing(db, "(joined, number) < (?, ?)", now, place.joined, place.number)


def _standing(db: sqlite3.Connection, joined: str, now: float, *values: float) -> list[Place]:
    # Two looks into an index each: with "or" between them SQLite would go through all rows.
    rows = db.execute(
        f"SELECT {_LIST} FROM places WHERE {_TOOK_TIME} AND starts + seconds > ? UNION "  # noqa: S608 - our own words
        f"SELECT * FROM (SELECT {_LIST} FROM places WHERE {joined} AND {_TOOK_TIME} "
        "ORDER BY joined DESC, number DESC LIMIT 1)",
        (now, *values),
    )
    return sorted((Place(*row) for row in rows), key=lambda place: (place.joined, place.number))


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
