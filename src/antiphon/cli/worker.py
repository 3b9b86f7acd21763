"""`antiphon worker`: an engine without a server, which takes from the queues."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli.exit_codes import INTERRUPTED
from antiphon.cli.shell import Shell
from antiphon.errors import SettingsError

if TYPE_CHECKING:
    from antiphon.composition import RunningEngine
    from antiphon.ports.executor import Executor

_LOOK_S = 0.1


def worker(
    shell: Shell,
    *,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="PostgreSQL instead of SQLite [$ANTIPHON_DATABASE].")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Jobs at a time [one a processor; on a cluster, its CPUs].")
    ] = None,
    drain_seconds: Annotated[float, typer.Option(min=0.0, help="Time for what runs to end when told to stop.")] = 30.0,
    ray: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Run jobs on a Ray cluster: auto, HOST:PORT or ray://….")
    ] = None,
    cpus: Annotated[float, typer.Option(min=0.0, help="CPUs that a job takes there.")] = 1.0,
    gpus: Annotated[float, typer.Option(min=0.0, help="GPUs that a job takes there.")] = 0.0,
    qpus: Annotated[
        bool, typer.Option("--qpus/--no-qpus", help="A job takes one of the resource qpu:TARGET, where there is one.")
    ] = True,
) -> int | None:
    """Take jobs from the queues of a folder or database until told to stop.

    The first Ctrl-C or SIGTERM drains: nothing more is taken, and what runs may end. The second ends at once, and what
    runs goes back into the queue.
    """
    from antiphon.composition import build_engine, ray_executor

    runs_on: Executor | None = None
    if ray is not None:
        runs_on = ray_executor(ray, max_tasks=workers, cpus=cpus, gpus=gpus, qpus=qpus)
    stop = _Stop()  # after Ray, which has a way of its own to end
    try:
        engine = build_engine(shell.home, database=database or _from_file(), workers=workers, runs_on=runs_on)
    except BaseException:
        if runs_on is not None:
            runs_on.close()
        raise
    try:
        _tell(shell, engine, ray)
        stop.wait()
        _drain(shell, engine, stop, drain_seconds)
        at_once = stop.asked > 1
    finally:
        engine.close()
    shell.note("Stopped.")
    return INTERRUPTED if at_once else None


def _from_file() -> str | None:
    """The URL from the file that ANTIPHON_DATABASE_FILE names, as a server reads it; it may hold a password."""
    name = os.environ.get("ANTIPHON_DATABASE_FILE")
    if not name:
        return None
    try:
        return Path(name).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The file {name}, which ANTIPHON_DATABASE_FILE names, cannot be read.",
            cause=f"{type(error).__name__}: {error}",
            next_step="Let this user read it, or give --database.",
        ) from None


class _Stop:
    """Counts the signals that ask for an end.

    Of two signals that come together, the system may run both handlers in another thread, and a main thread that waits
    for a lock sleeps on. It waits for a byte instead, which the interpreter writes in whatever thread the signal comes.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._told, self._tells = socket.socketpair()
        self._tells.setblocking(False)
        signal.set_wakeup_fd(self._tells.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's signature
        self.asked += 1

    def wait(self) -> None:
        """Until the first of them."""
        while not self.asked:
            self._told.recv(1)


def _tell(shell: Shell, engine: RunningEngine, ray: str | None) -> None:
    facts: dict[str, Any] = {
        "engine": engine.ctx.engine_id,
        "pid": os.getpid(),
        "store": engine.ctx.store.url,
        "home": str(engine.home),
        "runs_on": "worker processes" if ray is None else f"Ray at {ray}",
        "jobs_at_a_time": engine.ctx.executors["process"].capacity,
        "targets": sorted(engine.ctx.drivers),
    }
    if shell.as_json:
        shell.line(facts)
        return
    shell.note(
        f"Serving {', '.join(facts['targets'])} from {facts['store']}, {facts['jobs_at_a_time']} at a time, "
        f"on {facts['runs_on']}. Ctrl-C drains; twice ends at once."
    )


def _drain(shell: Shell, engine: RunningEngine, stop: _Stop, seconds: float) -> None:
    """Take nothing more, and wait until nothing runs here, the time is over, or a second signal comes."""
    dispatcher = engine.dispatcher
    assert dispatcher is not None
    dispatcher.take_no_more()
    if not dispatcher.is_idle:
        shell.note(f"Draining for {seconds:g} s at most.")
    until = time.monotonic() + seconds
    while not dispatcher.is_idle and stop.asked < 2 and time.monotonic() < until:
        time.sleep(_LOOK_S)
