"""Calibrations, drift and lives as a user meets them: in Python, over HTTP, and in the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from antiphon import Workspace, emu
from antiphon.cli.main import app
from antiphon.cli.target_device import sparkline
from antiphon.domain.identity import Role
from antiphon.errors import LimitError
from command_line import antiphon
from programs import BELL
from served import served


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("devices")


def test_the_dated_snapshots_of_a_device_are_listed(home: Path) -> None:
    with Workspace(home, workers=0) as workspace:
        target = workspace.target("emu.falcon")
        found = target.calibrations()
        assert len(found) >= 2
        assert [each.taken_at for each in found] == sorted((each.taken_at for each in found), reverse=True)
        assert target.calibration == found[0]
        assert target.calibrations("2021-12-31T00:00Z")[-1].taken_at <= 1_640_908_800.0
        drift = target.drift(BELL, since=found[-1].taken_at)
        assert (drift.since, drift.until) == (found[-1].digest, found[0].digest)
        assert drift.fidelity_now is not None
        assert 0.5 < drift.fidelity_now < 1.0
        with pytest.raises(LimitError) as none:
            target.calibrations("yesterday")
        assert none.value.code == "time-invalid"
        with pytest.raises(LimitError) as simulator:
            _ = workspace.target("sim.auto").calibration
        assert simulator.value.code == "calibration-unknown"


def test_a_server_tells_the_same(tmp_path: Path) -> None:
    with served(tmp_path) as server, Workspace(server.url, api_key=server.key()) as remote:
        with Workspace(tmp_path / "here", workers=0) as embedded:
            here, there = embedded.target("emu.falcon"), remote.target("emu.falcon")
            assert list(there.calibrations()) == list(here.calibrations())
            assert there.drift(BELL, "2022-01-01T00:00Z") == here.drift(BELL, "2022-01-01T00:00Z")
            assert there.drift() == here.drift()
            assert there.drift(since="2000d") == here.drift(since="2000d")
            assert list(there.calibrations("1d")) == list(here.calibrations("1d"))
            assert here.submit(BELL, max_calibration_age="50y", seed=1).result().counts
            old = remote.target("emu.falcon")
            with pytest.raises(LimitError, match="the job allows 60 min"):
                old.submit(BELL, max_calibration_age="1h")
        with server.client(Role.SUBMITTER) as submitter:
            body = {"target": "emu.falcon", "program": BELL, "options": {"max_calibration_age": "1h"}}
            refused = submitter.post("/v1/jobs", json=body).json()
            assert refused["code"] == "calibration-too-old"
            assert "the job allows 60 min" in str(refused)
        with server.client(Role.VIEWER) as viewer:
            listed = viewer.get("/v1/targets/emu.falcon/calibrations", params={"limit": 1}).json()["calibrations"]
            assert [each["digest"] for each in listed] == [there.calibration.digest]
            assert viewer.get("/v1/targets/sim.auto/calibrations").json()["code"] == "calibration-unknown"
            recent = viewer.get("/v1/targets/emu.falcon/calibrations", params={"since": "2d"}).json()["calibrations"]
            assert [each["digest"] for each in recent] == [there.calibration.digest]
            wrong = viewer.post("/v1/targets/emu.falcon/drift", json={"since": "2 moons"})
            assert wrong.status_code == 422
            assert viewer.get("/v1/targets/none/calibrations").status_code == 404
            assert viewer.post("/v1/targets/emu.falcon/drift", json={"program": "nonsense"}).status_code == 422
            assert viewer.get("/v1/targets/emu.falcon/calibrations", params={"limit": 0}).status_code == 422


def test_a_result_tells_its_calibration(home: Path) -> None:
    with Workspace(home, workers=1) as workspace:
        job = workspace.target("emu.manila").submit(BELL, shots=100, seed=1)
        job.result()
        assert job.calibration == workspace.target("emu.manila").calibration
        assert workspace.target("sim.auto").submit(BELL, shots=10).wait().calibration is None


def test_the_terminal(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = antiphon(home, "targets", "calibrations", "emu.falcon")
    assert shown.code == 0, shown.err
    assert all(len(line) <= 80 for line in shown.out.splitlines())
    assert "T1 " in shown.out
    assert "▁" in shown.out
    assert "█" in shown.out
    program = tmp_path / "bell.qasm"
    program.write_text(BELL)
    told = antiphon(home, "targets", "drift", "emu.falcon", program, "--since", "2022-01-01T00:00Z")
    assert told.code == 0, told.err
    assert all(len(line) <= 80 for line in told.out.splitlines())
    assert "expected fidelity" in " ".join(told.out.split())
    data = antiphon(home, "targets", "drift", "emu.falcon", program, "--since", "2022-01-01T00:00Z", "--json").data
    assert data["matters"] in (True, False)
    assert len(data["changes"]) == 5
    assert antiphon(home, "targets", "drift", "emu.falcon", tmp_path / "none.qasm").code == 2
    assert antiphon(home, "targets", "drift", "sim.auto").code != 0


DECIDES = """OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; bit a; bit b; bit out;
ry(1.1) q[0]; h q[1]; cx q[1], q[2]; cx q[0], q[1]; h q[0]; a = measure q[0]; b = measure q[1];
if (b) { x q[2]; } if (a) { z q[2]; } out = measure q[2];"""


def test_what_deciding_costs_is_said_before_the_job_is_queued_and_with_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    program = tmp_path / "decides.qasm"
    program.write_text(DECIDES)
    with Workspace(home, workers=0) as workspace:
        quoted = workspace.target("emu.heron").quote(DECIDES, 100)
        assert any("fidelity is expected to be lost" in note for note in quoted.notes)
        assert workspace.target("sim.auto").submit(DECIDES, 100).warnings == ()
    submitted = antiphon(home, "submit", program, "-t", "emu.heron", "--shots", "100")
    assert submitted.code == 0, submitted.err
    assert "fidelity is expected to be lost" in submitted.err
    with Workspace(home, workers=0) as workspace:
        job = workspace.jobs(target="emu.heron")[0]
        assert job.warnings == quoted.notes[:1]
        layout = job.record["provenance"]["plan"]["details"]["programs"][0]["layout"]
    page = antiphon(home, "jobs", "show", job.id).out
    assert all(len(line) <= 80 for line in page.splitlines())
    assert f"on qubits          {', '.join(map(str, layout))}" in page
    assert "calibration        2025-02-26 20:16Z" in page


def test_a_life_is_given_and_taken_in_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = antiphon(tmp_path, "targets", "life", "emu.manila", "busy", "--seed", "3", "--json")
    assert given.data["version"].endswith("+busy.3")
    listed = antiphon(tmp_path, "targets", "calibrations", "emu.manila", "--since", "3d", "--json").data
    assert len(listed) == 4
    assert "seed 3" in listed[0]["source"]
    shown = {each["name"]: each for each in antiphon(tmp_path, "targets", "life", "--json").data}
    assert (shown["emu.manila"]["life"], shown["emu.manila"]["seed"]) == ("busy", 3)
    assert (shown["emu.heron"]["life"], shown["emu.heron"]["seed"]) == ("off", None)
    monkeypatch.setenv("COLUMNS", "80")
    assert all(len(line) <= 80 for line in antiphon(tmp_path, "targets", "life", "emu.manila").out.splitlines())
    taken = antiphon(tmp_path, "targets", "life", "emu.manila", "off", "--json")
    assert "+" not in taken.data["version"]
    assert antiphon(tmp_path, "targets", "life", "sim.auto", "busy").code != 0
    assert antiphon(tmp_path, "targets", "life", "emu.manila", "wild").code != 0


def test_a_server_gives_a_life_and_nobody_else_gives_one_to_its_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = [{"target": "emu.manila", "life": "quiet", "seed": 5}]
    with served(tmp_path / "lab", life=life) as server, Workspace(server.url, api_key=server.key()) as workspace:
        assert workspace.target("emu.manila").info.version.endswith("+quiet.5")
        assert len(workspace.target("emu.manila").calibrations()) == 8
        monkeypatch.setenv("ANTIPHON_URL", server.url)
        monkeypatch.setenv("ANTIPHON_API_KEY", server.key())
        monkeypatch.setenv("ANTIPHON_HOME", str(tmp_path / "other"))
        [shown] = json.loads(CliRunner().invoke(app, ["targets", "life", "emu.manila", "--json"]).stdout)
        assert (shown["life"], shown["seed"]) == ("quiet", 5)
        refused = CliRunner().invoke(app, ["targets", "life", "emu.manila", "off"])
        assert refused.exit_code != 0
        assert "--life emu.manila=off" in refused.stderr
        assert not (tmp_path / "other" / "devices").exists()


def test_a_sparkline() -> None:
    assert sparkline([1.0, 2.0, 8.0, 1.0]) == "▁▂█▁"
    assert sparkline([1.0, 1.0]) == "▁▁"


def test_devices_by_name() -> None:
    made = [emu.heron(), emu.falcon(), emu.manila(), emu.willow(), emu.ion()]
    assert [each.target for each in made] == ["emu.heron", "emu.falcon", "emu.manila", "emu.willow", "emu.ion"]
    changed = emu.heron("busy", drift={"correlation_s": 60.0})
    assert isinstance(changed, emu.LivingDevice)
    assert changed.life.drift.correlation_s == 60.0
    assert emu.LivingDevice.from_json(changed.to_json()) == changed


def test_the_best_target_everywhere(tmp_path: Path) -> None:
    wish: dict[str, Any] = {"candidates": ["emu.manila", "emu.falcon"], "prefer": "fidelity"}
    with Workspace(tmp_path / "here", workers=1) as workspace:
        target = workspace.target("best")
        job = target.submit(BELL, shots=100, seed=1, **wish)
        assert job.target in wish["candidates"]
        assert job.choice is not None
        assert str(job.choice).startswith(f"{job.target} was chosen")
        assert sum(job.result().counts.values()) == 100
        assert target.refresh() is target
    with served(tmp_path / "there") as server, Workspace(server.url, api_key=server.key()) as remote:
        again = remote.target("best").submit(BELL, shots=100, seed=1, **wish)
        assert again.choice == job.choice
        with pytest.raises(LimitError) as refused:
            remote.target("best").submit(BELL, min_fidelity=0.9999, **wish)
        assert refused.value.code == "no-target-fits"
    program = tmp_path / "bell.qasm"
    program.write_text(BELL)
    ran = antiphon(
        tmp_path / "here", "submit", program, "--target", "best", "--option", "candidates=emu.manila,emu.falcon",
        "--option", "prefer=wait", "--wait", "--json",
    )  # fmt: skip
    assert ran.data["target"] in wish["candidates"]
    assert "since all are alike in wait" in ran.err
