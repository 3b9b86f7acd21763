"""The files of an archive: JSON lines, gzipped, in a folder for each month (UTC) in which jobs ended.

Each process writes files of its own and only adds to them, a whole gzip member at a time: what a killed process leaves
half written is the end of one file, and everything before it can be read.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from antiphon.engine.ids import new_id
from antiphon.errors import StoreError


class ArchiveWriter:
    """Adds lines to the files of one archiving; what `write` returned for is on the disk.

    Args:
        folder: Made when something is to be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._name = f"{new_id('arc')}.jsonl.gz"

    def write(self, lines: Sequence[tuple[float, Mapping[str, Any]]]) -> list[Path]:
        """Add the lines, each with the time of its end, and return where each is.

        Raises:
            StoreError: The folder cannot be written.
        """
        files = [self._folder / f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m}" / self._name for at, _ in lines]
        try:
            for file in dict.fromkeys(files):
                mine = [line for (_, line), where in zip(lines, files, strict=True) if where == file]
                _append(file, mine)
        except OSError as error:
            raise StoreError(
                f"The archive {self._folder} cannot be written.",
                code="archive-unwritable",
                cause=f"{type(error).__name__}: {error.strerror or error}",
                next_step="Give another folder with --to; whatever is not in the archive is still in the store.",
            ) from None
        return files


def lines_of(file: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file, up to where a killed process left it half written.

    Raises:
        StoreError: There is no such file, or it cannot be read.
    """
    try:
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            for line in stream:
                if line.endswith("\n"):
                    yield json.loads(line)
    except (EOFError, zlib.error):
        return
    except OSError as error:
        raise StoreError(
            f"The archive's file {file} cannot be read.",
            code="archive-unreadable",
            cause=f"{type(error).__name__}: {error.strerror or error}",
            next_step="Bring it back to where it was, or read it elsewhere: it is gzipped JSON, one record a line.",
        ) from None


def _append(file: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    made = [folder for folder in (file.parent, *file.parent.parents) if not folder.exists()]
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not file.exists()
    text = "".join(json.dumps(line, default=_plain, separators=(",", ":")) + "\n" for line in lines)
    # Programs and results are as private here as they were in the store.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:
        stream.write(gzip.compress(text.encode(), mtime=0))
        stream.flush()
        os.fsync(stream.fileno())
    if is_new:
        for folder in (file.parent, *(each.parent for each in made)):
            _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    # A new file survives a power cut only once its folder is on the disk; Windows cannot open folders, and need not.
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"not a JSON value: {type(value).__name__}")
