"""Procrastinate on PostgreSQL: each worker a process, woken by NOTIFY; jobs are kept when they end."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from bench.peers_dispatch.circuit import PROGRAM, SHOTS
from bench.peers_dispatch.driving import PATIENCE_S, Place, drive, process


class Procrastinate:
    """Defers jobs, listens for their ends and reads what the task stored."""

    def __init__(self, task: Any, results: Any) -> None:
        self._task = task
        self._results = results

    def all_at_once(self, jobs: int) -> list[dict[str, int]]:
        """`batch_defer`, which its documentation calls the efficient way."""
        ids = self._task.batch_defer(*({"program": PROGRAM, "shots": SHOTS} for _ in range(jobs)))
        return self._counts(set(ids))

    def one(self) -> dict[str, int]:
        """One deferred job."""
        return self._counts({self._task.defer(program=PROGRAM, shots=SHOTS)})[0]

    def _counts(self, ids: set[int]) -> list[dict[str, int]]:
        waiting = set(ids)
        for told in self._results.notifies(timeout=PATIENCE_S):
            waiting.discard(int(told.payload))
            if not waiting:
                break
        rows = self._results.execute("SELECT counts FROM bench_results WHERE job = ANY(%s)", (list(ids),))
        return [json.loads(counts) for (counts,) in rows]


@contextlib.contextmanager
def open_side(place: Place) -> Iterator[Procrastinate]:
    """Its schema, its workers, and this process as the one that defers."""
    os.environ["BENCH_DATABASE"] = place.database
    import psycopg

    from bench.peers_dispatch import procrastinate_app as on

    with on.app.open(), contextlib.ExitStack() as workers, psycopg.connect(place.database, autocommit=True) as results:
        on.app.schema_manager.apply_schema()
        results.execute(on.TABLE)
        results.execute(f"LISTEN {on.CHANNEL}")
        for number in range(place.workers):
            command = [sys.executable, "-m", "procrastinate", "--app", f"{on.__name__}.app", "worker"]
            workers.enter_context(process([*command, "--concurrency", "1"], place.folder / f"worker-{number}.log"))
        yield Procrastinate(on.run_circuit, results)


if __name__ == "__main__":
    drive(open_side)
