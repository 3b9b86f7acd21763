"""Every example runs as it stands, as a user would run it: a process of its own, a fresh folder, no warning."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon import Workspace

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
TEN_LINES = [path for path in EXAMPLES if path.name.startswith("ten_lines_")]
SAID = {
    # What each of the longer ones must say, apart from the numbers.
    "cirq_energy.py": r"collected at π/2: \+1\.[45]\d\d\n3 jobs in session ses_",
    "cirq_sweep.py": r" 1\.00 █{38,40}\n",
    "qiskit_bell.py": r"replay: +every count and value is the same to the bit",
    "qiskit_teleport.py": r"θ = 3\.142: received 1 in 100\.0% of the shots, sent 100\.0%",
    "qiskit_vqe_session.py": r"energy -7\.2\d+, exact -7\.296230, .*\n\d+ jobs in session ses_",
}


def run(path: Path, home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=home,
        env={**os.environ, "ANTIPHON_HOME": str(home / "data"), "QDK_PYTHON_TELEMETRY": "none"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize("path", TEN_LINES, ids=lambda path: path.stem)
def test_the_ten_lines_print_what_their_comment_says(path: Path, tmp_path: Path) -> None:
    promised = re.search(r"print\(job\.result\(\)\.counts\)  # (.*)\n", path.read_text(encoding="utf-8"))
    assert promised is not None
    assert run(path, tmp_path) == promised[1] + "\n"
    with Workspace(tmp_path / "data", dispatch=False) as ws:
        assert [job.name for job in ws.jobs()] == ["bell"]


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path not in TEN_LINES], ids=lambda path: path.stem)
def test_the_longer_examples_reach_their_end(path: Path, tmp_path: Path) -> None:
    said = run(path, tmp_path)
    assert re.search(SAID[path.name], said), said


def test_the_four_languages_are_there() -> None:
    assert {path.stem.removeprefix("ten_lines_") for path in TEN_LINES} == {"qiskit", "cirq", "qsharp", "openqasm"}
