"""The bench of execution runs: every class, every SDK's own simulator beside ours, in one table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CLASSES = {
    "sampling_20q",
    "sampling_qaoa",
    "qaoa",
    "noisy_10q",
    "clifford_100q",
    "entangled_little_50q",
    "dynamic",
}


def measured(found: Path, *cases: str) -> tuple[list[dict[str, Any]], str]:
    """The rows of one round of the quick form, and what it printed."""
    only = [word for case in cases for word in ("--only", case)]
    command = [sys.executable, "-m", "bench", *only, "--quick", "--rounds", "1", "--json", str(found)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False, env={**os.environ, "NO_COLOR": "1"}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(found.read_text())["rows"], done.stdout


def who_refuses(rows: list[dict[str, Any]], printed: str) -> set[str]:
    refused = {(row["case"], row["peer"]) for row in rows if row["refusal"]}
    assert ("entangled_little_50q", "Aer, its default") in refused
    assert "refuses" in printed
    return {case for case, _ in refused}


def test_a_class_has_its_peers_and_shows_who_refuses(tmp_path: Path) -> None:
    rows, printed = measured(tmp_path / "rows.json", "entangled_little_50q")
    assert {row["case"] for row in rows} == who_refuses(rows, printed) == {"entangled_little_50q"}
    assert all(row["refusal"] or row["ours"]["median"] > 0 for row in rows)


@pytest.mark.soak
@pytest.mark.timeout(400)  # half a minute on an idle machine; every SDK is imported
def test_the_quick_form_has_a_row_for_every_class(tmp_path: Path) -> None:
    rows, printed = measured(tmp_path / "rows.json", "execution")
    assert {row["case"].split()[0] for row in rows} == CLASSES
    assert who_refuses(rows, printed) == {"entangled_little_50q"}
    peers = {row["peer"] for row in rows if row["case"].startswith("dynamic")}
    assert peers == {"Aer, its default", "cirq.Simulator", "qsharp.run"}
