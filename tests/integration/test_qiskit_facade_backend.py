from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import Clbit, Parameter, Qubit
from qiskit.circuit.library import efficient_su2
from qiskit.exceptions import QiskitError
from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2
from qiskit.providers import BackendV2, JobStatus
from qiskit.providers.exceptions import JobTimeoutError, QiskitBackendNotFoundError
from qiskit.quantum_info import Operator, SparsePauliOp

from antiphon import NoiseModel, Workspace
from antiphon.errors import (
    AntiphonError,
    JobCancelledError,
    LimitError,
    NotFoundError,
    ParameterError,
    ProgramError,
    WaitTimeoutError,
)
from antiphon.qiskit import AntiphonBackend, AntiphonJob, AntiphonProvider


@pytest.fixture
def provider(ws: Workspace) -> AntiphonProvider:
    return AntiphonProvider(ws)


@pytest.fixture
def backend(provider: AntiphonProvider) -> AntiphonBackend:
    return provider.backend("sim.auto")


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def two_registers() -> QuantumCircuit:
    """Reads a = 01 and b = 0."""
    circuit = QuantumCircuit(QuantumRegister(3, "q"), ClassicalRegister(2, "a"), ClassicalRegister(1, "b"))
    circuit.x(0)
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


def endless() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.reset(0)
        circuit.measure(0, 0)
    return circuit


def test_bell(backend: AntiphonBackend) -> None:
    job = backend.run(bell(), shots=1000, seed=5, job_name="first")
    assert isinstance(job, AntiphonJob)
    result = job.result()
    counts = result.get_counts()
    assert set(counts) == {"00", "11"}
    assert sum(counts.values()) == 1000
    assert abs(counts["00"] - 500) < 100
    assert job.status() is JobStatus.DONE
    assert job.done()
    assert job.in_final_state()
    assert job.job.name == "first"
    assert (result.backend_name, result.job_id, result.success) == ("sim.auto", job.job_id(), True)
    assert backend.run(bell(), shots=1000, seed_simulator=5).result().get_counts() == counts


def test_registers_stand_as_qiskit_prints_them(backend: AntiphonBackend) -> None:
    result = backend.run(two_registers(), shots=7, memory=True).result()
    assert result.get_counts() == {"0 01": 7}
    assert result.get_memory() == ["0 01"] * 7
    assert result.data()["counts"] == {"0x1": 7}


def test_bits_outside_registers_keep_their_own_place(backend: AntiphonBackend) -> None:
    loose = Clbit()
    circuit = QuantumCircuit([Qubit(), Qubit(), Qubit()], [loose], ClassicalRegister(2, "c"))
    circuit.x([0, 2])
    circuit.measure([0, 1, 2], [0, 1, 2])
    result = backend.run(circuit, shots=3).result()
    assert result.data()["counts"] == {hex(0b101): 3}
    assert result.get_counts() == {"10 1": 3}


def test_many_circuits_are_one_job(backend: AntiphonBackend, ws: Workspace) -> None:
    job = backend.run([bell(), two_registers()], shots=50)
    counts = job.result().get_counts()
    assert set(counts[0]) == {"00", "11"}
    assert counts[1] == {"0 01": 50}
    assert job.result().get_counts("bell") == counts[0]
    assert [each.id for each in ws.jobs()] == [job.job_id()]


def test_memory_agrees_with_counts_and_is_not_sorted(backend: AntiphonBackend) -> None:
    result = backend.run(bell(), shots=400, seed=1, memory=True).result()
    memory = result.get_memory()
    assert {key: memory.count(key) for key in set(memory)} == result.get_counts()
    first_half = memory[:200].count("00")
    assert 50 < first_half < 150


