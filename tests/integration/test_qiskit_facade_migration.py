"""Programs written for IBM's runtime, with only the import line changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def default_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from antiphon.qiskit import AntiphonProvider

    monkeypatch.setenv("ANTIPHON_HOME", str(tmp_path))
    opened = []
    construct = AntiphonProvider.__init__

    def remember(self: AntiphonProvider, *args: object, **settings: object) -> None:
        construct(self, *args, **settings)  # type: ignore[arg-type]
        opened.append(self.workspace)

    monkeypatch.setattr(AntiphonProvider, "__init__", remember)
    yield
    for workspace in opened:
        workspace.close()


def test_hello_world() -> None:
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import SparsePauliOp
    from qiskit.transpiler import generate_preset_pass_manager

    from antiphon.qiskit import AntiphonProvider as QiskitRuntimeService
    from antiphon.qiskit import EstimatorV2 as Estimator

    qc = QuantumCircuit(2)
    qc.h(0)
    qc.cx(0, 1)

    observables_labels = ["IZ", "IX", "ZI", "XI", "ZZ", "XX"]
    observables = [SparsePauliOp(label) for label in observables_labels]

    service = QiskitRuntimeService()
    backend = service.least_busy(operational=True, min_num_qubits=2)

    pm = generate_preset_pass_manager(backend=backend, optimization_level=1)
    isa_circuit = pm.run(qc)
    mapped_observables = [observable.apply_layout(isa_circuit.layout) for observable in observables]

    estimator = Estimator(mode=backend)
    estimator.options.default_shots = 5000
    job = estimator.run([(isa_circuit, mapped_observables)])
    assert job.job_id()
    pub_result = job.result()[0]
    values = pub_result.data.evs
    errors = pub_result.data.stds
    assert values.shape == errors.shape == (6,)
    assert values[4:] == pytest.approx([1, 1])
    assert abs(values[:4]).max() < 0.1


def test_sampler_with_parameters() -> None:
    import numpy as np
    from qiskit.circuit import Parameter, QuantumCircuit
    from qiskit.transpiler import generate_preset_pass_manager

    from antiphon.qiskit import AntiphonProvider as QiskitRuntimeService
    from antiphon.qiskit import SamplerV2 as Sampler

    service = QiskitRuntimeService()
    backend = service.least_busy(operational=True)

    theta = Parameter("theta")
    chsh_circuit = QuantumCircuit(2)
    chsh_circuit.h(0)
    chsh_circuit.cx(0, 1)
    chsh_circuit.ry(theta, 0)
    chsh_circuit.measure_all()
    individual_phases = [[ph] for ph in np.linspace(0, 2 * np.pi, 21)]

    pm = generate_preset_pass_manager(target=backend.target, optimization_level=3)
    isa_circuit = pm.run(chsh_circuit)

    sampler = Sampler(mode=backend)
    job = sampler.run([(isa_circuit, individual_phases)], shots=100)
    result = job.result()
    assert result[0].data.meas.shape == (21,)
    assert set(result[0].data.meas[0].get_counts()) <= {"00", "11"}
    assert set(result[0].data.meas[10].get_counts()) <= {"01", "10"}


def test_vqe_in_a_session() -> None:
    import numpy as np
    from qiskit.circuit.library import efficient_su2
    from qiskit.quantum_info import SparsePauliOp
    from qiskit.transpiler import generate_preset_pass_manager
    from scipy.optimize import minimize

    from antiphon.qiskit import AntiphonProvider as QiskitRuntimeService
    from antiphon.qiskit import EstimatorV2 as Estimator
    from antiphon.qiskit import Session

    service = QiskitRuntimeService()
    backend = service.least_busy(operational=True)
    hamiltonian = SparsePauliOp.from_list([("YZ", 0.3980), ("ZI", -0.3980), ("ZZ", -0.0113), ("XX", 0.1810)])
    ansatz = efficient_su2(hamiltonian.num_qubits, reps=1)
    pm = generate_preset_pass_manager(target=backend.target, optimization_level=3)
    ansatz_isa = pm.run(ansatz)
    hamiltonian_isa = hamiltonian.apply_layout(layout=ansatz_isa.layout)

    def cost_func(params, ansatz, hamiltonian, estimator):  # type: ignore[no-untyped-def]
        pub = (ansatz, [hamiltonian], [params])
        result = estimator.run(pubs=[pub]).result()
        return result[0].data.evs[0]

    x0 = 2 * np.pi * np.random.default_rng(1).random(ansatz.num_parameters)
    with Session(backend=backend) as session:
        estimator = Estimator(mode=session)
        res = minimize(
            cost_func,
            x0,
            args=(ansatz_isa, hamiltonian_isa, estimator),
            method="cobyla",
            options={"maxiter": 60},
        )
    assert session.session_id is not None
    assert len(session.jobs()) == res.nfev
    assert res.fun < -0.6
    assert res.fun >= np.linalg.eigvalsh(hamiltonian.to_matrix())[0] - 1e-9


def test_batch_and_retrieval() -> None:
    from qiskit import QuantumCircuit

    from antiphon.qiskit import AntiphonProvider as QiskitRuntimeService
    from antiphon.qiskit import Batch
    from antiphon.qiskit import SamplerV2 as Sampler

    service = QiskitRuntimeService()
    backend = service.backend("sim.auto")
    circuits = []
    for bit in range(3):
        qc = QuantumCircuit(3)
        qc.x(bit)
        qc.measure_all()
        circuits.append(qc)

    with Batch(backend=backend) as batch:
        sampler = Sampler(mode=batch)
        job_ids = [sampler.run([circuit]).job_id() for circuit in circuits]

    for bit, job_id in enumerate(job_ids):
        job = service.job(job_id)
        assert job.status() == "DONE"
        assert job.session_id == batch.session_id
        counts = job.result()[0].data.meas.get_int_counts()
        assert counts == {1 << bit: 4096}
    assert [job.job_id() for job in service.jobs(session_id=batch.session_id, descending=False)] == job_ids


def test_azure_style() -> None:
    from qiskit import QuantumCircuit

    from antiphon.qiskit import AntiphonProvider as AzureQuantumProvider

    provider = AzureQuantumProvider()
    backend = provider.get_backend("sim.auto")
    circuit = QuantumCircuit(2, 2)
    circuit.name = "Qiskit Sample"
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    with backend.open_session(name="Qiskit Session") as session:
        job1 = backend.run(circuit=circuit, shots=100, job_name="Job 1")
        job1.wait_for_final_state()
        job2 = backend.run(circuit=circuit, shots=100, job_name="Job 2")
        job2.wait_for_final_state()
    assert [job.job.name for job in session.jobs()] == ["Job 1", "Job 2"]
    assert set(job2.result().get_counts(circuit)) == {"00", "11"}
