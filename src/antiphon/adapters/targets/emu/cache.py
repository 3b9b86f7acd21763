"""Compiled circuits kept by what they were compiled from: in memory, and in files that outlive the process.

A file that is not what was written, cut short or changed, is a miss. Writers put a whole file in place at once, so that
any number of processes may share the folder. Once the files hold more than their bound, those used least recently go.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from antiphon.adapters.targets.emu.tape_json import circuit_from_json, circuit_to_json
from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.domain.circuits import Circuit

MOST_BYTES = 256 * 2**20
MOST_OPERATIONS = 2_000_000
"""Operations that are kept in memory."""

_WRITES_BETWEEN_SWEEPS = 100


@dataclass(frozen=True, slots=True)
class Kept:
    """What compiling made. `seconds` is how long it took, `duration` how long a shot does.

    Attributes:
        layout: Physical qubit of each qubit of the program at the start.
        final: The same at the end.
        waits: Seconds that each physical qubit waits for classical decisions.
    """

    circuit: Circuit
    layout: tuple[int, ...]
    final: tuple[int, ...]
    seconds: float
    duration: float
    waits: tuple[tuple[int, float], ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "circuit": circuit_to_json(self.circuit),
            "layout": list(self.layout),
            "final": list(self.final),
            "seconds": self.seconds,
            "duration": self.duration,
            "waits": [list(each) for each in self.waits],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Kept:
        """The inverse of `to_json`."""
        return cls(
            circuit_from_json(data["circuit"]),
            tuple(data["layout"]),
            tuple(data["final"]),
            float(data["seconds"]),
            float(data["duration"]),
            tuple((qubit, seconds) for qubit, seconds in data["waits"]),
        )


def cache_folder() -> Path:
    """Where compiled circuits are kept: in ANTIPHON_CACHE, or the user's cache folder."""
    asked = os.environ.get("ANTIPHON_CACHE")
    return (Path(asked) if asked else Path(platformdirs.user_cache_dir("antiphon"))) / "compiled"


class CompiledCache:
    """Two layers by key, a hexadecimal digest. A folder that cannot be written costs only the reuse.

    Args:
        folder: Where files go; None for `cache_folder`, asked anew each time.
        most_bytes: The files together hold about so much at most.
    """

    def __init__(self, folder: Path | None = None, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._memory: BoundedCache[Kept] = BoundedCache(MOST_OPERATIONS, lambda kept: len(kept.circuit.operations) + 1)
        self._lock = threading.Lock()
        self._writes = 0

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return cache_folder() if self._folder is None else self._folder

    def get(self, key: str, most_bytes: int | None = None) -> Kept | None:
        """What was kept under the key, or None.

        Args:
            most_bytes: A larger file is not read.
        """
        try:
            return self._memory.get(key, lambda: self._read(key, most_bytes))
        except _MissError:
            return None

    def has(self, key: str) -> bool:
        """Whether something is kept under the key; whether its file is whole is found out by `get`."""
        return self._memory.has(key) or self._path(key).exists()

    def put(self, key: str, kept: Kept) -> None:
        """Keep it, in memory and in a file."""
        self.hold(key, kept)
        with contextlib.suppress(OSError, TypeError):  # no place for it, or it has no form on paper: reused here alone
            self._write(key, kept)

    def hold(self, key: str, kept: Kept) -> None:
        """Keep it in memory: its file has been written elsewhere."""
        self._memory.get(key, lambda: kept)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"

    def _read(self, key: str, most_bytes: int | None) -> Kept:
        try:
            if most_bytes is not None and self._path(key).stat().st_size > most_bytes:
                raise _MissError
            kept = Kept.from_json(json.loads(_checked(self._path(key).read_bytes())))
            os.utime(self._path(key))
        except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise _MissError from error
        return kept

    def _write(self, key: str, kept: Kept) -> None:
        body = json.dumps(kept.to_json(), separators=(",", ":")).encode()
        path = self._path(key)
        # Programs are their users' own: nobody else on the machine has business there.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        with self._lock:
            self._writes += 1
            due = self._writes % _WRITES_BETWEEN_SWEEPS == 1
        if due:
            self.sweep()

    def sweep(self) -> None:
        """Delete the files used least recently until the rest are within their bound, and what writers left behind."""
        found = []
        for path in self.folder.glob("??/*"):
            with contextlib.suppress(OSError):  # another process sweeps, too
                facts = path.stat()
                found.append((facts.st_mtime, facts.st_size, path))
        held = 0
        for _, size, path in sorted(found, reverse=True):
            held += size
            if held > self._most_bytes:
                with contextlib.suppress(OSError):
                    path.unlink()


def _checked(written: bytes) -> bytes:
    """The body of a file whose first line is the hash of the rest."""
    told, _, body = written.partition(b"\n")
    if told.decode() != hashlib.sha256(body).hexdigest():
        raise ValueError(told)
    return body


class _MissError(Exception):
    """Nothing usable is kept under a key."""
