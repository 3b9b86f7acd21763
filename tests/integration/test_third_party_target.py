"""The example of a target of somebody else's, installed as pip would leave it and used as its users would."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from real_server import environment

EXAMPLE = Path(__file__).parents[2] / "examples" / "third_party_target"

USE = """
from antiphon import Workspace
from antiphon.errors import UnsupportedProgramError

with Workspace("lab", workers=1) as ws:
    target = ws.target("tinylab.five")
    head = 'OPENQASM 3.0; include "stdgates.inc"; '
    bell = head + "qubit[2] q; bit[1] a; bit[2] b; h q[0]; cx q[0], q[1]; a[0] = measure q[0]; b[1] = measure q[1];"
    first = target.submit(bell, shots=1000, seed=7)
    again = target.submit(bell, shots=1000, seed=7, execution="process").wait(60)
    assert first.result().counts == again.result().counts
    assert again.record["execution"]["executor"] == "process"
    assert set(first.result().counts) == {"00 0", "10 1"}, first.result().counts
    sweep = target.sweep(head + "input float t; qubit q; bit c; rx(2 * t) q; c = measure q;",
                         parameters=[{"t": 0.0}, {"t": 1.5707963267948966}], shots=20)
    assert sweep.wait(60).result().counts == [{"0": 20}, {"1": 20}]
    try:
        target.submit(head + "qubit[2] q; bit c; swap q[0], q[1]; c = measure q[0];", shots=1)
    except UnsupportedProgramError as error:
        assert "'swap'" in error.message
    else:
        raise AssertionError("swap was taken")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that finds the package: its metadata is what its own pyproject.toml says."""
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    name = project["name"].replace("-", "_")
    info = site / f"{name}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = ""
    for group, entries in project["entry-points"].items():
        points += f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
    (info / "entry_points.txt").write_text(points)
    return environment({"PYTHONPATH": os.pathsep.join([str(site), str(EXAMPLE)])})


def run(code: str, folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, env=env, capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_it_is_two_files() -> None:
    assert sorted(path.name for path in EXAMPLE.iterdir() if path.is_file()) == [
        "antiphon_tinylab.py",
        "pyproject.toml",
    ]


def test_whoever_installs_it_can_run_on_it(installed: dict[str, str], tmp_path: Path) -> None:
    run(USE, tmp_path, installed)


def test_it_passes_the_contract_kit(installed: dict[str, str], tmp_path: Path) -> None:
    code = (
        "from antiphon import Workspace\n"
        "with Workspace('lab', workers=1) as ws:\n"
        "    report = ws.target('tinylab.five').verify()\n"
        "assert report.is_good, str(report)\n"
        "print(len(report.results))\n"
    )
    assert int(run(code, tmp_path, installed)) > 15
