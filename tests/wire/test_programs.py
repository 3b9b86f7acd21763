"""What each front end sends, run on targets of ours and on names of others."""

from __future__ import annotations

import json
import math

import cirq
import pytest
from azure.core.exceptions import HttpResponseError
from azure.quantum import JobStatus, Workspace
from azure.quantum.argument_types import Range, Result
from azure.quantum.cirq import AzureQuantumService
from azure.quantum.qiskit import AzureQuantumProvider
from azure.quantum.target.params import InputParams
from azure.quantum.target.pasqal import Pasqal
from azure.quantum.target.rigetti import Rigetti
from qiskit import QuantumCircuit

from wire_programs import QIR, compiled, ended, qsharp, target_of, unique, with_parameters

ADAPTIVE = qsharp.TargetProfile.Adaptive_RI


@pytest.mark.parametrize(
    "name", ["sim.auto", "sim.statevector", "ionq.simulator", "quantinuum.sim.h2-1sc", "rigetti.sim.qvm"]
)
def test_q_sharp_base_profile(workspace: Workspace, name: str) -> None:
    job = ended(target_of(workspace, name).submit(compiled("Pair()"), unique("pair"), shots=50))
    found = job.get_results_histogram()
    assert set(found) <= {"[0, 0]", "[1, 1]"}
    assert sum(each["count"] for each in found.values()) == 50
    assert len(job.get_results_shots()) == 50
    assert sum(job.get_results().values()) == pytest.approx(1)


@pytest.mark.parametrize("name", ["sim.statevector", "quantinuum.sim.h2-1sc"])
def test_an_adaptive_program_gives_its_tuple(workspace: Workspace, name: str) -> None:
    job = ended(target_of(workspace, name).submit(compiled("Walk(5)", ADAPTIVE), unique("walk"), shots=40))
    shots = job.get_results_shots()
    assert len(shots) == 40
    assert {(more, last) for _, more, last in shots} == {(False, 1)}
    assert {ones for ones, _, _ in shots} <= set(range(6))


def test_a_profile_beyond_the_targets_is_a_failed_job_that_says_so(workspace: Workspace) -> None:
    job = ended(target_of(workspace, "ionq.simulator").submit(compiled("Walk(5)", ADAPTIVE), unique("walk"), shots=4))
    assert job.details.status == JobStatus.FAILED
    assert "rofile" in job.details.error_data.message


def test_a_batch_of_three_has_three_results(workspace: Workspace) -> None:
    job = ended(
        target_of(workspace, "sim.statevector").submit(
            compiled("Flip()"),
            unique("batch"),
            shots=11,
            input_params={"items": [{"entryPoint": "ENTRYPOINT__main", "arguments": []}] * 3},
        )
    )
    assert job.details.status == JobStatus.SUCCEEDED
    histograms = job.get_results_histogram()
    assert [each["1"]["count"] for each in histograms] == [11, 11, 11]
    assert [len(each) for each in job.get_results_shots()] == [11, 11, 11]
    assert job.get_results() == {"1": 1.0}


def test_a_batch_through_the_clients_own_parameters(workspace: Workspace) -> None:
    target = target_of(workspace, "sim.statevector")
    params = InputParams(num_items=3)
    params.shots = 11
    for number in range(3):
        params.items[number].entry_point = "ENTRYPOINT__main"
    job = ended(target.submit(compiled("Flip()"), unique("batch"), input_params=params))
    assert len(job.get_results_histogram()) == 3


def test_arguments_of_the_entry_point(workspace: Workspace) -> None:
    params = InputParams(num_items=2)
    for item, angle, phi in zip((params.items[0], params.items[1]), (math.pi, 0.0), (0.0, math.pi), strict=True):
        item.entry_point = "turn"
        item.arguments["phi"] = phi
        item.arguments["theta"] = angle
    source = with_parameters(theta="double", phi="double")
    for name in ("ionq.simulator", "sim.statevector"):
        job = ended(target_of(workspace, name).submit(source, unique("turn"), shots=20, input_params=params, **QIR))
        assert job.details.status == JobStatus.SUCCEEDED, job.details.error_data
        assert [list(each) for each in job.get_results_histogram()] == [["[1, 0]"], ["[0, 1]"]]


def test_an_argument_that_decides(workspace: Workspace) -> None:
    params = InputParams()
    params.entry_point = "turn"
    params.arguments["theta"] = math.pi
    params.arguments["flip"] = True
    source = with_parameters(flip="bool", theta="double")
    target = target_of(workspace, "quantinuum.sim.h2-1sc")
    job = ended(target.submit(source, unique("flip"), shots=20, input_params=params, **QIR))
    assert job.get_results_histogram() == {"[1, 1]": {"outcome": [1, 1], "count": 20}}


