"""Calibrations that a vendor told of a device, kept in a file: a vendor tells the newest, and drift compares two."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from antiphon.domain.calibrations import Calibration
from antiphon.errors import ExecutionError

FRESH_S = 600.0
"""So long after it was asked, a vendor is not asked again."""
MOST = 200
"""So many of the newest are kept of a device."""


class Snapshots:
    """The calibrations of one device, oldest first.

    Args:
        path: The file, a calibration a line. One that cannot be written costs only what it would have kept.
        ask: Has the vendor tell the newest; None when it has none.
    """

    def __init__(self, path: Path, ask: Callable[[], Mapping[str, Any] | None]) -> None:
        self._path, self._ask = path, ask
        self._known: dict[str, Calibration] | None = None
        self._asked_at: float | None = None
        self._lock = threading.Lock()

    def all(self) -> Sequence[Calibration]:
        """Every calibration that is known, the vendor's newest among them; one at least.

        Raises:
            ExecutionError: None is known, and the vendor tells none or cannot be asked.
        """
        with self._lock:
            if self._known is None:
                self._known = self._read()
            if self._asked_at is None or time.monotonic() - self._asked_at > FRESH_S:
                self._renew(self._known)
            return sorted(self._known.values(), key=lambda each: each.taken_at)

    def _renew(self, known: dict[str, Calibration]) -> None:
        try:
            told = self._ask()
            newest = None if told is None else Calibration.from_json(told)
        except NotImplementedError:
            newest = None
        except ExecutionError:
            if not known:
                raise
            newest = None  # the last that was told stands
        except (LookupError, TypeError, ValueError) as error:
            raise ExecutionError("The vendor told what is no calibration.", cause=repr(error)) from None
        self._asked_at = time.monotonic()
        if newest is None:
            if not known:
                raise ExecutionError(
                    "The vendor publishes no calibration of this device.",
                    code="calibration-unknown",
                    next_step="Choose another target, or leave out what needs one.",
                )
            return
        if newest.digest not in known:
            known[newest.digest] = newest
            for old in sorted(known, key=lambda digest: known[digest].taken_at)[:-MOST]:
                del known[old]
            self._write(known)

    def _read(self) -> dict[str, Calibration]:
        found: dict[str, Calibration] = {}
        try:
            for line in self._path.read_text().splitlines():
                calibration = Calibration.from_json(json.loads(line))
                found[calibration.digest] = calibration
        except (OSError, LookupError, TypeError, ValueError):
            pass  # it is told anew
        return found

    def _write(self, known: Mapping[str, Calibration]) -> None:
        """Whole or not at all: another process may be reading it."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("wb", dir=self._path.parent, delete=False) as file:
                file.writelines(each.to_bytes() + b"\n" for each in known.values())
            os.replace(file.name, self._path)  # noqa: PTH105 - atomic, as pathlib's is
        except OSError:
            pass
