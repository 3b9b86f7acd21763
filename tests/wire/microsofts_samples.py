"""Microsoft's own samples of sessions, word for word, run as notebooks against the server in three ways of connecting.

In mode B not a letter of a sample changes. In modes A and A2 the one line that connects does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import antiphon.azure
from server_under_test import Server, Tenant, plain_environment

HERE = Path(__file__).parent
SECONDS = 140
AT_ONCE = 3


@dataclass(frozen=True)
class Sample:
    """A sample, the words in it that connect, and the name of its session."""

    name: str
    connects: str
    session: str

    @property
    def path(self) -> Path:
        return HERE / "samples" / f"{self.name}_session.ipynb"


SAMPLES = (
    Sample("qsharp", 'Workspace(resource_id="")', "Q# session of three jobs"),
    Sample("qiskit", 'Workspace(resource_id = "")', "Qiskit Session"),
    Sample("cirq", 'AzureQuantumService(resource_id = "")', "Cirq Session"),
)
MODES = ("A", "A2", "B")


@dataclass(frozen=True)
class Run:
    """How a sample went."""

    tenant: Tenant
    code: int
    out: str
    err: str


def rewritten(sample: Sample, mode: str, tenant: Tenant) -> str:
    text = sample.path.read_text()
    assert text.count(json.dumps(sample.connects)[1:-1]) == 1
    if mode == "B":
        return text
    by_hand, helper = sample.connects.partition("(")[0], "service" if "Service" in sample.connects else "workspace"
    url, key, name = tenant.server.url, tenant.key, tenant.name
    instead = {
        "A": f"__import__('antiphon.azure').azure.{helper}({url!r}, {key!r}, workspace={name!r})",
        "A2": f"{by_hand}(resource_id={antiphon.azure.resource_id(name)!r}, _quantum_endpoint={url!r})",
    }[mode]
    return text.replace(json.dumps(sample.connects)[1:-1], json.dumps(instead)[1:-1])


def variables(mode: str, tenant: Tenant, home: Path) -> Mapping[str, str]:
    plain = {**plain_environment(home), "PYTHONPATH": str(HERE.parents[1] / "src")}
    match mode:
        case "A":
            return plain
        case "A2":
            return {**plain, **tenant.environment("direct")}
        case _:
            return {**plain, **tenant.environment("proxy")}


def run(sample: Sample, mode: str, server: Server, folder: Path) -> Run:
    tenant = server.tenant(f"sample-{sample.name}-{mode.lower()}")
    home = folder / tenant.name
    home.mkdir()
    notebook = home / sample.path.name
    notebook.write_text(rewritten(sample, mode, tenant))
    done = subprocess.run(
        [sys.executable, str(HERE / "run_notebook.py"), str(notebook)],
        capture_output=True,
        text=True,
        cwd=home,
        env=dict(variables(mode, tenant, home)),
        timeout=SECONDS,
    )
    return Run(tenant, done.returncode, done.stdout, done.stderr)


def start(server: Server, folder: Path) -> Mapping[tuple[str, str], Future[Run]]:
    """All samples in all modes, by sample and mode; those of Qiskit first, whose client sleeps fifteen seconds."""
    pool = ThreadPoolExecutor(AT_ONCE)
    order = sorted(((sample, mode) for sample in SAMPLES for mode in MODES), key=lambda each: each[0].name != "qiskit")
    started = {(sample.name, mode): pool.submit(run, sample, mode, server, folder) for sample, mode in order}
    pool.shutdown(wait=False)
    return started
