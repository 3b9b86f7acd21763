"""Emulated devices through the client: jobs in this process and in workers, batches, sweeps, what the record keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from qiskit import QuantumCircuit

from antiphon import Workspace
from antiphon.errors import LimitError, UnsupportedProgramError

SWEPT = """OPENQASM 3.0; include "stdgates.inc"; input float t; qubit[2] q; bit[2] c;
rx(t) q[0]; cx q[0], q[1]; c = measure q;"""


QASM = 'OPENQASM 3.0; include "stdgates.inc"; qubit[1] q; bit[1] c; BODY c = measure q;'


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace(tmp_path_factory.mktemp("lab")) as workspace:
        yield workspace


def ghz(width: int) -> QuantumCircuit:
    circuit = QuantumCircuit(width)
    circuit.h(0)
    for qubit in range(width - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize("execution", ["inline", "process"])
@pytest.mark.parametrize("name", ["emu.heron", "emu.willow", "emu.ion"])
def test_the_same_job_here_and_in_a_worker_has_the_same_counts(ws: Workspace, name: str, execution: str) -> None:
    job = ws.target(name).submit(ghz(3), shots=1000, seed=5, execution=execution).wait()
    again = ws.target(name).submit(ghz(3), shots=1000, seed=5, execution="inline").wait()
    assert job.result().counts == again.result().counts
    assert job.result().counts["000"] + job.result().counts["111"] > 900


def test_the_record_keeps_the_circuit_as_compiled_and_the_calibration(ws: Workspace) -> None:
    job = ws.target("emu.falcon").submit(ghz(4), shots=100, seed=1, calibration="2024-05-27").wait()
    record = job.record
    told = record["provenance"]["plan"]["details"]
    (compiled,) = record["provenance"]["compiled"]
    assert compiled["format"] == "openqasm3"
    first, second = told["programs"][0]["layout"][:2]
    assert f"cx q[{first}], q[{second}];" in compiled["circuit"]
    assert "qubit[27] q;" in compiled["circuit"]
    assert record["calibration"]["digest"] == told["calibration"]["digest"]
    assert told["calibration"]["published"].startswith("2024-05-27")
    assert "ibm_hanoi" in record["calibration"]["snapshot"]["source"]


def test_a_replay_agrees_to_the_bit(ws: Workspace) -> None:
    job = ws.target("emu.manila").submit(ghz(5), shots=500, seed=9).wait()
    agreement = job.replay().agreement
    assert (agreement.agrees, agreement.test) == (True, "identical")


def test_a_batch_keeps_its_programs_apart(ws: Workspace) -> None:
    job = ws.target("emu.heron").submit_batch([ghz(2), ghz(5), ghz(3)], shots=200, seed=2).wait()
    assert [len(next(iter(each))) for each in job.result().counts] == [2, 5, 3]
    assert len({each["digest"] for each in job.record["provenance"]["compiled"]}) == 3


def test_a_sweep_is_one_compiled_circuit(ws: Workspace) -> None:
    target = ws.target("emu.ion")
    job = target.sweep(SWEPT, parameters=[{"t": 0.0}, {"t": 3.141592653589793}], shots=500, seed=2).wait()
    assert [max(counts, key=lambda key: counts[key]) for counts in job.result().counts] == ["00", "11"]
    assert len(job.record["provenance"]["compiled"]) == 1


def test_expectation_values(ws: Workspace) -> None:
    prepared = QuantumCircuit(2)
    prepared.h(0)
    prepared.cx(0, 1)
    target = ws.target("emu.willow")
    exact = target.estimate(prepared, {"ZZ": 1.0, "XX": 1.0}).result()
    sampled = target.estimate(prepared, {"ZZ": 1.0, "XX": 1.0}, shots=4000, seed=3).result()
    assert 1.8 < float(exact.values) < 2.0
    assert abs(float(exact.values) - float(sampled.values)) < 5 * float(sampled.stderr)


def test_the_list_of_targets_tells_devices_from_simulators(ws: Workspace) -> None:
    kinds = {target.name: target.info.kind for target in ws.targets()}
    assert {kind for name, kind in kinds.items() if name.startswith("emu.")} == {"emulator"}
    device = ws.target("emu.falcon").info.to_json()["device"]
    assert "cx" in device["native_gates"]
    assert [0, 1] in device["coupling"]


def test_what_does_not_fit_is_refused_before_anything_is_stored(ws: Workspace) -> None:
    before = len(ws.jobs())
    with pytest.raises(LimitError, match="6 qubits"):
        ws.target("emu.manila").submit(ghz(6))
    with pytest.raises(UnsupportedProgramError, match="calibration"):
        ws.target("emu.manila").submit(ghz(2), calibration="1999-12-31")
    assert len(ws.jobs()) == before


def test_a_device_is_drawn_and_says_what_it_takes(ws: Workspace) -> None:
    target = ws.target("emu.manila")
    assert target.draw().svg.count("<circle") == 5
    older = target.calibrations(since=0.0)[-1]
    assert target.draw(older).svg != target.draw().svg
    with pytest.raises(LimitError, match=r"sim\.auto"):
        ws.target("sim.auto").draw()
    with pytest.raises(LimitError, match="40 µs") as caught:
        waits = QASM.replace("BODY", "x q[0]; delay[41us] q[0]; x q[0];")
        ws.target("emu.willow").submit(waits)
    assert caught.value.code == "too-deep"
    assert "quantumai.google" in (caught.value.cause or "")


def test_another_workspace_reuses_what_was_compiled(tmp_path: Path) -> None:
    for number, reused in enumerate((False, True)):
        with Workspace(tmp_path / str(number)) as workspace:
            job = workspace.target("emu.heron").submit(ghz(7), shots=50, seed=1, compile_seed=77).wait()
            assert job.record["provenance"]["plan"]["details"]["programs"][0]["reused"] is reused
