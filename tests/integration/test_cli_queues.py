"""The command line about queues: policies, prices, quotes, explanations, weights and reservations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from antiphon import Workspace
from antiphon.cli.exit_codes import NOT_FOUND
from command_line import antiphon
from programs import BELL

TARGET, MPS = "sim.statevector", "sim.mps"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "lab"


@pytest.fixture
def bell(tmp_path: Path) -> Path:
    path = tmp_path / "bell.qasm"
    path.write_text(BELL)
    return path


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def reads_well(text: str) -> None:
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80, text


@pytest.mark.usefixtures("narrow")
def test_an_operator_decides_how_a_queue_is_run(home: Path) -> None:
    ran = antiphon(
        home, "targets", "set", TARGET, "--slots", 1, "--access", "exclusive", "--gap", "2min", "--quantum", 5
    )
    assert ran.code == 0
    assert "exclusive, held while jobs come within 2 min" in ran.out
    policy = antiphon(home, "targets", "show", TARGET, "--json").data["queue"]["policy"]
    assert (policy["slots"], policy["access"], policy["gap_s"], policy["quantum_s"]) == (1, "exclusive", 120, 5)
    shown = antiphon(home, "targets", "show", TARGET)
    assert "no estimate has been scored yet" in shown.out
    reads_well(shown.out)
    free = antiphon(home, "targets", "set", TARGET, "--slots", "none", "--access", "shared", "--window", "7d", "--json")
    assert (free.data["policy"]["slots"], free.data["policy"]["window_s"]) == (None, 7 * 86_400)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "say what shall change"),
        (["--slots", "many"], "is no number"),
        (["--gap", "soon"], "is no length of time"),
        (["--access", "private"], "'shared', 'exclusive', 'dedicated'"),
    ],
)
def test_what_cannot_be_a_policy_is_a_wrong_command(home: Path, options: list[str], told: str) -> None:
    ran = antiphon(home, "targets", "set", TARGET, *options)
    assert ran.code == 2
    assert told in " ".join(ran.err.replace("│", " ").split())


def test_a_policy_that_no_queue_can_have_says_why(home: Path) -> None:
    ran = antiphon(home, "targets", "set", TARGET, "--access", "dedicated")
    assert ran.code != 0
    assert "only a target with slots can be held" in ran.err
    assert "next step" in ran.err


def test_an_emulated_device_takes_the_prices_of_its_machine(home: Path, bell: Path) -> None:
    assert antiphon(home, "targets", "prices", "emu.ion", "--published", "--json").data["version"] == 1
    quote = antiphon(home, "submit", bell, "-t", "emu.ion", "-n", 1000, "--quote", "--json").data
    # HQC = 5 + 1000 · (1 + 10 · 1 + 5 · 2) / 5000
    assert quote["cost"]["p50"] == pytest.approx(5 + 1000 * 21 / 5000)
    refused = antiphon(home, "targets", "prices", "emu.willow", "--published")
    assert refused.code == 2
    assert "emu.ion" in refused.err


@pytest.mark.usefixtures("narrow")
def test_prices_are_set_from_a_file_and_quotes_are_by_them(home: Path, bell: Path, tmp_path: Path) -> None:
    assert "has no prices" in antiphon(home, "targets", "prices", TARGET).out
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"currency": "EUR", "per_task": 1, "per_shot": 0.01, "priorities": {"High": 2}}))
    assert antiphon(home, "targets", "prices", TARGET, file, "--json").data["version"] == 1
    shown = antiphon(home, "targets", "prices", TARGET)
    assert "High x 2" in shown.out
    reads_well(shown.out)
    quote = antiphon(home, "submit", bell, "-t", TARGET, "-n", 100, "--quote", "--json").data
    assert quote["cost"]["p50"] == pytest.approx(2.0)
    told = antiphon(home, "submit", bell, "-t", TARGET, "-n", 100, "--quote", "--priority", "high")
    assert "cost  4 EUR" in told.out
    assert antiphon(home, "jobs", "list", "--json").data == []
    advice = antiphon(home, "jobs", "advise", bell, "-t", TARGET, "-n", 100, "--jobs", 5, "--classical", 2)
    assert "6 EUR" in advice.out
    reads_well(advice.out)
    file.write_text('{"currency": "EUR", "per_shoot": 1}')
    wrong = antiphon(home, "targets", "prices", TARGET, file)
    assert wrong.code != 0
    assert "per_shoot" in wrong.err
    file.write_text("EUR")
    assert antiphon(home, "targets", "prices", TARGET, file).code == 2
    assert antiphon(home, "targets", "prices", TARGET, tmp_path / "nothing.json").code == 2


@pytest.mark.usefixtures("narrow")
def test_a_job_that_waits_is_explained(home: Path, bell: Path) -> None:
    antiphon(home, "targets", "set", MPS, "--slots", 1)
    high = antiphon(
        home, "submit", bell, "-t", MPS, "--priority", "High", "--name", "a long name for a bell"
    ).out.strip()
    job = antiphon(home, "submit", bell, "-t", MPS).out.strip()
    listed = antiphon(home, "jobs", "list")
    assert "High a" in listed.out
    reads_well(listed.out)
    told = antiphon(home, "jobs", "explain", job)
    assert f"{job} waits behind 1" in told.out
    reads_well(told.out)
    for _ in range(2):
        antiphon(home, "submit", bell, "-t", TARGET, "--priority", "high", "--name", "another bell")
    reads_well(antiphon(home, "jobs", "list").out)
    targets = antiphon(home, "targets", "list").out
    assert targets.split()[:6] == ["target", "qubits", "status", "queue", "wait", "kit"]
    reads_well(targets)
    assert antiphon(home, "jobs", "explain", high, "--json").data["position"] == 0
    shown = antiphon(home, "jobs", "show", job)
    assert "expected wait" in shown.out
    data = antiphon(home, "jobs", "show", high, "--json").data
    assert (data["priority"], data["in_doubt"], data["submissions"]) == ("High", False, [])
    assert data["estimate"]["target"] == MPS
    assert "1 High, 1 Standard" in antiphon(home, "targets", "show", MPS).out
    unclear = antiphon(home, "jobs", "resolve", job)
    assert unclear.code == 2
    assert "--arrived" in unclear.err
    refused = antiphon(home, "jobs", "resolve", job, "--never-arrived")
    assert "not in doubt" in refused.err


@pytest.mark.usefixtures("narrow")
def test_a_window_is_booked_and_given_back(home: Path) -> None:
    none = antiphon(home, "reservations")
    assert "Nothing is booked" in none.out
    refused = antiphon(home, "reservations", "add", TARGET, "--from", "1h", "--to", "2h")
    assert "has no slots" in refused.err
    antiphon(home, "targets", "set", TARGET, "--slots", 1)
    antiphon(home, "workspaces", "create", "lab-a")
    add = ("reservations", "add", TARGET, "--from", "1h", "--to", "2h", "--workspace", "lab-a", "--note", "x " * 60)
    booked = antiphon(home, *add, "--json")
    assert booked.data["workspace"] == "lab-a"
    again = antiphon(home, *add)
    assert again.code != 0
    assert "is booked from" in again.err
    listed = antiphon(home, "reservations", "list", "--target", TARGET)
    assert booked.data["id"] in listed.out
    assert "booked next" in antiphon(home, "targets", "show", TARGET).out
    gone = antiphon(home, "reservations", "cancel", booked.data["id"][:12])
    assert "is cancelled" in gone.out
    assert antiphon(home, "reservations", "list", "--json").data == []
    assert antiphon(home, "reservations", "cancel", "res_nothing").code == NOT_FOUND
    assert antiphon(home, "reservations", "add", TARGET, "--from", "noon", "--to", "2h").code == 2


def test_a_workspace_gets_a_weight(home: Path) -> None:
    assert antiphon(home, "workspaces", "allot", "default", 3, "--json").data == {"workspace": "default", "weight": 3}
    assert antiphon(home, "workspaces", "--json").data[0]["weight"] == 3
    assert "usual" in antiphon(home, "workspaces", "allot", "default", "usual").out
    assert antiphon(home, "workspaces", "--json").data[0]["weight"] is None
    assert antiphon(home, "workspaces", "allot", "default", "much").code == 2
    assert antiphon(home, "workspaces", "allot", "nobody", 1).code == NOT_FOUND


@pytest.mark.usefixtures("narrow")
def test_a_session_shows_what_it_used_of_its_limits(home: Path) -> None:
    with Workspace(home, workers=1) as ws:
        target = ws.target("sim.auto")
        with target.open_session(name="loop", max_jobs=3, max_cost=10) as session:
            target.submit(BELL, 10).wait(60)
    shown = antiphon(home, "sessions", "show", session.id)
    assert "1 of 3 jobs" in shown.out
    assert "cost 0 of 10" in shown.out
    assert "shared: its jobs go first" in shown.out
    reads_well(shown.out)
    data = antiphon(home, "sessions", "show", session.id, "--json").data
    assert (data["access"], data["max_jobs"], data["holding_since"]) == ("shared", 3, None)
