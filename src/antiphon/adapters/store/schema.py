"""The schema of a database: which revision it has, and the way to this package's own."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.exc import OperationalError

from antiphon.adapters.store import (  # noqa: F401 - for metadata
    archive_tables,
    azure_tables,
    badge_tables,
    count_tables,
    queue_tables,
    triggers,
)
from antiphon.adapters.store.columns import metadata
from antiphon.adapters.store.databases import LOCK_WAIT_S, Database
from antiphon.adapters.store.tables import SCHEMA_VERSIONS, VERSION_TABLE, schema_history
from antiphon.errors import StoreError

_MIGRATIONS = Path(__file__).parent / "migrations"
_NEWEST = SCHEMA_VERSIONS[-1]


def bring_up_to_date(database: Database) -> None:
    """Migrate the schema to the newest revision; does nothing, cheaply, when it is there already.

    Raises:
        StoreError: The store is newer than this package ("store-newer") or not Antiphon's ("store-foreign").
    """
    with database.engine.connect() as connection:
        if database.file is not None:
            _use_write_ahead_log(connection)
        if _revision(connection, database) == _NEWEST:
            return
        # Somebody else may open the same store at this moment: under the lock, look again.
        connection.rollback()
        for statement in database.begin_migration:
            connection.exec_driver_sql(statement)
        revision = _revision(connection, database)
        if revision != _NEWEST:
            if revision is not None and database.file is not None:
                _back_up(database.file, revision)
            migrate(connection)
        connection.commit()


def _revision(connection: Connection, database: Database) -> str | None:
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        taken = sorted(tables & set(metadata.tables) if database.file is None else tables)
        if taken:
            raise StoreError(
                f"The database {database.url} belongs to something else.",
                code="store-foreign",
                cause=f"it has tables that Antiphon did not make: {', '.join(taken[:5])}",
                next_step="Give Antiphon a database, schema or file of its own.",
            )
        return None
    # A table without its row is a migration from nothing that nobody finished; every migration is one transaction, so
    # only a foreign hand can leave it.
    revision = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608 - a constant
    if revision is not None and revision not in SCHEMA_VERSIONS:
        raise _newer(connection, database, str(revision))
    return None if revision is None else str(revision)


def _newer(connection: Connection, database: Database, revision: str) -> StoreError:
    made_by = connection.execute(
        select(schema_history.c.antiphon_version).where(schema_history.c.revision == revision)
    ).scalar_one_or_none()
    maker = f"Antiphon {made_by}" if made_by else "a newer Antiphon"
    return StoreError(
        f"The store {database.url} was made by {maker}; this is {version('antiphon')}.",
        code="store-newer",
        cause=f"its schema is at revision {revision}, and this version knows {_NEWEST} as the last",
        next_step=f'Upgrade with pip install --upgrade "antiphon{f">={made_by}" if made_by else ""}", '
        "or open another folder.",
        details={"revision": revision, "newest_known": _NEWEST, "made_by": made_by},
    )


def migrate(connection: Connection, revision: str = _NEWEST) -> None:
    """Run the migrations up to `revision` inside the connection's transaction, and note who did."""
    # Alembic is slow to import and needed only here.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, revision)
    connection.execute(
        insert(schema_history),
        {
            "revision": revision,
            "antiphon_version": version("antiphon"),
            "migrated_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        },
    )


def _back_up(file: Path, revision: str) -> None:
    copy = file.with_name(f"{file.name}.schema-{revision}")
    unfinished = copy.with_name(copy.name + ".part")
    with (
        contextlib.closing(sqlite3.connect(file)) as source,
        contextlib.closing(sqlite3.connect(unfinished)) as target,
    ):
        source.backup(target)
    unfinished.replace(copy)


def _use_write_ahead_log(connection: Connection) -> None:
    # Changing the mode needs the file for itself, and SQLite does not wait for that by itself.
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            if connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() != "wal":
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            locked = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not locked or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
