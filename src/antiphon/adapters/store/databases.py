"""Where SQLite and PostgreSQL differ: how a connection is made, how a transaction begins, what serialises writers."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from antiphon.errors import MissingExtraError, StoreError

LOCK_WAIT_S = 30.0
"""How long a transaction waits for a lock before it gives up with code "store-busy"."""

WIDE_CONNECTIONS = 2
"""Connections to SQLite with room for a large index; the pool gives out what was used last, so they are used most."""

_DEFAULT_FILE = "antiphon.db"
# "antiphon" in ASCII: the key of the advisory lock under which a PostgreSQL schema is migrated.
_MIGRATION_LOCK = 0x616E746970686F6E


@dataclass(frozen=True, slots=True)
class Database:
    """One database: the engine that pools its connections, and the words it wants to hear.

    `writers` is a lock of this process where the database has one writer at a time: threads that queue on it are served
    at once, while SQLite's own wait is a sleep that doubles.
    """

    engine: Engine
    url: str
    file: Path | None
    begin_write: str
    begin_read: str
    begin_migration: tuple[str, ...]
    writers: threading.Lock | None = field(default=None)


def database_at(url_or_path: str | Path) -> Database:
    """The database of a URL (`sqlite:///…`, `postgresql://…`), or the SQLite file of a path.

    Raises:
        StoreError: The URL is of another kind ("store-url").
        MissingExtraError: The PostgreSQL driver is not installed.
    """
    text = str(url_or_path)
    if "://" not in text:
        path = Path(text).expanduser()
        return _sqlite(path / _DEFAULT_FILE if path.is_dir() else path)
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise _bad_url("the address", str(error)) from error
    kind = url.get_backend_name()
    if kind == "sqlite" and url.database and url.database != ":memory:":
        return _sqlite(Path(url.database))
    if kind in ("postgresql", "postgres"):
        return _postgres(url.set(drivername="postgresql+psycopg"))
    raise _bad_url(url.render_as_string(), f"{kind} databases are not supported")


def _bad_url(what: str, cause: str) -> StoreError:
    return StoreError(
        f"The store cannot be at {what}.",
        code="store-url",
        cause=cause,
        next_step="Give a file, sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
    )


def _sqlite(path: Path) -> Database:
    path = path.absolute()
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        # Every transaction here ends in an explicit commit or rollback before its connection goes back.
        pool_reset_on_return=None,
        pool_size=20,
        max_overflow=12,
        pool_timeout=LOCK_WAIT_S,
        # The connection used last has the statements and pages in its caches.
        pool_use_lifo=True,
        connect_args={"timeout": LOCK_WAIT_S, "cached_statements": 256},
    )

    numbers = itertools.count()

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        # The driver shall not begin transactions by itself: whether one may write is said when it begins.
        connection.isolation_level = None
        # Heard by a new file alone. A job changes a few rows on many pages, and the log holds whole pages: with half
        # the usual size it is half as long, and carrying it into the file costs less.
        connection.execute("PRAGMA page_size = 2048")
        connection.execute("PRAGMA foreign_keys = ON")
        # In WAL mode this loses nothing when a process dies, and never damages the file when the power goes.
        connection.execute("PRAGMA synchronous = NORMAL")
        # 16 MB, four times the default: the job that happens to carry the log into the file pays milliseconds.
        connection.execute("PRAGMA wal_autocheckpoint = 8000")
        if next(numbers) < WIDE_CONNECTIONS:
            # Who picks from a queue of a million jobs looks at 10 MB of its index in turn; twice the time without.
            connection.execute("PRAGMA cache_size = -16000")

    return Database(
        engine=engine,
        url=f"sqlite:///{path}",
        file=path,
        begin_write="BEGIN IMMEDIATE",
        begin_read="BEGIN",
        begin_migration=("BEGIN IMMEDIATE",),
        writers=threading.Lock(),
    )


def _postgres(url: URL) -> Database:
    try:
        engine = create_engine(
            url,
            paramstyle="format",
            pool_reset_on_return=None,
            # A server has sixteen threads that ask, and about six more; what is kept open costs the database memory,
            # and what is not costs every crowd a connection of some milliseconds each.
            pool_size=16,
            max_overflow=16,
            pool_timeout=LOCK_WAIT_S,
            pool_use_lifo=True,
            connect_args={"connect_timeout": 10},
        )
    except ModuleNotFoundError as error:
        raise MissingExtraError.of("psycopg", "postgres", "A PostgreSQL store") from error

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        # The same as for SQLite: this package says BEGIN itself.
        connection.autocommit = True
        connection.execute(f"SET lock_timeout = '{LOCK_WAIT_S:.0f}s'")

    return Database(
        engine=engine,
        url=url.set(drivername="postgresql", password=None).render_as_string(),
        file=None,
        begin_write="BEGIN",
        begin_read="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        begin_migration=("BEGIN", f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"),
    )
