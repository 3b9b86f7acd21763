"""The bench of execution runs: every class, every SDK's own simulator beside ours, in one table."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(400)  # half a minute on an idle machine; every SDK is imported
def test_the_quick_form_has_a_row_for_every_class_and_shows_who_refuses(tmp_path: Path) -> None:
    found = tmp_path / "rows.json"
    command = [sys.executable, "-m", "bench", "--only", "execution", "--quick", "--rounds", "1", "--json", str(found)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False, env={**os.environ, "NO_COLOR": "1"}
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(found.read_text())["rows"]
    assert {row["case"].split()[0] for row in rows} == {
        "sampling_20q",
        "sampling_qaoa",
        "qaoa",
        "noisy_10q",
        "clifford_100q",
        "entangled_little_50q",
        "dynamic",
    }
    refused = {(row["case"], row["peer"]) for row in rows if row["refusal"]}
    assert ("entangled_little_50q", "Aer, its default") in refused
    assert {case for case, _ in refused} == {"entangled_little_50q"}
    assert "refuses" in done.stdout
    peers = {row["peer"] for row in rows if row["case"].startswith("dynamic")}
    assert peers == {"Aer, its default", "cirq.Simulator", "qsharp.run"}
