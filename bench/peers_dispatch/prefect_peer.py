"""Prefect with its server, results kept: BENCH_PREFECT=flow, or background for tasks that workers take.

The server keeps to SQLite, its default: of PostgreSQL it wants the extension pg_trgm, which the server that the bench
brings does not have.

A flow runs where it is called, its tasks in threads of that process; background tasks are stored by the server and run
by worker processes, as jobs of a queue are.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

from bench.peers_dispatch.circuit import PROGRAM, SHOTS
from bench.peers_dispatch.driving import PATIENCE_S, Place, drive, process, script, until


class Flow:
    """A flow run for each circuit; for many at once, one flow that maps a task over them."""

    def __init__(self, place: Place) -> None:
        from bench.peers_dispatch import prefect_app

        self._one = prefect_app.one_flow
        self._many = prefect_app.many_flow(place.workers)

    def all_at_once(self, jobs: int) -> list[dict[str, int]]:
        """One flow, as many task runs."""
        found: list[dict[str, int]] = self._many(jobs)
        return found

    def one(self) -> dict[str, int]:
        """One flow run."""
        found: dict[str, int] = self._one(PROGRAM, SHOTS)
        return found


class Background:
    """`Task.delay`, and the result from the future."""

    def __init__(self) -> None:
        from bench.peers_dispatch.prefect_app import run_circuit

        self._task: Any = run_circuit

    def all_at_once(self, jobs: int) -> list[dict[str, int]]:
        """As many calls of `delay`, and the result of each."""
        asked = [self._task.delay(PROGRAM, SHOTS) for _ in range(jobs)]
        return [_result(one) for one in asked]

    def one(self) -> dict[str, int]:
        """One call."""
        return _result(self._task.delay(PROGRAM, SHOTS))


def _result(future: Any) -> dict[str, int]:
    """What the task returned; its server records states late, and until it has the first one `result` is an error."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            found: dict[str, int] = future.result(timeout=PATIENCE_S)
        except RuntimeError as error:
            if "has no state" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.005)
        else:
            return found


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def open_side(place: Place) -> Iterator[Flow | Background]:
    """The server, the workers of background tasks, and this process as the caller."""
    port = _free_port()
    os.environ.update(
        {
            "PREFECT_HOME": str(place.folder),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true",
            "PREFECT_LOGGING_LEVEL": "ERROR",
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
    )

    def answers() -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2) as answer:
            return bool(answer.status == 200)

    with contextlib.ExitStack() as running:
        command = [script("prefect"), "server", "start", "--no-ui", "--host", "127.0.0.1", "--port", str(port)]
        running.enter_context(process(command, place.folder / "server.log"))
        until(answers, "prefect server")
        if os.environ["BENCH_PREFECT"] == "flow":
            from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

            # Each flow would wait a second at its end for the thread that beats.
            with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
                yield Flow(place)
            return
        for number in range(place.workers):
            worker = [sys.executable, "-m", "bench.peers_dispatch.prefect_app"]
            running.enter_context(process(worker, place.folder / f"worker-{number}.log"))
        yield Background()


if __name__ == "__main__":
    drive(open_side)