def test_parameter_binds_give_one_experiment_each(backend: AntiphonBackend) -> None:
    angle = Parameter("a")
    circuit = QuantumCircuit(1, 1)
    circuit.rx(angle, 0)
    circuit.measure(0, 0)
    result = backend.run(circuit, shots=20, parameter_binds=[{angle: [0.0, np.pi]}]).result()
    assert result.get_counts() == [{"0": 20}, {"1": 20}]
    with pytest.raises(ParameterError, match="a"):
        backend.run(circuit)
    with pytest.raises(ProgramError, match="2 parameter binds"):
        backend.run(circuit, parameter_binds=[{angle: 0}, {angle: 1}])


def test_dynamic_circuit(backend: AntiphonBackend) -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    assert set(backend.run(circuit, shots=200).result().get_counts()) == {"00", "11"}


def test_noise_is_applied(backend: AntiphonBackend) -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    counts = backend.run(circuit, shots=1000, seed=2, noise=NoiseModel(readout_p01=1.0)).result().get_counts()
    assert counts == {"1": 1000}


def test_the_old_name_of_the_input(backend: AntiphonBackend) -> None:
    assert backend.run(circuit=two_registers(), shots=2).result().get_counts() == {"0 01": 2}


@pytest.mark.parametrize("level", range(4))
def test_transpile_keeps_what_runs_as_it_is(backend: AntiphonBackend, level: int) -> None:
    circuit = efficient_su2(3).assign_parameters(np.linspace(0.1, 1.0, 24))
    done = transpile(circuit, backend, optimization_level=level)
    assert done.num_qubits == 3
    assert set(done.count_ops()) <= set(backend.operation_names)
    assert Operator.from_circuit(done).equiv(Operator(circuit))
    if level == 0:
        assert done.count_ops() == circuit.count_ops()


def test_transpile_keeps_control_flow(backend: AntiphonBackend) -> None:
    done = transpile(endless(), backend)
    assert "while_loop" in done.count_ops()


def test_a_backend_says_what_it_is(backend: AntiphonBackend, ws: Workspace) -> None:
    assert isinstance(backend, BackendV2)
    assert backend.num_qubits == ws.target("sim.auto").num_qubits
    assert backend.max_circuits >= 25
    assert {"measure", "reset", "delay", "if_else", "cx", "ccx"} <= set(backend.operation_names)
    assert backend.coupling_map is None
    assert backend.options.shots == 1024
    assert backend.pending_jobs() == 0


def test_the_generic_sampler_makes_one_job_of_25_circuits(backend: AntiphonBackend, ws: Workspace) -> None:
    circuits = [two_registers() for _ in range(25)]
    with backend.open_session(name="generic") as session:
        result = BackendSamplerV2(backend=backend).run(circuits, shots=30).result()
    assert all(pub.data.a.get_counts() == {"01": 30} and pub.data.b.get_counts() == {"0": 30} for pub in result)
    assert len(ws.jobs()) == 1
    assert [job.id for job in ws.session(str(session.session_id)).jobs()] == [ws.jobs()[0].id]


def test_the_generic_estimator(backend: AntiphonBackend, ws: Workspace) -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    estimator = BackendEstimatorV2(backend=backend, options={"seed_simulator": 3})
    with backend.open_session() as session:
        value = estimator.run([(circuit, SparsePauliOp(["ZZ", "XX"], [1.0, 0.5]))], precision=0.05).result()[0]
    assert value.data.evs == pytest.approx(1.5)
    assert len(session.jobs()) == len(ws.jobs()) == 1


def test_backends_are_found_by_what_they_offer(provider: AntiphonProvider) -> None:
    names = [backend.name for backend in provider.backends()]
    assert {"sim.auto", "sim.statevector"} <= set(names)
    assert [backend.name for backend in provider.backends("sim.mps")] == ["sim.mps"]
    assert "sim.density_matrix" not in [backend.name for backend in provider.backends(min_num_qubits=25)]
    assert {each.name.split(".")[0] for each in provider.backends(simulator=False)} == {"emu"}
    assert [each.name for each in provider.backends(filters=lambda each: each.name.endswith("auto"))] == ["sim.auto"]
    assert provider.backends(dynamic_circuits=True, operational=True)
    assert provider.least_busy(min_num_qubits=2).name == names[0]
    assert provider.backend("sim.auto") is provider.get_backend("sim.auto")
    with pytest.raises(QiskitBackendNotFoundError, match=r"sim\.auto"):
        provider.least_busy(min_num_qubits=10**6)
    with pytest.raises(NotFoundError, match=r"sim\.auto"):
        provider.backend("sim.autp")


