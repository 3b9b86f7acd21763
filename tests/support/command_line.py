"""Running the program as a user does: in this process where that is enough, as a process where signals matter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from antiphon.cli.main import app


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Stdout as the one JSON document it must be."""
        return json.loads(self.out)


def antiphon(home: Path, *arguments: object, stdin: str | bytes | None = None) -> Ran:
    """Run a command in this process."""
    result = CliRunner().invoke(app, [*map(str, arguments), "--home", str(home)], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def start(home: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    program = [sys.executable, "-c", "from antiphon.cli.main import main; main()"]
    return subprocess.Popen(
        [*program, *map(str, arguments), "--home", str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "QDK_PYTHON_TELEMETRY": "none"},
    )


def finish(process: subprocess.Popen[str], timeout: float = 100) -> Ran:
    """Wait for a started command."""
    out, err = process.communicate(timeout=timeout)
    return Ran(process.returncode, out, err)
