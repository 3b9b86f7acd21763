"""Emulated devices through Qiskit: what a backend says of its device, and circuits that `transpile` put on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp

from antiphon import Mitigation, Workspace, emu
from antiphon.adapters.clocks import ManualClock
from antiphon.errors import ProgramError
from antiphon.qiskit import AntiphonProvider, EstimatorV2, SamplerV2


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AntiphonProvider]:
    with Workspace(tmp_path_factory.mktemp("lab")) as ws:
        yield AntiphonProvider(ws)


def ghz() -> QuantumCircuit:
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(0, 2)
    circuit.measure_all()
    return circuit


def ran_on(provider: AntiphonProvider, job_id: str) -> set[int]:
    compiled = provider.workspace.job(job_id).record["provenance"]["compiled"]
    return {int(found) for each in compiled for found in re.findall(r"q\[(\d+)\]", each["circuit"])} - {156, 105}


@pytest.mark.parametrize("name", ["emu.heron", "emu.falcon", "emu.willow"])
def test_a_backend_has_the_gates_pairs_and_figures_of_its_device(provider: AntiphonProvider, name: str) -> None:
    backend = provider.backend(name)
    target, device = backend.target, provider.workspace.target(name)
    assert device.info.device is not None
    assert set(device.info.device.native_gates) < set(backend.operation_names)
    assert "h" not in backend.operation_names
    assert set(backend.coupling_map.get_edges()) == set(device.info.device.coupling)
    assert target["measure"][(0,)].duration == pytest.approx(device.calibration.measure_s, rel=1e-4)
    assert target.qubit_properties[1].t1 == device.calibration.qubits[1].t1
    two = "cx" if name == "emu.falcon" else "cz"
    for pair, figures in device.calibration.gates[two].items():
        assert target[two][pair].error == figures.error
        assert target[two][pair].duration == pytest.approx(figures.seconds, rel=1e-4)


@pytest.mark.parametrize(("name", "dt"), [("emu.heron", 4e-9), ("emu.manila", 2 / 9 * 1e-9), ("emu.willow", None)])
def test_a_backend_has_the_unit_of_time_of_its_device(provider: AntiphonProvider, name: str, dt: float | None) -> None:
    backend = provider.backend(name)
    assert backend.dt == backend.target.dt == (None if dt is None else pytest.approx(dt))


def test_delays_in_dt_wait_as_long_as_on_the_device(provider: AntiphonProvider) -> None:
    backend = provider.backend("emu.manila")
    in_dt, in_seconds = QuantumCircuit(1, 1), QuantumCircuit(1, 1)
    in_dt.x(0)
    in_dt.delay(450_000, 0)
    in_dt.measure(0, 0)
    in_seconds.x(0)
    in_seconds.delay(100, 0, "us")
    in_seconds.measure(0, 0)
    found = [backend.run(each, shots=500, seed=1).result().get_counts() for each in (in_dt, in_seconds)]
    assert found[0] == found[1]
    assert found[0]["0"] > 100
    placed = transpile(in_seconds, backend, scheduling_method="alap", initial_layout=[0])
    assert {each.operation.unit for each in placed.data if each.operation.name == "delay"} == {"dt"}
    sampled = SamplerV2(backend).run([placed], shots=500).result()[0].data.c.get_counts()
    assert sampled["0"] > 100
    target = provider.workspace.target("emu.manila")
    assert target.drift(in_dt).fidelity_now == pytest.approx(target.drift(in_seconds).fidelity_now)
    in_dt.remove_final_measurements()
    value = EstimatorV2(backend).run([(in_dt, SparsePauliOp("Z"))], precision=0.05).result()[0].data.evs
    assert value > -0.7
    assert target.quote(in_dt, observable={"Z": 1.0}).run.p50 > 0.0


def test_a_refreshed_backend_has_the_newest_calibration(tmp_path: Path) -> None:
    clock = ManualClock(1_800_000_000.0)
    quiet = emu.manila("quiet", seed=7, others_per_hour=[0] * 24, calibration_takes_s=0)
    with Workspace(tmp_path, targets=[quiet], clock=clock) as ws:
        backend = AntiphonProvider(ws).backend("emu.manila")
        before = backend.target.qubit_properties[0].t1
        clock.advance(2 * 86_400.0)
        assert backend.target.qubit_properties[0].t1 == before
        backend.refresh()
        assert backend.target.qubit_properties[0].t1 == ws.target("emu.manila").calibration.qubits[0].t1 != before


def test_an_ion_trap_joins_all_pairs(provider: AntiphonProvider) -> None:
    backend = provider.backend("emu.ion")
    assert backend.coupling_map is None
    assert backend.num_qubits == 56
    done = transpile(efficient_su2(5, entanglement="full", reps=1), backend, optimization_level=1)
    assert set(done.count_ops()) <= set(backend.operation_names)


def test_what_is_transpiled_for_the_device_runs_on_just_those_qubits(provider: AntiphonProvider) -> None:
    backend = provider.backend("emu.heron")
    placed = transpile(ghz(), backend, initial_layout=[5, 4, 6], seed_transpiler=1)
    job = SamplerV2(backend, options={"seed": 1}).run([placed], shots=1000)
    counts = job.result()[0].data.meas.get_counts()
    assert counts["000"] + counts["111"] > 850
    assert ran_on(provider, job.job_id()) == {4, 5, 6}
    again = backend.run(placed, shots=1000, seed=1)
    assert again.result().get_counts() == counts
    assert ran_on(provider, again.job_id()) == {4, 5, 6}
    kept = provider.workspace.job(again.job_id()).record["provenance"]["plan"]["details"]["programs"][0]["gates"]
    measured = {"measure": 3, "barrier": 1}
    assert kept == {gate: count for gate, count in placed.count_ops().items() if gate not in measured}


def test_what_is_not_placed_is_compiled_and_so_is_a_mixture(provider: AntiphonProvider) -> None:
    backend = provider.backend("emu.heron")
    placed = transpile(ghz(), backend, initial_layout=[5, 4, 6], seed_transpiler=1)
    job = SamplerV2(backend).run([ghz(), placed], shots=100)
    first, second = (each.data.meas.get_counts() for each in job.result())
    assert sum(first.values()) == sum(second.values()) == 100
    own = backend.run(placed, shots=10, optimization_level=1)
    assert own.result().success
    assert ran_on(provider, own.job_id()) != {4, 5, 6}


def test_an_estimate_of_a_placed_circuit_with_its_layout(provider: AntiphonProvider) -> None:
    backend = provider.backend("emu.falcon")
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    placed = transpile(circuit, backend, initial_layout=[14, 13], seed_transpiler=1)
    observable = SparsePauliOp(["ZZ", "XX"]).apply_layout(placed.layout)
    job = EstimatorV2(backend).run([(placed, observable)])
    assert 1.6 < float(job.result()[0].data.evs) < 2.0
    assert ran_on(provider, job.job_id()) == {13, 14}


def test_mitigation_is_an_option_of_both_primitives(provider: AntiphonProvider) -> None:
    backend = provider.backend("emu.falcon")
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    wanted = Mitigation(readout=True, zne=[1, 3])
    estimate = EstimatorV2(backend, options={"mitigation": wanted, "seed": 2}).run(
        [(circuit, SparsePauliOp(["ZZ", "XX"]))], precision=0.02
    )
    told = estimate.job.result()
    assert told.mitigation["verdict"] in ("helps", "no evidence", "harms")
    assert float(estimate.result()[0].data.evs) == told.values != told.raw.values
    sampler = SamplerV2(backend)
    sampler.options.mitigation = {"readout": True}
    job = sampler.run([ghz()], shots=500)
    assert job.result()[0].data.meas.num_shots == 500
    assert job.job.record["mitigation"] == {"readout": True}
    with pytest.raises(ProgramError):
        EstimatorV2(backend, options={"mitigation": {"magic": True}}).run([(circuit, SparsePauliOp("ZZ"))])
