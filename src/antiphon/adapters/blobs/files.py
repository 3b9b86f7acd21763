"""Blobs as local files: one file a blob, named by its hash, complete or not there at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import time
import uuid
from pathlib import Path

from antiphon.errors import StoreError

_DIGEST = re.compile(r"sha256:([0-9a-f]{2})([0-9a-f]{62})")
_PART = re.compile(r"[A-Za-z0-9-]{1,128}")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_ABANDONED_AFTER_S = 86_400.0


class FileBlobStore:
    """Keeps each blob as `<folder>/<first two digits>/<the other 62>`; several processes may share the folder.

    A blob is written beside its place, flushed to the disk and renamed, so that whatever is found under a digest is
    whole. What a killed writer left behind is removed when the folder is next opened, a day later at the earliest.

    Args:
        folder: Where the blobs are; created when missing.

    Raises:
        StoreError: The folder cannot be made or written (codes "store-permission", "store-full").
    """

    def __init__(self, folder: Path | str) -> None:
        self._folder = Path(folder)
        self._unfinished = self._folder / "unfinished"
        try:
            self._unfinished.mkdir(parents=True, exist_ok=True)
            self._remove_abandoned()
        except OSError as error:
            raise _store_error(error, self._folder) from error

    def put(self, data: bytes) -> str:
        """Store `data` durably and return its digest, "sha256:" and 64 hexadecimal digits over the bytes.

        Raises:
            StoreError: The disk is full ("store-full") or not writable ("store-permission"); nothing partial is left.
        """
        name = hashlib.sha256(data).hexdigest()
        path = self._folder / name[:2] / name[2:]
        try:
            # Comparing, not trusting the name: putting a blob again repairs one that was damaged on the disk.
            if not self._has(path, data):
                self._write(path, data)
        except OSError as error:
            raise _store_error(error, self._folder) from error
        return f"sha256:{name}"

    def get(self, digest: str) -> bytes:
        """The bytes under `digest`.

        Raises:
            StoreError: Nothing is stored under it ("blob-missing"), what is stored no longer has that hash
                ("blob-corrupt"), or it cannot be read.
        """
        path = self._path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise _missing(digest, self._folder, f"there is no file {path}") from None
        except OSError as error:
            raise _store_error(error, self._folder) from error
        if "sha256:" + hashlib.sha256(data).hexdigest() != digest:
            raise StoreError(
                f"The blob {digest} is damaged.",
                code="blob-corrupt",
                cause=f"the {len(data)} bytes in {path} have another hash",
                next_step="Restore the file from a backup, or submit the same work again, which writes it anew.",
                details={"digest": digest, "path": str(path)},
            )
        return data

    def get_range(self, digest: str, start: int, stop: int) -> bytes:
        """Bytes from `start` up to `stop`, read from the disk alone; not compared with the hash.

        Raises:
            StoreError: Nothing is stored under it ("blob-missing"), or it cannot be read.
        """
        path = self._path(digest)
        try:
            with path.open("rb") as file:
                file.seek(start)
                return file.read(max(0, stop - start))
        except FileNotFoundError:
            raise _missing(digest, self._folder, f"there is no file {path}") from None
        except OSError as error:
            raise _store_error(error, self._folder) from error

    def delete(self, digest: str, *, untouched_for: float) -> bool:
        """Delete a blob that was not put for so many seconds; False when it was, or is not there.

        Raises:
            StoreError: It cannot be deleted.
        """
        path, aside = self._path(digest), self._unfinished / uuid.uuid4().hex
        try:
            if time.time() - path.stat().st_mtime < untouched_for:
                return False
            path.replace(aside)
            # Somebody may have put it between the look and the move, and relies on it now.
            if time.time() - aside.stat().st_mtime < untouched_for:
                aside.replace(path)
                return False
            aside.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _store_error(error, self._folder) from error
        return True

    def part(self, name: str) -> FileBlobStore:
        """A store in a folder of its own within this one.

        Raises:
            ValueError: The name is not made of letters, digits and hyphens.
        """
        return FileBlobStore(self._part_folder(name))

    def drop_part(self, name: str) -> None:
        """Delete a part with everything in it; nothing happens when there is none.

        Raises:
            StoreError: It cannot be deleted.
        """
        folder = self._part_folder(name)
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _store_error(error, folder) from error

    def _part_folder(self, name: str) -> Path:
        if _PART.fullmatch(name) is None:
            raise ValueError(f"{name!r} does not name a part of a blob store")
        return self._folder / "parts" / name

    def _path(self, digest: str) -> Path:
        found = _DIGEST.fullmatch(digest)
        if found is None:
            raise _missing(digest, self._folder, "it is not of the form sha256:<64 hexadecimal digits>")
        return self._folder / found[1] / found[2]

    def _has(self, path: Path, data: bytes) -> bool:
        try:
            if path.read_bytes() != data:
                return False
            os.utime(path)  # who deletes what nobody puts any more sees that it is wanted
        except FileNotFoundError:
            return False
        return True

    def _write(self, path: Path, data: bytes) -> None:
        temporary = self._unfinished / uuid.uuid4().hex
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            new_folder = not path.parent.exists()
            path.parent.mkdir(exist_ok=True)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _flush_folder(path.parent)
        if new_folder:
            _flush_folder(self._folder)

    def _remove_abandoned(self) -> None:
        # File times are the file system's, not the product's: the clock port has no say in them.
        oldest = time.time() - _ABANDONED_AFTER_S
        for file in self._unfinished.iterdir():
            with contextlib.suppress(OSError):
                if file.stat().st_mtime < oldest:
                    file.unlink()


def _flush_folder(folder: Path) -> None:
    # A rename survives a power cut only once its folder is on the disk; Windows cannot open folders, and need not.
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _missing(digest: str, folder: Path, cause: str) -> StoreError:
    return StoreError(
        f"The blob store {folder} has nothing under {digest!r}.",
        code="blob-missing",
        cause=cause,
        next_step="Check that this folder belongs to the database that names the blob, or restore it from a backup.",
        details={"digest": digest},
    )


def _store_error(error: OSError, folder: Path) -> StoreError:
    cause = error.strerror or str(error)
    details = {"folder": str(folder)}
    if error.errno in _FULL:
        return StoreError(
            f"The disk that holds the blobs in {folder} is full.",
            code="store-full",
            cause=cause,
            next_step="Free space or raise the quota, then try again; nothing partial was kept.",
            details=details,
        )
    if error.errno in _FORBIDDEN:
        return StoreError(
            f"This process may not read or write the blobs in {folder}.",
            code="store-permission",
            cause=cause,
            next_step="Give its user the right to read and write the folder, or choose another with ANTIPHON_HOME.",
            details=details,
        )
    return StoreError(
        f"The blobs in {folder} cannot be read or written.",
        cause=cause,
        next_step="Check that the path is a folder on a disk that works.",
        details=details,
    )
