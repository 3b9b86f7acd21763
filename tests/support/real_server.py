"""A real `antiphon serve` in a process of its own, on a free port of loopback, with its first key."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from new_stores import NEW_STORES

START_S = 60
STOP_S = 40


@dataclass
class RealServer:
    """A server process that answers.

    Attributes:
        key: The text of an admin's key of the workspace "default"; empty if the folder had keys before.
        ready: The JSON that the server printed when it was ready.
    """

    process: subprocess.Popen[str]
    url: str
    key: str
    home: Path
    ready: dict[str, Any]
    stderr: Path

    def client(self, key: str | None = None, **options: Any) -> httpx2.Client:
        """An HTTP client with a key (the first one by default)."""
        options.setdefault("timeout", 30)
        used = self.key if key is None else key
        return httpx2.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {used}"} if used else {}, trust_env=False, **options
        )

    def log(self) -> str:
        """All that the server wrote to stderr so far."""
        return self.stderr.read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it and wait; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def command_line(*arguments: str) -> list[str]:
    """The program `antiphon` of this environment."""
    return [sys.executable, "-c", "from antiphon.cli.main import main; main()", *arguments]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without any setting of Antiphon, and with `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")}
    return {**kept, "QDK_PYTHON_TELEMETRY": "none", **(extra or {})}


@contextlib.contextmanager
def real_server(
    home: Path, *options: str, env: Mapping[str, str] | None = None, workers: int = 1
) -> Iterator[RealServer]:
    """Start a server on `home`; stopped at the end of the block, with SIGTERM.

    Args:
        options: More of the command line, e.g. "--azure".
        env: More of the environment.
    """
    if "--database" not in options and "ANTIPHON_DATABASE" not in (env or {}):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        NEW_STORES.put(home / "antiphon.db")
    with tempfile.TemporaryDirectory(prefix="antiphon-log-") as folder:
        stderr = Path(folder) / "stderr"
        with stderr.open("w") as sink:
            process = subprocess.Popen(
                command_line(
                    "serve", "--home", str(home), "--port", "0", "--json", "--workers", str(workers), *options
                ),
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
                env=environment(env),
            )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                process.wait(timeout=START_S)
                raise AssertionError(f"the server did not start:\n{stderr.read_text()}")
            ready = json.loads(line)
            first = ready["first_key"]
            server = RealServer(process, ready["url"], first["key"] if first else "", home, ready, stderr)
            yield server
            server.stop()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdout.close()
