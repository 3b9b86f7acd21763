"""`antiphon targets verify` and `antiphon resources`: what they print, for people and for scripts, and how they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.cli.exit_codes import ERROR, NOT_FOUND, OK, USAGE
from antiphon.client.kit import CHECKS
from antiphon.ports.provider import TargetPlugin
from command_line import antiphon
from faulty_targets import NAME, FaultyDriver, backwards
from programs import BELL, ENDLESS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path / "lab"


@pytest.fixture
def bell(tmp_path: Path) -> Path:
    path = tmp_path / "bell.qasm"
    path.write_text(BELL)
    return path


def reads_well(text: str) -> None:
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80, text


def test_a_whole_run_leaves_a_badge_that_lists_show(home: Path) -> None:
    ran = antiphon(home, "targets", "verify", "sim.stabilizer")
    assert ran.code == OK, ran.err
    reads_well(ran.out)
    assert all(check.name in ran.out for check in CHECKS)
    assert "0 failed" in ran.out
    listed = antiphon(home, "targets", "list")
    reads_well(listed.out)
    [line] = [line for line in listed.out.splitlines() if line.startswith("sim.stabilizer")]
    assert "passed" in line
    badge = antiphon(home, "targets", "show", "sim.stabilizer", "--json").data["badge"]
    assert badge["outcome"] == "passed"
    assert badge["passed"] + badge["not_applicable"] == len(CHECKS)
    shown = antiphon(home, "targets", "show", "sim.stabilizer").out
    reads_well(shown)
    assert f"of {len(CHECKS)} checks passed" in " ".join(shown.split())
    assert "never run" in antiphon(home, "targets", "show", "sim.mps").out


def test_a_failed_check_is_told_with_what_came(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = TargetPlugin({NAME: FaultyDriver(misread=backwards)}, {})
    monkeypatch.setattr("antiphon.composition.load_plugins", lambda *_: plugin)
    ran = antiphon(home, "targets", "verify", NAME, "--only", "bit-order", "--only", "shots")
    assert ran.code == ERROR
    reads_well(ran.out)
    assert "1 passed, 1 failed" in ran.out
    assert "No badge was stored" in ran.err
    data = antiphon(home, "targets", "verify", NAME, "--only", "bit-order", "--json").data
    assert data["good"] is False
    assert data["checks"][0]["evidence"]["expected"] == "01 001"
    assert antiphon(home, "targets", "show", NAME, "--json").data["badge"] is None


def test_what_is_not_there_is_said(home: Path) -> None:
    assert antiphon(home, "targets", "verify", "sim.nothing").code == NOT_FOUND
    assert "bit-order" in antiphon(home, "targets", "verify", "sim.mps", "--only", "bit-odor").err


def test_resources_are_a_table_or_json(home: Path, bell: Path) -> None:
    ran = antiphon(home, "resources", bell, "-t", "sim.auto", "-t", "emu.manila")
    assert ran.code == OK, ran.err
    reads_well(ran.out)
    assert "code distance" in ran.out
    assert "2 qubits, depth 3" in ran.out
    assert "cx:1, rz:2, sx:1" in ran.out
    data = antiphon(home, "resources", bell, "-t", "emu.manila", "--no-fault-tolerant", "--json").data
    [device] = data["targets"]
    assert device["target"] == "emu.manila"
    assert device["is_compiled"] is True
    assert 0.5 < device["fidelity"] < 1
    assert data["fault_tolerant"] is None
    dash = antiphon(home, "resources", "-", "-t", "sim.auto", "--no-fault-tolerant", "--json", stdin=BELL).data
    assert dash["digest"] == data["digest"]


def test_a_target_that_refuses_says_why_below_the_table(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "wide.qasm"
    path.write_text('OPENQASM 3.0; include "stdgates.inc"; qubit[9] q; bit c; h q; c = measure q[0];')
    ran = antiphon(home, "resources", path, "-t", "emu.manila", "-t", "sim.auto", "--no-fault-tolerant")
    reads_well(ran.out)
    assert "emu.manila refused: " in ran.out


def test_resources_that_cannot_be_counted_are_said_beside_the_rest(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "endless.qasm"
    path.write_text(ENDLESS)
    ran = antiphon(home, "resources", path, "-t", "sim.auto", "-t", "sim.mps")
    assert ran.code == OK, ran.err
    assert "cannot count a loop" in " ".join(ran.out.split())
    assert antiphon(home, "resources", tmp_path / "none.qasm").code == USAGE
