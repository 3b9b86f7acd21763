"""The sides of the dispatch case: what each is, how its process is started and asked, and what it took."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
PEERS_PROJECT = Path(__file__).parent / "peers_dispatch"
PEERS_PYTHON = PEERS_PROJECT / ".venv" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """One way to dispatch.

    Attributes:
        module: The program that drives it.
        environment: What tells that program which way.
        ours: Whether it is Antiphon, in this environment.
        durable: Whether a job that was accepted survives the death of every process.
        kept: What it keeps, in words.
        at_most: So many jobs at once at most: fewer in a pass for one that would take minutes.
        compared: Whether it has a ratio to each peer; else its figures stand alone.
    """

    name: str
    module: str
    environment: tuple[tuple[str, str], ...] = ()
    ours: bool = False
    durable: bool = True
    kept: str = ""
    at_most: int = 1_000_000
    compared: bool = True


def _antiphon(name: str, how: str, kept: str) -> Dispatcher:
    return Dispatcher(name, "bench.dispatch_ours", (("BENCH_ANTIPHON", how),), ours=True, kept=kept)


def _celery(kind: str, kept: str) -> Dispatcher:
    names = {"postgresql": "Celery on PostgreSQL", "redis": "Celery on Redis"}
    return Dispatcher(names[kind], "bench.peers_dispatch.celery_peer", (("BENCH_BROKER_KIND", kind),), kept=kept)


def _prefect(name: str, kind: str, kept: str, at_most: int = 1_000_000) -> Dispatcher:
    module = "bench.peers_dispatch.prefect_peer"
    return Dispatcher(name, module, (("BENCH_PREFECT", kind),), kept=kept, at_most=at_most)


_RECORD = "job, its events, plan, seed and result, for good"

OURS = (
    Dispatcher(
        "embedded, own engine",
        "bench.dispatch_ours",
        (("BENCH_ANTIPHON", "own"),),
        ours=True,
        kept=f"SQLite: {_RECORD}; not Aer but what sim.auto chooses, which it runs inline: Antiphon as it comes",
        compared=False,
    ),
    _antiphon("embedded, inline", "inline", f"SQLite: {_RECORD}; run in the submitting thread, one at a time"),
    _antiphon("embedded, workers", "workers", f"SQLite: {_RECORD}"),
    _antiphon("workers on PostgreSQL", "direct", f"PostgreSQL: {_RECORD}; the SDK on the database, antiphon worker"),
    _antiphon("server", "server", f"PostgreSQL: {_RECORD}; antiphon serve, antiphon worker"),
    _antiphon("server, slots", "slots", f"PostgreSQL: {_RECORD}; the same, and every job waits in the target's queue"),
)

PEERS = (
    _prefect("Prefect flow", "flow", "SQLite: flow and task runs; results in files. Runs in the caller's threads"),
    _prefect(
        "Prefect tasks", "background", "SQLite: task runs; results in files. Background tasks, run by task workers"
    ),
    _celery(
        "postgresql",
        "PostgreSQL: messages (SQLAlchemy transport, looks every 10 ms instead of every second), results for a day",
    ),
    _celery("redis", "Redis: the last second may be lost (appendonly, its default); no job record; results for a day"),
    Dispatcher(
        "Procrastinate",
        "bench.peers_dispatch.procrastinate_peer",
        kept="PostgreSQL: jobs and their events, woken by NOTIFY; no results, so its task writes them to a table",
    ),
    Dispatcher("Ray alone", "bench.peers_dispatch.ray_peer", durable=False, kept="nothing survives the caller"),
)


class CannotStartError(RuntimeError):
    """A side that is not there, and why, in one line."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a side took in one round, in seconds.

    Attributes:
        each: From the submit of many jobs at once to the last result, a job.
        overhead: The median from submit to result of one job on an idle dispatcher, less that of the bare circuit.
        trip: That median with the circuit.
        cpu: Processor time a job of many at once: its processes, and PostgreSQL's.
        counts: Of all jobs together.
    """

    each: float
    overhead: float
    trip: float
    cpu: float
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Amount:
    """How much one round does: so many jobs at once on so many workers, so many one after the other."""

    at_once: int
    one_by_one: int
    workers: int = 2
    warm: int = 20


def install_peers() -> None:
    """Make the peers' environment from its lock file, if it is not as it should be.

    Raises:
        CannotStartError: It cannot be made here.
    """
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "sync", "--project", str(PEERS_PROJECT), "--frozen", "--quiet", "--python", sys.executable]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except OSError as error:
        raise CannotStartError(f"no uv to install them with: {error}") from error
    if made.returncode:
        raise CannotStartError(_last_line(made.stderr))


def measure(side: Dispatcher, database: str, postgres_pids: list[int], amount: Amount) -> Taken:
    """Start the side, let it warm up, measure it, end it.

    Raises:
        CannotStartError: It did not start, or broke.
    """
    with tempfile.TemporaryDirectory(prefix="dsp-") as folder, _started(side, Path(folder), database, amount) as asked:
        asked.ask("bare", 5)
        asked.ask("all", amount.warm)
        asked.ask("one", 5)
        bare = statistics.median(asked.ask("bare", 50)["each"])
        before = asked.cpu_seconds(postgres_pids)
        jobs = min(amount.at_once, side.at_most)
        flood = asked.ask("all", jobs)
        cpu = asked.cpu_seconds(postgres_pids) - before
        trip = statistics.median(asked.ask("one", amount.one_by_one)["each"])
    return Taken(flood["seconds"] / jobs, trip - bare, trip, cpu / jobs, flood["counts"])


class _Asked:
    """The process of a side."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def ask(self, what: str, number: int) -> dict[str, Any]:
        """One line, one answer."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{what} {number}\n")
            self._process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next line of JSON."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise CannotStartError(_last_line(self._log.read_text(errors="replace")))
        found: dict[str, Any] = json.loads(line)
        return found

    def cpu_seconds(self, others: list[int]) -> float:
        """Processor time so far of the process, all beneath it, and the others with all beneath them."""
        total = 0.0
        for pid in (self._process.pid, *others):
            top = psutil.Process(pid)
            for one in (top, *top.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    times = one.cpu_times()
                    total += times.user + times.system
        return total


@contextlib.contextmanager
def _started(side: Dispatcher, folder: Path, database: str, amount: Amount) -> Iterator[_Asked]:
    python = sys.executable if side.ours else str(PEERS_PYTHON)
    command = [python, "-m", side.module, "--folder", str(folder), "--database", database]
    environment = {**os.environ, **dict(side.environment), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    environment.pop("VIRTUAL_ENV", None)
    log = folder / "side.log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            [*command, "--workers", str(amount.workers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sink,
            text=True,
            env=environment,
            cwd=ROOT,
        )
    try:
        asked = _Asked(process, log)
        asked.answer()
        yield asked
    finally:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it ended without a word"