@pytest.mark.parametrize(
    ("value", "said"), [(Result.One, "type Result"), (Range(0, 3), "type Range"), ([1, 2], "type Array"), (3, "double")]
)
def test_an_argument_that_cannot_be_given_is_named(workspace: Workspace, value: object, said: str) -> None:
    params = InputParams()
    params.entry_point = "turn"
    params.arguments["theta"] = value
    source = with_parameters(theta="double")
    job = ended(target_of(workspace, "ionq.simulator").submit(source, unique("turn"), input_params=params, **QIR))
    assert job.details.status == JobStatus.FAILED
    assert said in job.details.error_data.message


def test_a_noisy_target_shows_its_noise(workspace: Workspace) -> None:
    circuit = QuantumCircuit(2, 2)
    for _ in range(60):
        circuit.cx(0, 1)
        circuit.cx(0, 1)
        circuit.barrier()
    circuit.measure([0, 1], [0, 1])
    provider = AzureQuantumProvider(workspace)
    exact, noisy = (
        provider.get_backend(name).run(circuit, shots=500).result(timeout=60).get_counts()
        for name in ("qci.simulator", "qci.simulator.noisy")
    )
    assert exact == {"00": 500}
    assert len(noisy) > 1


@pytest.mark.parametrize(
    "name", ["sim.auto", "sim.statevector", "ionq.simulator", "quantinuum.sim.h2-1sc", "rigetti.sim.qvm"]
)
def test_qiskit_with_two_registers(workspace: Workspace, name: str) -> None:
    from qiskit import ClassicalRegister, QuantumRegister

    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(2, "low"), ClassicalRegister(1, "high"))
    circuit.x(0)
    circuit.measure([0, 1, 2], [0, 1, 2])
    backend = AzureQuantumProvider(workspace).get_backend(name)
    result = backend.run(circuit, shots=30, job_name=unique("registers")).result(timeout=60)
    assert result.get_counts() == {"0 01": 30}


def test_qiskit_in_ionqs_own_format(workspace: Workspace) -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.x(1)
    circuit.measure([0, 1], [0, 1])
    backend = AzureQuantumProvider(workspace).get_backend(
        "ionq.simulator", input_data_format="ionq.circuit.v1", gateset="qis"
    )
    result = backend.run(circuit, shots=30).result(timeout=60)
    assert result.get_counts() == {"10": 30}


TURNED = {
    "qubits": 2,
    "circuit": [
        {"gate": "rx", "target": 0, "rotation": 0.7},
        {"gate": "cnot", "control": 0, "target": 1},
        {"gate": "ry", "target": 1, "rotation": 1.1},
    ],
}


def test_ionqs_simulator_gives_exact_probabilities(workspace: Workspace) -> None:
    def histogram(name: str, shots: int, **params: object) -> dict[str, float]:
        formats = {"input_data_format": "ionq.circuit.v1", "output_data_format": "ionq.quantum-results.v1"}
        job = target_of(workspace, name).submit(
            TURNED, unique("exact"), shots=shots, input_params=params, content_type="application/json", **formats
        )
        found: dict[str, float] = ended(job).get_results()["histogram"]
        return found

    one, both = math.sin(0.35) ** 2, math.sin(0.55) ** 2
    expected = {"0": (1 - one) * (1 - both), "1": one * both, "2": (1 - one) * both, "3": one * (1 - both)}
    assert histogram("ionq.simulator", 10) == pytest.approx(expected, abs=1e-12)
    assert histogram("ionq.simulator", 10) == histogram("ionq.simulator", 1_000)
    # A device counts shots, and so does what has noise.
    noise = {"depolarizing_2q": 0.01}
    for counted in (histogram("ionq.qpu.aria-1", 10), histogram("sim.auto", 10, noise=noise)):
        assert all((10 * value).is_integer() for value in counted.values())


