"""Celery, prefork workers: `celery_peer.py` with --folder … and BENCH_BROKER_KIND=postgresql or redis.

On PostgreSQL messages go through Kombu's SQLAlchemy transport and results into the database backend. On Redis, which
its documentation recommends, messages and results are in a redis-server that appends to a file and flushes it once a
second, its usual way to be durable.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.peers_dispatch.circuit import PROGRAM, SHOTS
from bench.peers_dispatch.driving import PATIENCE_S, Place, drive, process, script, until

LOOK_S = 0.01
"""How often the database backend looks for a result; Redis tells of them."""


class Celery:
    """`delay` and `get`."""

    def __init__(self, task: Any) -> None:
        self._task = task

    def all_at_once(self, jobs: int) -> list[dict[str, int]]:
        """As many calls of `delay`, and a `get` of each."""
        asked = [self._task.delay(PROGRAM, SHOTS) for _ in range(jobs)]
        return [one.get(timeout=PATIENCE_S, interval=LOOK_S) for one in asked]

    def one(self) -> dict[str, int]:
        """One call."""
        found: dict[str, int] = self._task.delay(PROGRAM, SHOTS).get(timeout=PATIENCE_S, interval=LOOK_S)
        return found


@contextlib.contextmanager
def _redis(folder: Path) -> Iterator[str]:
    socket = folder / "redis.sock"
    command = [script("redis-server"), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    with process([*command, "--appendonly", "yes", "--save", ""], folder / "redis.log"):
        until(socket.exists, "redis-server")
        yield str(socket)


@contextlib.contextmanager
def open_side(place: Place) -> Iterator[Celery]:
    """Broker, a worker with its processes, and this process as the caller."""
    with contextlib.ExitStack() as running:
        if os.environ["BENCH_BROKER_KIND"] == "redis":
            socket = running.enter_context(_redis(place.folder))
            os.environ["BENCH_BROKER"] = f"redis+socket://{socket}"
            os.environ["BENCH_RESULTS"] = f"redis+socket://{socket}"
        else:
            url = place.database.replace("postgresql://", "postgresql+psycopg://", 1)
            os.environ["BENCH_BROKER"] = f"sqla+{url}"
            os.environ["BENCH_RESULTS"] = f"db+{url}"
        from bench.peers_dispatch import celery_app as on

        command = [script("celery"), "-A", f"{on.__name__}", "worker", "--concurrency", str(place.workers)]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]
        running.enter_context(process([*command, *quiet], place.folder / "worker.log"))
        yield Celery(on.run_circuit)


if __name__ == "__main__":
    drive(open_side)
