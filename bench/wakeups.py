"""From a submit by another process to the start of the job on an idle target, and what it costs to listen."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from antiphon.composition import RunningEngine, build_engine
from antiphon.engine.context import EngineSettings
from antiphon.engine.wait import wait
from bench.measure import Row, Spread
from bench.registry import Settings, case

PAUSE_S = 0.05
SUBMITTER = """
import sys, time
from antiphon import Workspace
bell = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
with Workspace(sys.argv[1], dispatch=False) as ws:
    target = ws.target("sim.auto")
    for line in sys.stdin:
        print(target.submit(bell, shots=5, execution="process").id, flush=True)
"""


@contextlib.contextmanager
def _databases() -> Iterator[dict[str, str | None]]:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
    from real_postgres import RealPostgres

    server = RealPostgres()
    try:
        yield {"SQLite": None, "PostgreSQL": server.empty_database()}
    finally:
        server.close()


def _starts(engine: RunningEngine, database: str | None, jobs: int) -> list[float]:
    """Seconds from created_at to started_at: both are this machine's clock, read by two processes."""
    environ = {**os.environ, **({"ANTIPHON_DATABASE": database} if database else {})}
    command = [sys.executable, "-c", SUBMITTER, str(engine.home)]
    taken = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(jobs + 5):
            process.stdin.write("\n")
            process.stdin.flush()
            job = wait(engine.ctx, "default", process.stdout.readline().strip(), timeout=60)
            assert job.started_at is not None
            if number >= 5:
                taken.append(job.started_at - job.created_at)
            time.sleep(PAUSE_S)
        process.stdin.close()
    return taken


def _idle_share(seconds: float) -> float:
    """Processor time of this process over time, with an engine that has nothing to do."""
    before, begun = time.process_time(), time.monotonic()
    time.sleep(seconds)
    return (time.process_time() - before) / (time.monotonic() - begun)


@case("wakeups")
def wakeups(settings: Settings) -> list[Row]:
    """An engine that looks by itself once an hour, so that it starts only what it is told of."""
    rows = []
    with _databases() as databases, tempfile.TemporaryDirectory(prefix="antiphon-bench-") as folder:
        for name, database in databases.items():
            engine = build_engine(
                Path(folder) / name, database=database, workers=1, settings=EngineSettings(poll_seconds=3_600.0)
            )
            try:
                taken = sorted(_starts(engine, database, 50 if settings.quick else 300))
                idle = _idle_share(3.0 if settings.quick else 20.0)
            finally:
                engine.close()
            worst = taken[int(0.99 * len(taken))]
            note = f"{name}: 99 % within {1e3 * worst:.1f} ms; an idle engine takes {100 * idle:.2f} % of a core"
            spread = Spread(statistics.median(taken), taken[0], taken[-1])
            rows.append(Row("wakeups", f"start, {name}", spread, aim=0.02, notes=(note,)))
    return rows
