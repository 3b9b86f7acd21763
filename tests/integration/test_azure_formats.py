"""What the genuine front ends sent (`tests/wire/offline_clients.py` writes the file), run without their packages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.composition import RunningEngine
from antiphon.domain.jobs import JobStatus
from azure_formats import run, running
from qsharp_programs import qir

PAYLOADS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "azure_payloads.json").read_text())[
    "payloads"
]
SHOTS = 200

V2 = {
    "qsharp-own": {"([1, 0], [1])": {"Item1": [1, 0], "Item2": [1]}},
    "qsharp-ionq": {"(0, 0)": {"Item1": 0, "Item2": 0}, "(1, 1)": {"Item1": 1, "Item2": 1}},
    "qsharp-one": {"1": 1},
    "qsharp-adaptive": {
        f"(true, (2, 0.5), [{z}, 1])": {"Item1": True, "Item2": {"Item1": 2, "Item2": 0.5}, "Item3": [z, 1]}
        for z in (0, 1)
    },
    # One list for each classical register, its last bit first: Qiskit's own order, as its exporter records it.
    "qiskit-own": {"([0, 1], [0])": {"Item1": [0, 1], "Item2": [0]}},
    "qiskit-quantinuum-qir": {"([0, 1], [0])": {"Item1": [0, 1], "Item2": [0]}},
    "qiskit-rigetti": {"([0, 1], [0])": {"Item1": [0, 1], "Item2": [0]}},
    "qiskit-ionq-qir": {"[0, 1, 1]": [0, 1, 1]},
    "qiskit-qci": {"[0, 1, 1]": [0, 1, 1]},
    "cirq-own": {"([1, 0], [1])": {"Item1": [1, 0], "Item2": [1]}},
    "cirq-rigetti": {"([1, 0], [1])": {"Item1": [1, 0], "Item2": [1]}},
}
OTHERS: dict[str, Any] = {
    "qiskit-ionq-json": {"histogram": pytest.approx({"3": 1.0})},
    "cirq-ionq": {"histogram": pytest.approx({"3": 1.0})},
    "dictionary-ionq": {"histogram": pytest.approx({"5": 1.0})},
    "qiskit-quantinuum-qasm": {"high": ["01"] * SHOTS, "low": ["0"] * SHOTS},
    "cirq-quantinuum": {"m_right": ["1"] * SHOTS, "m_left": ["10"] * SHOTS},
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


def test_every_front_end_has_its_row() -> None:
    assert {*V2, *OTHERS, "qsharp-items"} == set(PAYLOADS)


@pytest.mark.parametrize(("name", "outcomes"), V2.items())
def test_quantum_results(engine: RunningEngine, name: str, outcomes: dict[str, Any]) -> None:
    job, body = run(engine.ctx, PAYLOADS[name])
    assert job.status is JobStatus.SUCCEEDED
    [result] = json.loads(body)["Results"]
    assert {entry["Display"]: entry["Outcome"] for entry in result["Histogram"]} == outcomes
    shots = Counter(json.dumps(shot) for shot in result["Shots"])
    assert shots == {json.dumps(entry["Outcome"]): entry["Count"] for entry in result["Histogram"]}
    assert shots.total() == SHOTS


@pytest.mark.parametrize(("name", "result"), OTHERS.items())
def test_results_in_the_providers_own_formats(engine: RunningEngine, name: str, result: Any) -> None:
    assert json.loads(run(engine.ctx, PAYLOADS[name])[1]) == result


def test_a_batch(engine: RunningEngine) -> None:
    job, body = run(engine.ctx, PAYLOADS["qsharp-items"])
    results = json.loads(body)["Results"]
    assert len(results) == len(job.spec.pubs) == 3
    for result in results:
        assert result["Shots"] == [{"Item1": [1, 0], "Item2": [1]}] * SHOTS


@pytest.mark.parametrize(
    ("program", "profile"),
    [
        ("first_of_three", "Base"),
        ("two_arrays", "Base"),
        ("nested", "Base"),
        ("bell", "Base"),
        ("half_measured", "Adaptive_RI"),
        ("mixed", "Adaptive_RI"),
        ("count", "Adaptive_RI"),
        ("double", "Adaptive_RIF"),
    ],
)
def test_qsharp_outcomes_are_those_of_the_qdk(engine: RunningEngine, program: str, profile: str) -> None:
    from qdk import Result, simulation

    def wire(value: Any) -> Any:
        match value:
            case tuple():
                return {f"Item{i}": wire(part) for i, part in enumerate(value, start=1)}
            case list():
                return [wire(part) for part in value]
            case Result():
                return int(value == Result.One)
            case _:
                return value

    source = qir(program, profile).decode()
    theirs = simulation.run_qir(source, shots=100, seed=1, type="cpu")
    payload = {
        "target": "sim.auto",
        "input_format": "qir.v1",
        "input": source,
        "input_params": {"shots": 100},
        "output_format": "microsoft.quantum-results.v2",
        "metadata": {},
    }
    [result] = json.loads(run(engine.ctx, payload)[1])["Results"]
    assert {json.dumps(entry["Outcome"]) for entry in result["Histogram"]} == {json.dumps(wire(one)) for one in theirs}


def test_an_adaptive_program_under_noise(engine: RunningEngine) -> None:
    payload = {**PAYLOADS["qsharp-adaptive"], "target": "quantinuum.sim.helios-1e", "provider": "quantinuum"}
    [result] = json.loads(run(engine.ctx, payload)[1])["Results"]
    assert len(result["Shots"]) == SHOTS
    assert {tuple(shot) for shot in result["Shots"]} == {("Item1", "Item2", "Item3")}


def test_a_noisy_name_is_noisy(engine: RunningEngine) -> None:
    payload = {**PAYLOADS["qiskit-qci"], "target": "qci.simulator.noisy", "input_params": {"shots": 2_000}}
    job, body = run(engine.ctx, payload)
    assert set(job.spec.options) == {"noise"}
    [result] = json.loads(body)["Results"]
    counts = {entry["Display"]: entry["Count"] for entry in result["Histogram"]}
    assert counts["[0, 1, 1]"] > 1_800
    assert len(counts) > 1
