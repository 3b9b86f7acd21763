"""Mitigation and allocation as a user meets them: the client on a folder and on a server, the record, the terminal."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from antiphon import Mitigation, NoiseModel, Workspace
from antiphon.errors import LimitError, ProgramError
from command_line import antiphon
from living_devices import living, living_desk
from programs import BELL

NOISE = NoiseModel(depolarizing_2q=0.02, readout_p01=0.02, readout_p10=0.06)
ENERGY = {"ZZ": 1.0, "XX": 0.5, "II": 0.25}


def bell(*, measured: bool = False) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    if measured:
        circuit.measure_all()
    return circuit


def test_raw_and_mitigated_side_by_side(ws: Workspace) -> None:
    mitigation = Mitigation(readout=True, zne=(1, 3))
    job = ws.target("sim.auto").estimate(bell(), ENERGY, shots=100_000, seed=3, noise=NOISE, mitigation=mitigation)
    result = job.result(60)
    assert abs(result.values - 1.75) < abs(result.raw.values - 1.75) / 3
    assert result.raw.stderr < result.stderr
    assert result.mitigation["verdict"] == "helps"
    assert result.mitigation["overhead"]["shots"] == 100_000
    low, high = result.interval(0.999)
    assert low < 1.75 < high
    assert result.raw.interval(0.999)[1] < 1.75
    assert result.raw.mitigation is None


def test_the_record_has_what_it_takes_to_repeat_it(ws: Workspace) -> None:
    mitigation = Mitigation(readout=True, twirling=2)
    job = ws.target("sim.auto").estimate(bell(), ENERGY, shots=4000, noise=NOISE, mitigation=mitigation)
    job.result(60)
    record = job.record
    assert record["mitigation"]["twirling"]["randomizations"] == 2
    told = record["result"][0]["details"]["mitigation"]
    assert {each["role"] for each in told["circuits"]} == {"program", "sentinel", "calibration"}
    assert sum(sum(each["counts"][0].values()) for each in told["circuits"]) == told["overhead"]["shots"]
    assert record["provenance"]["mitigation"]["overhead"]["seconds"] >= 0
    assert "circuits" not in record["provenance"]["mitigation"], "counts are with the result alone"
    assert json.loads(json.dumps(record))["result"][0]["values"] == [job.result().values]
    again = job.replay(60)
    assert again.agreement.agrees
    assert again.agreement.test == "identical"


@pytest.mark.parametrize("execution", ["inline", "process"])
def test_it_is_the_same_wherever_it_runs(ws: Workspace, execution: str) -> None:
    target = ws.target("emu.manila")
    mitigation = {"readout": True, "zne": [1, 3]}
    job = target.estimate(bell(), ENERGY, shots=4000, seed=5, mitigation=mitigation, execution=execution)
    assert (
        job.result(60).values
        == target.estimate(bell(), ENERGY, shots=4000, seed=5, mitigation={"readout": True, "zne": (1, 3)})
        .result(60)
        .values
    )


def test_counts_are_raw_and_probabilities_corrected(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    result = target.submit(
        bell(measured=True), shots=4000, seed=1, noise=NoiseModel(readout_p10=0.1), mitigation=Mitigation(readout=True)
    ).result(60)
    assert sum(result.counts.values()) == 4000
    assert result.raw.probabilities["11"] == result.counts["11"] / 4000
    assert result.raw.probabilities["11"] < 0.43
    assert result.probabilities["11"] == pytest.approx(0.5, abs=0.03)


def test_a_batch_keeps_the_probabilities_of_each_program(ws: Workspace) -> None:
    circuits = [bell(measured=True), bell(measured=True)]
    job = ws.target("sim.auto").submit_batch(
        circuits, shots=2000, seed=1, noise=NoiseModel(readout_p10=0.1), mitigation={"readout": True}
    )
    result = job.result(60)
    assert [set(each) >= {"00", "11"} for each in result.probabilities] == [True, True]
    assert [each["verdict"] for each in result.mitigation] == ["helps", "helps"]
    assert result.counts[0] != result.probabilities[0]


def test_a_sweep_of_estimates_has_a_verdict_for_each_value(ws: Workspace) -> None:
    angle = Parameter("t")
    circuit = QuantumCircuit(1)
    circuit.ry(angle, 0)
    noise = NoiseModel(readout_p01=0.05, readout_p10=0.05)
    result = (
        ws.target("sim.auto")
        .estimate(circuit, {"Z": 1.0}, [[0.1], [1.0]], shots=50_000, noise=noise, mitigation={"readout": True})
        .result(60)
    )
    np.testing.assert_allclose(result.values, np.cos([0.1, 1.0]), atol=0.03)
    assert [each["verdict"] for each in result.mitigation["verdicts"]] == ["helps", "helps"]
    assert np.asarray(result.interval()).shape == (2, 2)


def test_an_estimate_stops_at_its_precision(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    result = target.estimate(bell(), ENERGY, precision=0.02, noise=NOISE).result(60)
    assert 0.01 < result.stderr <= 0.02
    assert result.shots is not None
    assert result.shots < (1.5 / 0.02) ** 2
    assert result.allocation["reached"]
    capped = target.estimate(bell(), ENERGY, precision=0.001, max_shots=5000, noise=NOISE).result(60)
    assert capped.shots == 5000
    assert not capped.allocation["reached"]
    mitigated = target.estimate(bell(), ENERGY, precision=0.05, noise=NOISE, mitigation={"readout": True}).result(60)
    assert mitigated.stderr <= 0.05


def test_what_is_asked_in_vain_says_why(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    with pytest.raises(LimitError, match="max_shots"):
        target.estimate(bell(), ENERGY, max_shots=100)
    with pytest.raises(ProgramError, match="mitigation"):
        target.submit(bell(measured=True), mitigation={"redout": True})
    with pytest.raises(LimitError, match="Exact values"):
        target.estimate(bell(), ENERGY, mitigation={"readout": True})
    assert ws.jobs() == []


def test_the_terminal_has_both_in_eighty_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    home, file = tmp_path / "lab", tmp_path / "bell.qasm"
    file.write_text(BELL)
    option = 'mitigation={"readout": true}'
    noise = ["--noise", "readout_p01=0.05", "--noise", "readout_p10=0.1"]
    shown = antiphon(home, "submit", file, "--wait", "--seed", 1, "--option", option, *noise)
    assert shown.code == 0
    assert "corrected" in shown.out
    assert "95% interval" in shown.out
    assert "helps" in shown.out
    assert max(len(line) for line in shown.out.splitlines()) <= 80
    told = antiphon(home, "submit", file, "--wait", "--seed", 1, "--option", option, *noise, "--json").data
    assert math.isclose(sum(told["probabilities"].values()), 1.0, abs_tol=1e-9)
    assert told["mitigation"]["verdict"] == "helps"
    with Workspace(home) as workspace:
        job = workspace.target("sim.auto").estimate(bell(), ENERGY, shots=9000, noise=NOISE, mitigation={"zne": [1, 3]})
    shown = antiphon(home, "jobs", "result", job.id)
    assert re.search(r"mitigated +± +95% interval +verdict", shown.out)
    assert max(len(line) for line in shown.out.splitlines()) <= 80
    told = antiphon(home, "jobs", "result", job.id, "--json").data
    assert told["raw"]["values"] != told["values"]
    assert told["interval"]["low"] < told["values"] < told["interval"]["high"]
    assert "circuits" not in told["mitigation"]


def test_the_page_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (Path(__file__).parents[2] / "docs/howto/mitigation.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        exec(compile(block, "mitigation.md", "exec"), names)
    names["ws"].close()
    assert "helps because" in capsys.readouterr().out


def test_a_device_that_lives_is_mitigated_under_what_is_published(tmp_path: Path) -> None:
    mitigation = {"readout": True, "twirling": 4, "dynamical_decoupling": "XX"}
    with living_desk(tmp_path, living("quiet", failures=0.0, refusals=0.0)) as desk:
        desk.clock.advance(30 * 3600.0)  # its figures are no longer those that it came with
        record = desk.run(desk.submit(shots=4000, options={"mitigation": mitigation}))
    assert record["status"] == "Succeeded"
    told = record["result"][0]["details"]["mitigation"]
    counts, corrected = record["result"][0]["counts"][0], told["probabilities"][0]
    assert sum(counts.values()) == 4000
    assert corrected.get("01", 0.0) + corrected.get("10", 0.0) < (counts["01"] + counts["10"]) / 4000
    assert record["provenance"]["life"]["profile"] == "quiet"
