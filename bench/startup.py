"""How long a user waits before anything happens: imports and the command's help, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.measure import Row, Spread
from bench.registry import Settings, case

_SDKS = "qiskit cirq qdk qsharp pyqir stim qsimcirq qiskit_aer pennylane pennylane_lightning scipy matplotlib"


def _inside(statement: str) -> float:
    """Seconds of `statement` in a fresh interpreter, without the interpreter's own start."""
    return _printed(f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)")


def _opening() -> float:
    """Seconds to open a workspace in a new folder: database, schema, engine."""
    return _printed(
        "import tempfile, time\n"
        "from antiphon import Workspace\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    start = time.perf_counter()\n"
        "    workspace = Workspace(folder + '/lab')\n"
        "    print(time.perf_counter() - start)\n"
        "    workspace.close()\n"
    )


def _printed(code: str) -> float:
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(run.stdout)


def _whole(command: list[str]) -> float:
    """Seconds from starting `command` to its end."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def imported_sdks() -> list[str]:
    """SDKs that `import antiphon` brings along; should be none."""
    code = f"import sys, antiphon; print(*[name for name in {_SDKS.split()!r} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


@case("startup")
def startup(settings: Settings) -> list[Row]:
    """Medians over fresh processes; bytecode is cached, as after the first use."""
    times = max(3, 2 * settings.rounds)
    command = str(Path(sys.executable).with_name("antiphon"))
    sdks = imported_sdks()
    measured: dict[str, tuple[Callable[[], float], float | None]] = {
        "import antiphon": (lambda: _inside("import antiphon"), 0.15),
        "from antiphon import Workspace": (lambda: _inside("from antiphon import Workspace"), None),
        "Workspace(new folder)": (_opening, None),
        "antiphon --help": (lambda: _whole([command, "--help"]), 0.3),
        "python -c pass": (lambda: _whole([sys.executable, "-c", "pass"]), None),
    }
    notes = {"import antiphon": (f"SDKs that import antiphon brings along: {', '.join(sdks) or 'none'}",)}
    rows = []
    for name, (run, aim) in measured.items():
        run()
        seconds = Spread.of([run() for _ in range(times)])
        rows.append(Row("startup", name, seconds, aim=aim, notes=notes.get(name, ())))
    return rows
