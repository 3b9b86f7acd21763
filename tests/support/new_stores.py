"""New SQLite stores of tests are copies of one that the migrations made: making each anew takes many times as long."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from pathlib import Path
from uuid import uuid4

from antiphon.adapters.store import schema
from antiphon.adapters.store.databases import Database, database_at


class NewStores:
    """Puts new stores where none are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def bring_up_to_date(self, database: Database) -> None:
        """As the schema's own, after a file that is not there was made by copying."""
        if database.file is not None:
            self.put(database.file)
        schema.bring_up_to_date(database)

    def close(self) -> None:
        """Remove what was copied."""
        if self._folder is not None:
            self._folder.cleanup()

    def put(self, file: Path) -> None:
        """Put a store without rows there, unless there is one."""
        if file.exists():
            return
        copy = file.with_name(f"{file.name}.{uuid4().hex}")
        shutil.copyfile(self._template(), copy)
        # Another process may make the same store at this moment: whoever is first, it is whole at once.
        with contextlib.suppress(FileExistsError):
            os.link(copy, file)
        copy.unlink()

    def _template(self) -> Path:
        with self._lock:
            if self._folder is None:
                folder = tempfile.TemporaryDirectory(prefix="antiphon-store-")
                database = database_at(Path(folder.name) / "antiphon.db")
                schema.bring_up_to_date(database)
                database.engine.dispose()
                self._folder = folder
            return Path(self._folder.name) / "antiphon.db"


NEW_STORES = NewStores()
"""Those of this process; the root conftest closes them."""
