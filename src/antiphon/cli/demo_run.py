"""A run of the demo: what must be known to go on with it after the process was killed.

The evaluations themselves are jobs in the store. Beside it lies one small file with what the loop started from; since
the optimiser is deterministic, starting it again from there asks for the same evaluations in the same order.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from antiphon.engine.ids import new_id
from antiphon.errors import StoreError

FOLDER = "demo"
LATEST = "latest.json"


@dataclass(frozen=True, slots=True)
class DemoRun:
    """One run.

    Attributes:
        id: Prefix of every evaluation's idempotency key, and key of its session.
        seed: Drew the start, and is each job's seed.
        start: The first angles, in radians.
        target: Where it runs.
        started_at: Seconds since the epoch.
        result: What the demo printed at its end, or None.
    """

    id: str
    seed: int
    start: tuple[float, ...]
    target: str
    started_at: float
    result: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Name of its jobs and its session."""
        return f"h2-vqe-{self.id[-6:].lower()}"

    def folder(self, home: Path) -> Path:
        """Where its pictures lie."""
        return home / FOLDER / self.id


def new_run(seed: int, num_angles: int, target: str, now: float) -> DemoRun:
    """A fresh run that starts far from the answer: angles between −π/2 and π/2, drawn from the seed."""
    import numpy as np

    drawn = np.random.default_rng(seed).uniform(-math.pi / 2, math.pi / 2, num_angles)
    return DemoRun(new_id("demo"), seed, tuple(float(angle) for angle in drawn), target, now)


def save_run(home: Path, run: DemoRun) -> None:
    """Make `run` the latest; a kill at any moment leaves the old file or the new one.

    Raises:
        StoreError: The folder cannot be written.
    """
    path = home / FOLDER / LATEST
    part = path.with_name(f"{LATEST}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            json.dump(asdict(run), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise StoreError(
            f"The demo cannot write {path}.",
            cause=str(error.strerror or error),
            next_step="Choose another folder with --home DIR.",
        ) from error


def latest_run(home: Path) -> DemoRun | None:
    """The run that was started last, or None.

    Raises:
        StoreError: Its file is damaged.
    """
    path = home / FOLDER / LATEST
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return DemoRun(**{**data, "start": tuple(data["start"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(
            f"The file {path} does not hold a run of the demo.",
            cause=f"{type(error).__name__}: {error}",
            next_step="Start a new run with `antiphon demo`.",
        ) from error