def test_jobs_of_the_past(provider: AntiphonProvider, backend: AntiphonBackend) -> None:
    first = backend.run(two_registers(), shots=5)
    second = backend.run([bell(), bell()], shots=5)
    again = provider.job(first.job_id())
    assert isinstance(again, AntiphonJob)
    assert again.result().get_counts() == {"0 01": 5}
    assert again.result().get_memory() == ["0 01"] * 5
    assert [job.job_id() for job in provider.jobs()] == [second.job_id(), first.job_id()]
    assert [job.job_id() for job in provider.jobs(descending=False, limit=1)] == [first.job_id()]
    assert [job.job_id() for job in provider.jobs(skip=1)] == [first.job_id()]
    assert provider.jobs(pending=True) == []
    assert provider.jobs(backend_name="sim.mps") == []
    with pytest.raises(NotFoundError):
        provider.job("job_nowhere")


def test_cancel_and_the_reason(backend: AntiphonBackend) -> None:
    job = backend.run(endless(), shots=1)
    assert job.status() in {JobStatus.QUEUED, JobStatus.RUNNING}
    seen: list[JobStatus] = []
    with pytest.raises(JobTimeoutError, match="still"):
        job.wait_for_final_state(timeout=0.05, callback=lambda _id, status, _job: seen.append(status))
    assert set(seen) <= {JobStatus.QUEUED, JobStatus.RUNNING}
    assert seen
    with pytest.raises(WaitTimeoutError):
        job.result(timeout=0.05)
    assert job.cancel()
    job.wait_for_final_state(timeout=30)
    assert job.cancelled()
    with pytest.raises(JobCancelledError):
        job.result()


def test_a_job_that_fails_says_why(backend: AntiphonBackend) -> None:
    job = backend.run([bell(), endless()], shots=3, max_seconds=0.3)
    with pytest.raises(AntiphonError) as caught:
        job.result(timeout=60)
    assert caught.value.next_step
    assert job.status() is JobStatus.ERROR
    assert job.error_message()
    partial = job.result(partial=True)
    assert not partial.success
    assert sum(partial.get_counts(0).values()) == 3
    with pytest.raises(QiskitError, match="ERROR"):
        partial.get_counts(1)


def test_what_is_refused_and_how(backend: AntiphonBackend, ws: Workspace) -> None:
    with pytest.raises(LimitError, match="shots"):
        backend.run(bell(), shots=0)
    with pytest.raises(AntiphonError, match="meas_level"):
        backend.run(bell(), meas_level=1)
    with pytest.raises(ProgramError, match="str"):
        backend.run(["OPENQASM 3.0;"])
    with pytest.raises(ProgramError):
        backend.run([])
    unmeasured = QuantumCircuit(1)
    unmeasured.h(0)
    with pytest.raises(AntiphonError, match="measure"):
        backend.run(unmeasured)
    with pytest.raises(AntiphonError, match="bogus"):
        backend.run(bell(), bogus=1)
    assert ws.jobs() == []


def test_a_provider_opens_a_folder(tmp_path: Path) -> None:
    provider = AntiphonProvider(tmp_path / "own", workers=1)
    try:
        assert provider.backend().run(bell(), shots=3).result().success
    finally:
        provider.workspace.close()


def test_without_the_sdk_the_extra_is_named() -> None:
    program = "import sys; sys.modules['qiskit'] = None; import antiphon.qiskit"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "MissingExtraError: antiphon.qiskit needs the package qiskit" in done.stderr
    assert 'pip install "antiphon[qiskit]"' in done.stderr
