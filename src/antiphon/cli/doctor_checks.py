"""The checks of `antiphon doctor`: each looks at one thing and never raises."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from antiphon.errors import AntiphonError

EXTRAS = {
    "qiskit": {"qiskit": "Qiskit circuits"},
    "cirq": {"cirq-core": "Cirq circuits"},
    "qsharp": {"qdk": "Q# programs", "pyqir": "QIR programs"},
    "sims": {
        "pennylane-lightning": "the fast state vector",
        "qiskit-aer": "matrix product states and density matrices",
        "qsimcirq": "wide state vectors",
        "stim": "Clifford programs",
        "scipy": "the demo's optimiser",
    },
    "mitigation": {"qiskit-mitigation": "error mitigation", "qiskit-addon-utils": "error mitigation"},
    "resources": {"qdk": "estimates with error correction", "pandas": "estimates with error correction"},
    "plots": {"matplotlib": "plots"},
    "postgres": {"psycopg": "PostgreSQL"},
    "server": {"fastapi": "antiphon serve", "uvicorn": "antiphon serve", "joserfc": "OpenID Connect"},
    "vault": {"hvac": "secrets in Vault"},
}
NEEDED = ("sims",)
"""Extras without which no target can run anything."""

OLDEST_PYTHON = (3, 11)
LOW_BYTES, NO_BYTES = 2**30, 100 * 2**20

BELL = """OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
h q[0];
cx q[0], q[1];
c = measure q;
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `level` is "ok", "warn" or "fail"; `fix` says what to do unless it is ok."""

    name: str
    level: str
    found: str
    fix: str = ""

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return asdict(self)


def run_checks(home: Path) -> Iterator[Check]:
    """All findings, in order; each is made when it is asked for."""
    yield _python()
    for extra in EXTRAS:
        yield _extra(extra)
    yield _folder(home)
    yield _disk(home)
    yield _guarded("database", lambda: _database(home))
    yield _guarded("targets", _targets)
    yield _guarded("run inline", lambda: _run("inline"))
    yield _guarded("run in a worker", lambda: _run("process"))


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if tuple(sys.version_info) < OLDEST_PYTHON:
        return Check("Python", "fail", version, "Install Antiphon into Python 3.11 or later.")
    return Check("Python", "ok", f"{version} at {sys.executable}")


def _extra(extra: str) -> Check:
    found, missing = [], []
    for package, purpose in EXTRAS[extra].items():
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(f"{package} ({purpose})")
    name = f"extra {extra}"
    if not missing:
        return Check(name, "ok", ", ".join(found))
    said = f"{', '.join([*found, 'not installed: ' + ', '.join(missing)])}"
    return Check(name, "fail" if extra in NEEDED else "warn", said, f'pip install "antiphon[{extra}]"')


def _folder(home: Path) -> Check:
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=home, prefix=".doctor-") as probe:
            probe.write(b"antiphon")
            probe.flush()
    except OSError as error:
        return Check(
            "folder",
            "fail",
            f"{home}: {error.strerror or error}",
            "Make it writable, or choose another with --home DIR or ANTIPHON_HOME.",
        )
    return Check("folder", "ok", f"{home} can be written")


def _disk(home: Path) -> Check:
    there = next((folder for folder in (home, *home.parents) if folder.exists()), Path())
    free = shutil.disk_usage(there).free
    told = f"{free / 2**30:.1f} GiB free"
    if free < NO_BYTES:
        return Check("disk", "fail", told, "Free some space: results and records cannot be stored.")
    if free < LOW_BYTES:
        return Check("disk", "warn", told, "Free some space before long runs.")
    return Check("disk", "ok", told)


def _database(home: Path) -> Check:
    from antiphon.client.workspace import Workspace

    with Workspace(home, dispatch=False) as workspace:
        workspace.jobs(limit=1)
    return Check("database", "ok", f"in {home}, with the schema of this version")


def _targets() -> Check:
    from antiphon.composition import load_drivers

    by_status: dict[str, list[str]] = {}
    for name, driver in load_drivers().items():
        by_status.setdefault(driver.info.status, []).append(name)
    available = by_status.get("Available", [])
    other = [f"{name} is {status}" for status, names in by_status.items() if status != "Available" for name in names]
    if not available:
        return Check("targets", "fail", "; ".join(other) or "none", 'pip install "antiphon[sims]"')
    if other:
        return Check("targets", "warn", f"{', '.join(available)}; {'; '.join(other)}", 'pip install "antiphon[sims]"')
    return Check("targets", "ok", ", ".join(available))


def _run(execution: str) -> Check:
    from antiphon.client.workspace import Workspace

    # A folder of its own: a check leaves no jobs behind.
    with tempfile.TemporaryDirectory(prefix="antiphon-doctor-") as folder, Workspace(folder, workers=1) as workspace:
        job = workspace.target("sim.auto").submit(BELL, 100, seed=1, execution=execution)
        counts = job.result(timeout=60).counts
        engine = job.facts.provenance.get("engine", "")
    name = "run inline" if execution == "inline" else "run in a worker"
    if set(counts) <= {"00", "11"} and sum(counts.values()) == 100:
        return Check(name, "ok", f"a Bell pair on {engine}: {counts}")
    return Check(name, "fail", f"a Bell pair gave {counts}", "This simulator is broken; please report it.")


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except AntiphonError as error:
        return Check(name, "fail", f"{error.message} {error.cause}".strip(), error.next_step)
    except Exception as error:  # noqa: BLE001 - a broken installation can raise anything; the doctor still reports
        return Check(name, "fail", f"{type(error).__name__}: {error}", "Reinstall the package named here.")
