"""Opening a store: find the database, bring its schema to this version or say why not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from antiphon.adapters.store.databases import Database, database_at
from antiphon.adapters.store.failures import translate
from antiphon.adapters.store.schema import bring_up_to_date
from antiphon.adapters.store.store import SqlJobStore


def open_store(url_or_path: str | Path) -> SqlJobStore:
    """The store at a URL (`postgresql://…`, `sqlite:///…`) or in a SQLite file, made when it is new.

    A path is the file itself, or a folder that has or gets `antiphon.db`. Missing folders above the file are made. A
    store of an older schema is migrated, the SQLite file after a copy of it was put beside it. Any number of processes
    may open the same new store at the same time.

    Raises:
        StoreError: "store-newer" when a newer Antiphon made it, "store-corrupt", "store-permission", "store-full",
            "store-busy", "store-foreign" when something else lives there, "store-unreachable", "store-url".
        MissingExtraError: The PostgreSQL driver is not installed.
    """
    database = database_at(url_or_path)
    try:
        if database.file is not None:
            database.file.parent.mkdir(parents=True, exist_ok=True)
        bring_up_to_date(database)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        database.engine.dispose()
        raise translate(error, _where(database)) from error
    except BaseException:
        database.engine.dispose()
        raise
    return SqlJobStore(database)


def _where(database: Database) -> str:
    return database.url if database.file is None else str(database.file)
