"""The real `antiphon serve --azure`, in a process of its own and with the packages of Antiphon's environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.quantum import Workspace

from antiphon.azure import workspace as connect

REPOSITORY = Path(__file__).resolve().parents[2]
ANTIPHON = os.environ.get("ANTIPHON_COMMAND", str(REPOSITORY / ".venv" / "bin" / "antiphon"))
START_SECONDS = 60


def plain_environment(home: Path) -> dict[str, str]:
    """Nothing of the caller's connections, keys or proxies."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "QDK_PYTHON_TELEMETRY": "none",
        "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
    }


@dataclass
class Tenant:
    """A workspace of the server with a key of its own."""

    server: Server
    name: str
    key: str

    def connect(self, **options: Any) -> Workspace:
        """Microsoft's own client, mode A."""
        return connect(self.server.url, self.key, workspace=self.name, **options)

    def environment(self, mode: str) -> dict[str, str]:
        """What `antiphon env azure` tells a shell to export."""
        told = self.server.told
        if (self.key, mode) not in told:
            arguments = ("--url", self.server.url, "--key", self.key, "--mode", mode, "--json")
            told[self.key, mode] = json.loads(self.server.antiphon("env", "azure", *arguments))
        return dict(told[self.key, mode])


@dataclass
class Server:
    """A started server; `stop` ends it and fails on what it should not have logged."""

    home: Path
    process: subprocess.Popen[str]
    url: str
    first_key: str
    log: Path
    told: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    """What `antiphon env azure` said, by key and mode: starting the program takes longer than the question."""

    @property
    def default(self) -> Tenant:
        return Tenant(self, "default", self.first_key)

    def tenant(self, name: str) -> Tenant:
        """A workspace, made if it is missing."""
        said = self.antiphon("keys", "create", "wire", "--role", "submitter", "--workspace", name, "--json")
        return Tenant(self, name, str(json.loads(said)["key"]))

    def antiphon(self, *arguments: str) -> str:
        """Run a command of Antiphon's on the server's folder; its stdout."""
        ran = subprocess.run(
            [ANTIPHON, *arguments, "--home", str(self.home)],
            capture_output=True,
            text=True,
            env=plain_environment(self.home),
            timeout=START_SECONDS,
        )
        assert ran.returncode == 0, f"antiphon {arguments[0]} ended with {ran.returncode}: {ran.stderr}"
        return ran.stdout

    def stop(self) -> None:
        """SIGTERM, as a service manager does."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def errors(self) -> list[str]:
        """Lines of the log that tell of faults inside the server."""
        lines = self.log.read_text().splitlines()
        return [line for line in lines if '"level": "error"' in line or "Traceback" in line or '"status": 5' in line]


def start_server(home: Path, *flags: str) -> Server:
    """Start and wait until it answers."""
    log = home / "server.log"
    with log.open("w") as errors, tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [ANTIPHON, "serve", "--azure", "--port", "0", "--home", str(home / "data"), "--json", *flags],
            stdout=said,
            stderr=errors,
            text=True,
            env=plain_environment(home),
        )
        give_up = time.monotonic() + START_SECONDS
        line = ""
        while not line.endswith("\n"):
            assert process.poll() is None, f"the server ended with {process.returncode}: {log.read_text()}"
            assert time.monotonic() < give_up, f"the server did not start: {log.read_text()}"
            time.sleep(0.1)
            said.seek(0)
            line = said.readline()
    facts = json.loads(line)
    return Server(home / "data", process, facts["url"], facts["first_key"]["key"], log)