def test_qiskit_samples_ionqs_exact_probabilities(workspace: Workspace) -> None:
    circuit = QuantumCircuit(3, 3)
    circuit.ry(1.0, 2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    backend = AzureQuantumProvider(workspace).get_backend(
        "ionq.simulator", input_data_format="ionq.circuit.v1", gateset="qis"
    )
    [result] = backend.run(circuit, shots=7).result(timeout=60).results
    assert result.data.probabilities == pytest.approx({"000": math.cos(0.5) ** 2, "100": math.sin(0.5) ** 2})
    assert sum(result.data.counts.values()) == 7


def test_cirq_on_ionq(workspace: Workspace) -> None:
    q0, q1 = cirq.LineQubit.range(2)
    circuit = cirq.Circuit(cirq.X(q0), cirq.measure(q0, key="a"), cirq.measure(q1, key="b"))
    result = AzureQuantumService(workspace).run(
        program=circuit, repetitions=20, target="ionq.simulator", timeout_seconds=60
    )
    assert result.measurements["a"].tolist() == [[1]] * 20
    assert result.measurements["b"].tolist() == [[0]] * 20


@pytest.mark.parametrize("name", ["sim.statevector", "rigetti.sim.qvm", "quantinuum.sim.h2-1sc"])
def test_cirq_elsewhere(workspace: Workspace, name: str) -> None:
    q0, q1 = cirq.LineQubit.range(2)
    circuit = cirq.Circuit(cirq.X(q0), cirq.measure(q0, key="a"), cirq.measure(q0, q1, key="b"))
    service = AzureQuantumService(workspace)
    result = service.run(program=circuit, repetitions=20, target=name, timeout_seconds=60)
    assert result.measurements["a"].tolist() == [[1]] * 20
    assert result.measurements["b"].tolist() == [[1, 0]] * 20


def test_openqasm_on_quantinuum(workspace: Workspace) -> None:
    source = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; x q[0]; measure q -> c;'
    job = ended(
        target_of(workspace, "quantinuum.sim.h2-1sc").submit(
            source,
            unique("qasm"),
            shots=10,
            input_data_format="honeywell.openqasm.v1",
            output_data_format="honeywell.quantum-results.v1",
            content_type="application/qasm",
        )
    )
    assert job.get_results() == {"c": ["01"] * 10}


def test_quil_is_refused_with_the_way_out(workspace: Workspace) -> None:
    job = ended(Rigetti(workspace, "rigetti.sim.qvm").submit("DECLARE ro BIT[1]\nX 0\nMEASURE 0 ro[0]", unique("quil")))
    assert job.details.status == JobStatus.FAILED
    assert job.details.error_data.code == "input-format-unknown"
    assert "Quil" in job.details.error_data.message
    assert "QIR" in job.details.error_data.message


@pytest.mark.parametrize("name", ["pasqal.sim.emu-tn", "pasqal.qpu.fresnel"])
def test_pasqals_names_are_refused_with_the_way_out(workspace: Workspace, name: str) -> None:
    sequence = json.dumps({"sequence_builder": "{}"})
    target = Pasqal(workspace, name)
    with pytest.raises(HttpResponseError) as caught:
        target.submit(sequence, unique("pulses"), shots=10)
    with pytest.raises(HttpResponseError) as of_session:
        target.open_session(name=unique("pulses"))
    for error in (caught.value, of_session.value):
        assert (error.status_code, error.error.code) == (404, "ResourceNotFound")
        for said in (name, "Pulser", "QIR", "sim.auto"):
            assert said in error.message
    assert workspace.get_targets(name) == []


def test_several_circuits_in_one_ionq_input(workspace: Workspace) -> None:
    """No front end of Microsoft's sends them: its Cirq serialises a single one, its Qiskit refuses a second."""
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    backend = AzureQuantumProvider(workspace).get_backend(
        "ionq.simulator", input_data_format="ionq.circuit.v1", gateset="qis"
    )
    with pytest.raises(NotImplementedError):
        backend.run([circuit, circuit], shots=10)
    both = {"gateset": "qis", "qubits": 1, "circuits": [{"circuit": [{"gate": "x", "target": 0}]}] * 2}
    job = ended(target_of(workspace, "ionq.simulator").submit(both, unique("several"), shots=10))
    assert job.details.status == JobStatus.FAILED
    assert job.details.error_data.code == "items-unsupported"
    assert "several circuits" in job.details.error_data.message
    assert "job of its own" in job.details.error_data.message


def test_pulses_elsewhere_are_refused_with_the_way_out(workspace: Workspace) -> None:
    formats = {"input_data_format": "pasqal.pulser.v1", "output_data_format": "pasqal.pulser-results.v1"}
    job = ended(target_of(workspace, "sim.auto").submit("{}", unique("pulses"), **formats))
    assert job.details.status == JobStatus.FAILED
    assert "Pulser" in job.details.error_data.message
    assert "QIR" in job.details.error_data.message


def test_targets_say_what_they_are(workspace: Workspace) -> None:
    own = target_of(workspace, "sim.statevector")
    assert own.provider_id == "antiphon"
    backend = AzureQuantumProvider(workspace).get_backend("sim.statevector")
    assert backend.configuration().n_qubits == 29 if hasattr(backend, "configuration") else backend.num_qubits == 29


def test_names_of_others_say_that_they_are_emulated(workspace: Workspace) -> None:
    """The raw listing: the client's target objects keep no metadata."""
    found = {
        target.id: target
        for provider in workspace._client.services.providers.list(
            subscription_id=workspace.subscription_id,
            resource_group_name=workspace.resource_group,
            workspace_name=workspace.name,
        )
        for target in provider.targets
    }
    said = found["quantinuum.qpu.h2-1"].metadata
    assert said["emulation"] is True
    assert said["emulatedBy"] == "sim.auto"
    assert found["sim.auto"].metadata["emulation"] is False
