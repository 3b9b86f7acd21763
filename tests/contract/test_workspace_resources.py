"""What a program takes: the same figures embedded and behind a server, with error correction and without."""

from __future__ import annotations

import json

import pytest
from qiskit import QuantumCircuit

from antiphon import Workspace
from antiphon.domain.resources import FaultTolerant, Refused
from antiphon.errors import LimitError, NotFoundError, UnsupportedProgramError
from programs import BELL, ENDLESS

DEVICE = "emu.manila"


def line(num_qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits, num_qubits)
    circuit.h(0)
    for qubit in range(num_qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.rz(0.3, num_qubits - 1)
    circuit.measure(range(num_qubits), range(num_qubits))
    return circuit


def test_a_simulator_tells_what_was_submitted(ws: Workspace) -> None:
    found = ws.target("sim.auto").estimate_resources(line(3), 200, fault_tolerant=False)
    here = found.on["sim.auto"]
    assert here.figures == found.figures
    assert found.figures is not None
    assert (found.figures.width, found.figures.depth) == (3, 5)
    assert found.figures.gates == {"cx": 2, "h": 1, "measure": 3, "rz": 1}
    assert found.figures.entangling == 2
    assert (here.is_compiled, here.fidelity, here.device_s, here.shots) == (False, None, None, 200)
    assert here.expected.run.p95 > 0
    assert found.fault_tolerant is None
    assert ws.jobs() == []


def test_a_device_tells_what_it_compiles_to(ws: Workspace) -> None:
    found = ws.target(DEVICE).estimate_resources(line(3), 200, fault_tolerant=False)
    here = found.on[DEVICE]
    device = ws.target(DEVICE).info.device
    assert device is not None
    assert here.is_compiled
    assert here.figures is not None
    assert set(here.figures.gates) <= {*device.native_gates, "measure", "reset", "barrier"}
    assert here.assessment is not None
    assert device.shot_pause_s == 250e-6
    assert here.device_s == pytest.approx(200 * (here.assessment.seconds + device.shot_pause_s))
    assert here.fidelity is not None
    assert 0.5 < here.fidelity < 1.0
    longer = ws.target(DEVICE).estimate_resources(line(5), 200, fault_tolerant=False).on[DEVICE]
    assert longer.fidelity is not None
    assert longer.fidelity < here.fidelity


def test_many_targets_are_asked_and_one_that_refuses_stops_none(ws: Workspace) -> None:
    found = ws.estimate_resources(line(6), targets=["sim.auto", DEVICE, "sim.stabilizer"], fault_tolerant=False)
    assert list(found.on) == ["sim.auto"]
    refused = {each.what: each for each in found.targets if isinstance(each, Refused)}
    assert set(refused) == {DEVICE, "sim.stabilizer"}
    assert all(each.message and each.next_step for each in refused.values())
    every = ws.estimate_resources(BELL, fault_tolerant=False)
    assert set(every.on) == {target.name for target in ws.targets() if target.kind != "simulator"}
    with pytest.raises(NotFoundError):
        ws.estimate_resources(BELL, targets=["sim.nothing"])
    with pytest.raises(UnsupportedProgramError):
        ws.target("sim.stabilizer").estimate_resources(line(3))


@pytest.mark.parametrize("shots", [0, -5, 1.5])
def test_what_is_no_number_of_shots_is_refused_before_any_target_says_so(ws: Workspace, shots: int) -> None:
    with pytest.raises(LimitError):
        ws.estimate_resources(BELL, shots=shots, fault_tolerant=False)
    with pytest.raises(LimitError):
        ws.estimate_resources(BELL, targets=[])
    few = ws.estimate_resources(BELL, 50_000, targets=["emu.ion", DEVICE], fault_tolerant=False)
    assert list(few.on) == [DEVICE]


def test_error_correction_is_estimated_where_the_program_is(ws: Workspace) -> None:
    found = ws.target("sim.auto").estimate_resources(line(3), error_budget=0.01)
    corrected = found.fault_tolerant
    assert isinstance(corrected, FaultTolerant)
    assert corrected.logical.rotations == 1
    assert corrected.smallest is not None
    text = str(found)
    assert f"{corrected.smallest.qubits:,} physical qubits" in text
    assert "<pre" in found._repr_html_()
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert data["fault_tolerant"]["ways"][0]["runtime_s"] == corrected.smallest.runtime_s > 0
    assert data["fault_tolerant_refused"] is None
    with pytest.raises(LimitError):
        ws.target("sim.auto").estimate_resources(line(3), qubit_model="qubit_of_dreams")


def test_what_the_estimator_cannot_count_is_said_beside_the_rest(ws: Workspace) -> None:
    found = ws.target("sim.auto").estimate_resources(ENDLESS, 10)
    assert found.on["sim.auto"].figures is not None
    assert isinstance(found.fault_tolerant, Refused)
    assert found.fault_tolerant.code == "resources-unbounded"
    assert "measurement" in str(found)
    assert found.to_json()["fault_tolerant"] is None


def test_free_parameters_get_their_values(ws: Workspace) -> None:
    text = 'OPENQASM 3.0; include "stdgates.inc"; input float a; qubit q; bit c; rz(a) q; c = measure q;'
    found = ws.target("sim.auto").estimate_resources(text, parameters={"a": 0.5})
    assert isinstance(found.fault_tolerant, FaultTolerant)
    assert found.fault_tolerant.logical.rotations == 1
