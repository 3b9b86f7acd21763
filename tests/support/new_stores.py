"""New SQLite stores of tests are copies of one that the migrations made: making each anew takes many times as long."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from pathlib import Path
from uuid import uuid4

from antiphon.adapters.store import schema
from antiphon.adapters.store.databases import Database, database_at


class NewStores:
    """Puts new stores where none are. The copied one is held in memory: a folder may be removed by a forked child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._template: bytes | None = None

    def bring_up_to_date(self, database: Database) -> None:
        """As the schema's own, after a file that is not there was made by copying."""
        if database.file is not None:
            self.put(database.file)
        schema.bring_up_to_date(database)

    def put(self, file: Path) -> None:
        """Put a store without rows there, unless there is one."""
        if file.exists():
            return
        copy = file.with_name(f"{file.name}.{uuid4().hex}")
        copy.write_bytes(self._made())
        # Another process may make the same store at this moment: whoever is first, it is whole at once.
        with contextlib.suppress(FileExistsError):
            os.link(copy, file)
        copy.unlink()

    def _made(self) -> bytes:
        with self._lock:
            if self._template is None:
                with tempfile.TemporaryDirectory(prefix="antiphon-store-") as folder:
                    file = Path(folder) / "antiphon.db"
                    database = database_at(file)
                    schema.bring_up_to_date(database)
                    database.engine.dispose()
                    self._template = file.read_bytes()
            return self._template


NEW_STORES = NewStores()
"""Those of this process."""
