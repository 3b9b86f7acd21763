from __future__ import annotations

import json
from pathlib import Path

import pytest

from antiphon import Workspace
from command_line import antiphon
from programs import BELL, ENDLESS

RY = """OPENQASM 3.0;
include "stdgates.inc";
input float t;
qubit[1] q;
bit[1] c;
ry(t) q[0];
c = measure q;
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "lab"


@pytest.fixture
def bell(tmp_path: Path) -> Path:
    path = tmp_path / "bell.qasm"
    path.write_text(BELL)
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    path = tmp_path / "endless.qasm"
    path.write_text(ENDLESS)
    return path


def test_submit_and_wait_prints_the_contract(home: Path, bell: Path) -> None:
    ran = antiphon(home, "submit", bell, "--target", "sim.auto", "--shots", 500, "--seed", 7, "--wait", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.data["id"].startswith("job_")
    assert (ran.data["status"], ran.data["shots"], ran.data["seed"]) == ("Succeeded", 500, 7)
    assert set(ran.data["counts"]) == {"00", "11"}
    assert sum(ran.data["counts"].values()) == 500
    again = antiphon(home, "submit", bell, "--shots", 500, "--seed", 7, "--wait", "--json")
    assert again.data["counts"] == ran.data["counts"]
    listed = antiphon(home, "jobs", "list", "--json").data
    assert [job["id"] for job in listed] == [again.data["id"], ran.data["id"]]


def test_people_see_a_histogram_and_scripts_only_an_id(home: Path, bell: Path) -> None:
    shown = antiphon(home, "submit", bell, "--wait", "--name", "my [bold]bell")
    assert shown.code == 0
    assert "my [bold]bell" in shown.out
    assert "█" in shown.out
    told = antiphon(home, "submit", bell)
    assert told.out.strip() == antiphon(home, "jobs", "list", "--json").data[0]["id"]
    assert "jobs result" in told.err
    assert antiphon(home, "submit", bell, "--quiet").err == ""


def test_a_queued_job_runs_when_it_is_watched(home: Path, bell: Path) -> None:
    queued = antiphon(home, "submit", bell, "--execution", "process", "--seed", 3, "--json")
    assert (queued.code, queued.data["status"]) == (0, "Waiting")
    assert f"antiphon jobs watch {queued.data['id']} --home {home}" in queued.err
    job_id = queued.data["id"]
    early = antiphon(home, "jobs", "result", job_id)
    assert (early.code, early.out) == (8, "")
    assert "--wait" in early.err
    watched = antiphon(home, "jobs", "watch", job_id, "--json")
    lines = [json.loads(line) for line in watched.out.splitlines()]
    assert watched.code == 0
    assert lines[0]["status"] in {"Waiting", "Executing"}
    assert lines[-1]["status"] == "Succeeded"
    assert lines[-1]["attempts"] == 1
    assert antiphon(home, "jobs", "result", job_id, "--json").data["counts"] == lines[-1]["counts"]


def test_parameters_options_labels_and_noise(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "ry.qasm"
    path.write_text(RY)
    ran = antiphon(
        home, "submit", path, "-p", "t=3.141592653589793", "--option", "engine=lightning", "--label", "who=me",
        "--wait", "--json",
    )  # fmt: skip
    assert ran.data["counts"] == {"1": 1000}
    assert (ran.data["engine"], ran.data["metadata"]) == ("lightning", {"who": "me"})
    noisy = antiphon(home, "submit", path, "-p", "t=0", "--noise", "readout_p01=1", "--wait", "--json")
    assert noisy.data["counts"] == {"1": 1000}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 1, "--param"),
        (["-p", "t"], 2, "NAME=VALUE"),
        (["-p", "t=x"], 2, "not a number"),
        (["-p", "t=1", "-p", "t=2"], 2, "twice"),
        (["-p", "t=nan"], 1, "t"),
        (["-p", "t=1", "-p", "u=1"], 1, "u"),
        (["-p", "t=1", "--shots", "0"], 1, "shots"),
        (["-p", "t=1", "--shots", "x"], 2, "shots"),
        (["-p", "t=1", "--target", "sim.atuo"], 5, "sim.auto"),
        (["-p", "t=1", "--session", "ses_x"], 5, "ses_x"),
        (["-p", "t=1", "--noise", "decay=0.1"], 1, "decay"),
    ],
)
def test_bad_calls_store_nothing(home: Path, tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    path = tmp_path / "ry.qasm"
    path.write_text(RY)
    ran = antiphon(home, "submit", path, *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert antiphon(home, "jobs", "list", "--json").data == []


def test_a_program_from_stdin(home: Path) -> None:
    ran = antiphon(home, "submit", "-", "--wait", "--json", stdin=BELL)
    assert (ran.code, set(ran.data["counts"])) == (0, {"00", "11"})


def test_a_key_returns_the_first_job(home: Path, bell: Path) -> None:
    first = antiphon(home, "submit", bell, "--key", "once", "--json").data
    assert antiphon(home, "submit", bell, "--key", "once", "--json").data["id"] == first["id"]
    other = antiphon(home, "submit", bell, "--key", "once", "--shots", 5, "--json")
    assert other.code == 1
    assert json.loads(other.err)["error"]["code"] == "key-reused"


def test_a_job_that_fails_exits_3_with_its_error(home: Path, endless: Path) -> None:
    ran = antiphon(home, "submit", endless, "--max-seconds", "0.5", "--wait", "--json")
    assert ran.code == 3
    assert ran.data["status"] == "Failed"
    assert json.loads(ran.err)["error"]["code"] == ran.data["error"]["code"] == "worker-timeout"
    for command in ("result", "watch"):
        assert antiphon(home, "jobs", command, ran.data["id"]).code == 3
    shown = antiphon(home, "jobs", "show", ran.data["id"])
    assert ran.data["error"]["next_step"] in " ".join(shown.out.split())


def test_a_timeout_exits_8_and_leaves_the_job(home: Path, endless: Path) -> None:
    ran = antiphon(home, "submit", endless, "--wait", "--timeout", "0.2", "--json")
    assert ran.code == 8
    assert "jobs watch" in json.loads(ran.err)["error"]["next_step"]
    assert ran.data["status"] in {"Waiting", "Executing"}
    cancelled = antiphon(home, "jobs", "cancel", ran.data["id"], "--json")
    assert (cancelled.code, cancelled.data["status"]) == (0, "Cancelled")
    assert antiphon(home, "jobs", "result", ran.data["id"]).code == 3


def test_show_record_and_replay(home: Path, bell: Path) -> None:
    job_id = antiphon(home, "submit", bell, "--seed", 5, "--json").data["id"]
    shown = antiphon(home, "jobs", "show", job_id, "--json").data
    assert [event["event"] for event in shown["events"]] == ["submitted", "claimed", "succeeded"]
    assert "lightning" in antiphon(home, "jobs", "show", job_id).out
    record = antiphon(home, "jobs", "record", job_id).data
    assert (record["id"], record["seed"]) == (job_id, 5)
    replayed = antiphon(home, "jobs", "replay", job_id, "--json")
    assert (replayed.code, replayed.data["agrees"], replayed.data["test"]) == (0, True, "identical")
    assert "agrees" in antiphon(home, "jobs", "replay", job_id).out


def test_ids_may_be_shortened_while_they_are_unambiguous(home: Path, bell: Path) -> None:
    first = antiphon(home, "submit", bell, "--json").data["id"]
    assert antiphon(home, "jobs", "show", first[:-4], "--json").data["id"] == first
    antiphon(home, "submit", bell)
    several = antiphon(home, "jobs", "show", "job_", "--json")
    assert several.code == 5
    assert json.loads(several.err)["error"]["code"] == "id-ambiguous"


def test_lists_can_be_narrowed(home: Path, bell: Path) -> None:
    antiphon(home, "submit", bell, "--name", "a")
    antiphon(home, "submit", bell, "--name", "b", "--target", "sim.stabilizer")
    antiphon(home, "submit", bell, "--name", "c", "--execution", "process")

    def names(*arguments: str) -> list[str]:
        return [job["name"] for job in antiphon(home, "jobs", "list", "--json", *arguments).data]

    assert names() == ["c", "b", "a"]
    assert names("--status", "waiting") == ["c"]
    assert names("--target", "sim.stabilizer") == ["b"]
    assert names("--name", "a") == ["a"]
    assert names("--limit", "2") == ["c", "b"]
    assert antiphon(home, "jobs", "list", "--status", "nonsense").code == 2
    assert "No job is like that" in antiphon(home, "jobs", "list", "--name", "x").out
    table = antiphon(home, "jobs").out
    assert table.splitlines()[0].split() == ["id", "name", "target", "status", "age", "took"]
    assert "Waiting" in table


def test_sessions(home: Path, bell: Path) -> None:
    assert "No sessions" in antiphon(home, "sessions").out
    with Workspace(home, dispatch=False) as workspace:
        session_id = workspace.target("sim.auto").open_session(name="loop").id
    inside = antiphon(home, "submit", bell, "--session", session_id[:-3], "--json").data
    assert inside["session_id"] == session_id
    outside = antiphon(home, "submit", bell, "--json").data
    listed = antiphon(home, "jobs", "list", "--session", session_id, "--json").data
    assert [job["id"] for job in listed] == [inside["id"]] != [outside["id"]]
    shown = antiphon(home, "sessions", "show", session_id)
    assert "loop" in shown.out
    assert inside["id"] in shown.out
    closed = antiphon(home, "sessions", "close", session_id, "--json").data
    assert (closed["accepting_jobs"], closed["status"]) == (False, "Succeeded")
    assert antiphon(home, "sessions", "close", session_id).code == 0
    assert [entry["id"] for entry in antiphon(home, "sessions", "list", "--json").data] == [session_id]
    refused = antiphon(home, "submit", bell, "--session", session_id, "--json")
    assert refused.code == 1
    assert json.loads(refused.err)["error"]["code"] == "session-ended"


def test_targets(home: Path) -> None:
    listed = antiphon(home, "targets", "--json").data
    assert listed == antiphon(home, "targets", "list", "--json").data
    assert {"sim.auto", "sim.statevector", "sim.mps"} <= {target["name"] for target in listed}
    assert "sim.density_matrix" in antiphon(home, "targets").out
    shown = antiphon(home, "targets", "show", "sim.auto", "--json").data
    assert shown["num_qubits"] > 1_000
    simulator = antiphon(home, "targets", "show", "sim.auto").out
    assert "precision" in simulator
    assert "\nbank " in simulator
    assert "\nmax_calibration_age " not in simulator
    assert antiphon(home, "targets", "show", "nonsense").code == 5
    picture = home / "manila.svg"
    device = antiphon(home, "targets", "show", "emu.manila", "--picture", str(picture))
    assert "26,800,000 instructions" in device.out
    assert "\nmax_calibration_age " in device.out
    best = antiphon(home, "targets", "show", "best").out
    assert all(f"\n{name} " in best for name in ("prefer", "min_fidelity", "max_wait", "max_cost", "rates", "bank"))
    assert antiphon(home, "targets", "show", "best", "--json").data["name"] == "best"
    assert "quantum.cloud.ibm.com" in device.out
    assert picture.read_text().startswith("<svg")


def test_doctor(home: Path) -> None:
    ran = antiphon(home, "doctor", "--json")
    assert (ran.code, ran.data["ok"]) == (0, True)
    assert {check["level"] for check in ran.data["checks"]} <= {"ok", "warn"}
    (home / "antiphon.db").write_bytes(b"garbage" * 1000)
    for path in home.glob("antiphon.db-*"):
        path.unlink()
    broken = antiphon(home, "doctor")
    assert broken.code == 1
    assert "fail" in broken.out
    assert "fix: " in broken.out


def test_doctor_explains_the_settings_of_a_file(home: Path, tmp_path: Path) -> None:
    config = tmp_path / "elsewhere.toml"
    config.write_text("port = 8123\n")
    ran = antiphon(home, "doctor", "--config", str(config), "--json")
    (port,) = [each for each in ran.data["settings"] if each["name"] == "port"]
    assert (port["value"], port["origin"]) == ("8123", str(config))


def test_the_first_command_of_the_readme(home: Path) -> None:
    repository = Path(__file__).parents[2]
    line, *_ = [
        line for line in (repository / "README.md").read_text().splitlines() if line.startswith("$ antiphon sub")
    ]
    _, _, command, program, *options = line.partition("#")[0].split()
    ran = antiphon(home, command, repository / program, *options, "--json")
    assert ran.data["counts"] == {"00": 513, "11": 487}
