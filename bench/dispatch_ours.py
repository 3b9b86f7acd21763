"""Antiphon's side of the dispatch case, in a process like its peers: BENCH_ANTIPHON says how it is put together.

`own`: a workspace on a folder as it comes, with the engine that the target chooses. `inline`: Aer, as on all sides, in
the submitting thread. `workers`: the same with every job in a worker process. `direct`: the SDK on PostgreSQL itself,
which runs nothing in its process, and `antiphon worker` beside it: what the peers with a database do. `server`: the SDK
on a server that runs nothing itself, `antiphon worker` beside it, both on PostgreSQL. `slots`: the same with a target
that runs only so many jobs at a time, so that each waits in its queue.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from antiphon import Workspace
from bench.http_servers import antiphon_server
from bench.peers_dispatch.circuit import PROGRAM, SHOTS
from bench.peers_dispatch.driving import Place, drive, process, until

ENGINE = "aer-statevector"
TARGET = "sim.auto"


class Antiphon:
    """`submit` and `result`."""

    def __init__(self, workspace: Workspace, **options: Any) -> None:
        self._target = workspace.target(TARGET)
        self._options = options

    def all_at_once(self, jobs: int) -> list[dict[str, int]]:
        """As many submits, and the result of each."""
        asked = [self._target.submit(PROGRAM, shots=SHOTS, **self._options) for _ in range(jobs)]
        return [dict(job.result().counts) for job in asked]

    def one(self) -> dict[str, int]:
        """One job."""
        return dict(self._target.submit(PROGRAM, shots=SHOTS, **self._options).result().counts)


@contextlib.contextmanager
def _embedded(place: Place, **options: Any) -> Iterator[Antiphon]:
    with Workspace(place.folder / "lab", workers=place.workers) as workspace:
        yield Antiphon(workspace, **options)


@contextlib.contextmanager
def _worker(place: Place, home: Path) -> Iterator[None]:
    log = place.folder / "worker.log"
    command = [str(Path(sys.executable).with_name("antiphon")), "worker", "--json", "--home", str(home)]
    with process([*command, "--database", place.database, "--workers", str(place.workers)], log):
        until(lambda: "engine" in json.loads(log.read_text().splitlines()[0]), "antiphon worker")
        yield


@contextlib.contextmanager
def _direct(place: Place) -> Iterator[Antiphon]:
    home = place.folder / "lab"
    with (
        Workspace(home, database=place.database, workers=0) as workspace,
        _worker(place, home),
    ):
        yield Antiphon(workspace, engine=ENGINE, execution="process")


@contextlib.contextmanager
def _served(place: Place, slots: int | None) -> Iterator[Antiphon]:
    home = place.folder / "lab"
    with Workspace(home, database=place.database, dispatch=False) as workspace:
        if slots is not None:
            workspace.target(TARGET).set_queue(slots=slots)
    with (
        antiphon_server(home, database=place.database, workers=0, options=("--inline-seconds", "0")) as server,
        _worker(place, home),
        Workspace(server.url, api_key=server.key) as workspace,
    ):
        yield Antiphon(workspace, engine=ENGINE)


def open_side(place: Place) -> contextlib.AbstractContextManager[Antiphon]:
    """One of the ways."""
    how = os.environ["BENCH_ANTIPHON"]
    if how == "own":
        return _embedded(place)
    if how in ("inline", "workers"):
        return _embedded(place, engine=ENGINE, execution="process" if how == "workers" else "inline")
    if how == "direct":
        return _direct(place)
    return _served(place, place.workers if how == "slots" else None)


if __name__ == "__main__":
    drive(open_side)
