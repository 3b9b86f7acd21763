"""`antiphon simulate` and `antiphon trace`, from a service's jobs to the figures of a policy."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from antiphon import Workspace
from antiphon.cli.exit_codes import ERROR
from antiphon.simulation.trace_files import read_trace
from command_line import antiphon
from page_runner import run_page

ROOT = Path(__file__).parents[2]

BELL = "OPENQASM 3.0; qubit[1] q; U(1.0, 0, 0) q[0]; bit[1] c = measure q;"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    home = tmp_path / "lab"
    with Workspace(home) as workspace:
        target = workspace.target("sim.statevector")
        target.submit(BELL, shots=10).result()
        with target.open_session(name="loop"):
            for shots in (20, 30):
                target.submit(BELL, shots=shots).result()
    return home


def test_what_ran_is_exported_and_played_again(lab: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl.gz"
    told = antiphon(lab, "trace", "export", trace, "--json")
    assert (told.code, told.data["jobs"]) == (0, 3)
    jobs = list(read_trace(trace))
    assert [job.session is None for job in jobs] == [True, False, False]
    assert all(job.run_s is not None and job.wait_s is not None and job.outcome == "Succeeded" for job in jobs)
    checked = antiphon(lab, "trace", "check", trace, "--json").data
    assert (checked["jobs"], checked["sessions"], checked["wrong_lines"]) == (3, 1, 0)
    report = antiphon(lab, "simulate", "--trace", trace, "--policy", "antiphon", "--json").data
    assert (report["jobs"], report["targets"]) == (3, 1)
    assert report["policies"][0]["waits"]["session"]["count"] == 2


def test_an_anonymous_trace_names_nobody(lab: Path, tmp_path: Path) -> None:
    plain, hidden, again = (tmp_path / f"{name}.csv" for name in ("plain", "hidden", "again"))
    antiphon(lab, "trace", "export", plain)
    for path in (hidden, again):
        assert antiphon(lab, "trace", "export", path, "--anonymous").code == 0
    names = {(row["workspace"], row["user"], row["session"]) for row in csv.DictReader(plain.read_text().splitlines())}
    for name in {name for row in names for name in row if name}:
        assert name not in hidden.read_text()
    assert hidden.read_text() != again.read_text()  # the salt is nowhere


def test_a_trace_is_of_a_time_and_a_workspace(lab: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    for options, count in ((["--since", "1h"], 3), (["--until", "1h"], 0), (["--workspace", "other"], 0)):
        assert antiphon(lab, "trace", "export", trace, *options, "--json").data["jobs"] == count


def test_a_wrong_trace_is_told_line_by_line(tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    trace.write_text("{}\nno\n")
    told = antiphon(tmp_path, "trace", "check", trace)
    assert told.code == ERROR
    assert "line 1: submitted_at, workspace" in told.out
    assert "line 2: it is no JSON" in told.out
    refused = antiphon(tmp_path, "simulate", "--trace", trace, "--json")
    assert refused.code != 0
    assert json.loads(refused.err)["error"]["code"] == "trace-invalid"


def test_policies_are_put_side_by_side(tmp_path: Path) -> None:
    small = ("--jobs", "2e3", "--users", 30, "--targets", 2)
    policies = ("--policy", "antiphon", "--policy", "antiphon:access=exclusive,gap=10s", "--policy", "fifo")
    plot = tmp_path / "waits.svg"
    told = antiphon(tmp_path, "simulate", *small, *policies, "--plot", plot, "--json").data
    assert [each["policy"] for each in told["policies"]] == ["antiphon", "antiphon:access=exclusive,gap=10s", "fifo"]
    ours, exclusive, fifo = told["policies"]
    assert exclusive["parameters"]["gap_s"] == 10.0
    assert ours["waits"]["session"]["p95"] < fifo["waits"]["session"]["p95"]
    assert exclusive["holds"] > 0 == ours["holds"]
    assert ours["past_bound"] == 0
    assert plot.read_text().startswith("<?xml")
    again = antiphon(tmp_path, "simulate", *small, *policies, "--json").data["policies"]
    assert [{**each, "cpu_s": 0} for each in again] == [{**each, "cpu_s": 0} for each in told["policies"]]


def test_the_tables_read_at_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = antiphon(tmp_path, "simulate", "--jobs", 500, "--users", 10, "--targets", 1)
    assert told.code == 0
    assert max(len(line) for line in told.out.splitlines()) <= 80
    for word in ("antiphon", "fifo", "priority", "session", "stretch", "fair ws"):
        assert word in told.out


@pytest.mark.timeout(300)
def test_the_page_on_simulating_runs(tmp_path: Path) -> None:
    (tmp_path / "bell.qasm").write_text(BELL)
    text = (ROOT / "docs/howto/simulate-a-policy.md").read_text(encoding="utf-8")
    printed = run_page(text.replace("--jobs 2e4", "--jobs 2e3").replace("--jobs 1e4", "--jobs 1e3"), tmp_path)
    assert "2,000 jobs in" in printed
    assert "antiphon:access=exclusive,gap=30s" in printed
    assert (tmp_path / "waits.svg").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--jobs", "many"],
        ["--jobs", "1.5"],
        ["--policy", "lottery"],
        ["--gap", "soon"],
        ["--plot", "waits.pdf"],
        ["--trace", "missing.jsonl"],
        ["--load", "0"],
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, options: list[str]) -> None:
    told = antiphon(tmp_path, "simulate", "--jobs", "10", *options)
    assert told.code != 0
    assert told.err
