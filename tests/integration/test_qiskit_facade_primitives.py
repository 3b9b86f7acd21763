from __future__ import annotations

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import (
    BaseEstimatorV2,
    BasePrimitiveJob,
    BaseSamplerV2,
    BitArray,
    PrimitiveResult,
    SamplerPubResult,
    StatevectorEstimator,
)
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import Pauli, PauliList, SparseObservable, SparsePauliOp

from antiphon import NoiseModel, Workspace
from antiphon.errors import AntiphonError, JobCancelledError, LimitError, ObservableError, ParameterError
from antiphon.qiskit import (
    AntiphonBackend,
    AntiphonPrimitiveJob,
    AntiphonProvider,
    EstimatorOptions,
    EstimatorV2,
    SamplerOptions,
    SamplerV2,
)


@pytest.fixture
def provider(ws: Workspace) -> AntiphonProvider:
    return AntiphonProvider(ws)


@pytest.fixture
def backend(provider: AntiphonProvider) -> AntiphonBackend:
    return provider.backend("sim.auto")


def rotation() -> QuantumCircuit:
    """Reads 1 with probability sin²(θ/2)."""
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("θ"), 0)
    circuit.measure_all()
    return circuit


def linked_registers() -> QuantumCircuit:
    """Registers a (two bits, both alike) and b (one bit, the opposite), decided by one coin."""
    circuit = QuantumCircuit(QuantumRegister(3, "q"), ClassicalRegister(2, "a"), ClassicalRegister(1, "b"))
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(0, 2)
    circuit.x(2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


# --- sampler


def test_sampler_of_one_pub(backend: AntiphonBackend) -> None:
    sampler = SamplerV2(mode=backend, options={"seed": 4})
    assert isinstance(sampler, BaseSamplerV2)
    job = sampler.run([linked_registers()], shots=500)
    assert isinstance(job, BasePrimitiveJob)
    result = job.result()
    assert isinstance(result, PrimitiveResult)
    assert isinstance(result[0], SamplerPubResult)
    data = result[0].data
    assert set(data.keys()) == {"a", "b"}
    assert data.a.num_shots == 500
    assert set(data.a.get_counts()) == {"00", "11"}
    assert result[0].metadata["shots"] == 500
    assert result.metadata["job_id"] == job.job_id()
    assert result.metadata["session_id"] is None
    assert set(result.metadata["stages"]) == {"compile", "queue", "execute", "reconcile"}
    assert job.status() == "DONE"
    assert job.done()
    assert job.in_final_state()
    assert not any((job.running(), job.cancelled(), job.errored()))


def test_shots_are_joint_over_registers_and_not_sorted(backend: AntiphonBackend) -> None:
    data = SamplerV2(backend, options={"seed": 8}).run([linked_registers()], shots=400).result()[0].data
    a, b = data.a.get_bitstrings(), data.b.get_bitstrings()
    assert set(zip(a, b, strict=True)) == {("00", "1"), ("11", "0")}
    assert set(BitArray.concatenate_bits([data.a, data.b]).get_counts()) == {"100", "011"}
    assert 50 < a[:200].count("00") < 150


def test_bits_of_a_wide_register_are_in_order(backend: AntiphonBackend) -> None:
    circuit = QuantumCircuit(11, 11)
    circuit.x([0, 9])
    circuit.measure(range(11), range(11))
    bits = SamplerV2(backend).run([circuit], shots=3).result()[0].data.c
    assert bits.num_bits == 11
    assert bits.get_int_counts() == {2**9 + 1: 3}
    assert bits.slice_bits([0]).get_counts() == {"1": 3}


def test_parameter_values_give_the_shape(backend: AntiphonBackend, ws: Workspace) -> None:
    values = np.array([[[0.0], [np.pi]], [[np.pi], [0.0]], [[0.0], [0.0]]])
    result = SamplerV2(backend).run([(rotation(), values)], shots=9).result()[0]
    assert result.data.shape == result.data.meas.shape == (3, 2)
    assert [[result.data.meas[i, j].get_int_counts() for j in range(2)] for i in range(3)] == [
        [{0: 9}, {1: 9}],
        [{1: 9}, {0: 9}],
        [{0: 9}, {0: 9}],
    ]
    assert len(ws.jobs()) == 1


def test_many_pubs_of_all_shapes_are_one_job(backend: AntiphonBackend, ws: Workspace) -> None:
    circuit = rotation()
    sampler = SamplerV2(backend, options=SamplerOptions(default_shots=11))
    pubs = [
        linked_registers(),
        (circuit, np.pi),
        (circuit, [[0.0]], 5),
        (circuit, {"θ": np.zeros((2, 3))}),
        SamplerPub.coerce((circuit, [np.pi, 0.0], 6)),
    ]
    job = sampler.run(pubs, shots=7)
    result = job.result()
    assert [pub.data.shape for pub in result] == [SamplerPub.coerce(pub).shape for pub in pubs]
    assert [pub.metadata["shots"] for pub in result] == [7, 7, 5, 7, 6]
    assert result[1].data.meas.get_int_counts() == {1: 7}
    assert result[4].data.meas.get_int_counts(0) == {1: 6}
    assert [each.id for each in ws.jobs()] == [job.job_id()]
    assert sampler.run([linked_registers()]).result()[0].data.a.num_shots == 11


def test_many_parameters_in_the_circuits_own_order(backend: AntiphonBackend) -> None:
    vector = ParameterVector("v", 12)  # v[10] sorts after v[9], not after v[1]
    circuit = QuantumCircuit(12)
    for qubit in range(12):
        circuit.rx(vector[qubit] * np.pi, qubit)
    circuit.measure_all()
    wanted = [0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0]
    for values in (wanted, {vector: wanted}, {tuple(vector): wanted}):
        counts = SamplerV2(backend).run([(circuit, values)], shots=2).result()[0].data.meas.get_counts()
        assert counts == {"".join(map(str, reversed(wanted))): 2}


def test_sampler_of_a_dynamic_circuit(backend: AntiphonBackend) -> None:
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "mid"), ClassicalRegister(1, "end"))
    circuit.h(0)
    circuit.measure(0, circuit.cregs[0][0])
    with circuit.if_test((circuit.cregs[0], 1)):
        circuit.x(1)
    circuit.measure(1, circuit.cregs[1][0])
    data = SamplerV2(backend).run([circuit], shots=100).result()[0].data
    assert data.mid.get_bitstrings() == data.end.get_bitstrings()


def test_the_same_seed_gives_the_same_shots(backend: AntiphonBackend) -> None:
    def shots(seed: int) -> list[str]:
        sampler = SamplerV2(backend, options={"simulator": {"seed_simulator": seed}})
        bits: list[str] = sampler.run([linked_registers()], shots=64).result()[0].data.a.get_bitstrings()
        return bits

    assert shots(1) == shots(1)
    assert shots(1) != shots(2)


def test_a_sampler_job_of_the_past(backend: AntiphonBackend, provider: AntiphonProvider) -> None:
    sampler = SamplerV2(backend)
    sampler.options.environment.job_tags = ["demo", "b"]
    job = sampler.run([(rotation(), [0.0, np.pi]), linked_registers()], shots=40)
    again = provider.job(job.job_id())
    assert isinstance(again, AntiphonPrimitiveJob)
    assert again.primitive_id == "sampler"
    assert again.tags == ["demo", "b"]
    assert [each.job_id() for each in provider.jobs(job_tags=["demo"])] == [job.job_id()]
    assert provider.jobs(job_tags=["other"]) == []
    first, second = job.result(), again.result()
    assert np.array_equal(first[0].data.meas.array, second[0].data.meas.array)
    assert np.array_equal(first[1].data.a.array, second[1].data.a.array)
    assert again.metrics()["timestamps"]["finished"]
    assert again.usage() > 0
    assert again.creation_date.tzinfo is not None


# --- estimator


def test_estimator_is_exact_unless_a_precision_is_asked_for(backend: AntiphonBackend) -> None:
    circuit = efficient_su2(4, reps=1)
    observable = SparsePauliOp(["ZZII", "XIXI", "YIIY"], [0.5, -1.0, 2.0])
    values = np.linspace(0, 1, circuit.num_parameters)
    estimator = EstimatorV2(backend)
    assert isinstance(estimator, BaseEstimatorV2)
    job = estimator.run([(circuit, observable, values)])
    assert isinstance(job, BasePrimitiveJob)
    result = job.result()[0]
    reference = StatevectorEstimator().run([(circuit, observable, values)]).result()[0]
    assert result.data.evs.shape == ()
    assert float(result.data.evs) == pytest.approx(float(reference.data.evs), abs=1e-9)
    assert float(result.data.stds) == 0.0
    assert result.metadata["shots"] is None
    assert job.status() == "DONE"


def test_precision_gives_shots_and_a_standard_error(backend: AntiphonBackend) -> None:
    circuit = QuantumCircuit(1)
    circuit.ry(1.0, 0)
    estimator = EstimatorV2(backend, options={"seed": 3})
    result = estimator.run([(circuit, "Z")], precision=0.02).result()[0]
    assert result.metadata["shots"] == 2500
    assert result.metadata["target_precision"] == 0.02
    assert float(result.data.stds) == pytest.approx(np.sin(1.0) / 50, rel=0.1)
    assert abs(float(result.data.evs) - np.cos(1.0)) < 5 * 0.02
    told = result.metadata["confidence_interval"]
    assert told["level"] == 0.95
    assert told["low"] < float(result.data.evs) < told["high"]
    assert float(told["high"] - told["low"]) == pytest.approx(4 * np.sin(1.0) / 50, rel=0.1)
    own = estimator.run([(circuit, "Z", None, 0.1)], precision=0.02).result()[0]
    assert own.metadata["shots"] == 100
    estimator.options.default_precision = 0.05
    assert estimator.run([(circuit, "Z")]).result()[0].metadata["shots"] == 400
    estimator.options.default_shots = 123
    assert estimator.run([(circuit, "Z")]).result()[0].metadata["shots"] == 123
    assert estimator.run([(circuit, "Z")], precision=0).result()[0].metadata["shots"] is None
    for wrong in (-1, float("nan"), "0.1"):
        with pytest.raises(LimitError, match="precision"):
            estimator.run([(circuit, "Z")], precision=wrong)  # type: ignore[arg-type]


SHAPES = [((), ()), ((5,), ()), ((), (3,)), ((4,), (4,)), ((4, 1), (3,)), ((2, 1, 3), (4, 1))]


@pytest.mark.parametrize(("of_values", "of_observables"), SHAPES)
def test_values_and_observables_broadcast(
    backend: AntiphonBackend, of_values: tuple[int, ...], of_observables: tuple[int, ...]
) -> None:
    circuit = QuantumCircuit(2)
    theta = ParameterVector("t", 2)
    circuit.ry(theta[0], 0)
    circuit.ry(theta[1], 1)
    circuit.cx(0, 1)
    rng = np.random.default_rng(1)
    values = rng.uniform(0, 3, (*of_values, 2))
    labels = rng.choice(["ZZ", "XI", "IZ", "YY"], of_observables)
    observables = np.vectorize(SparsePauliOp, otypes=[object])(labels).tolist()
    expected = StatevectorEstimator().run([(circuit, observables, values)]).result()[0].data
    data = EstimatorV2(backend).run([(circuit, observables, values)]).result()[0].data
    assert data.shape == data.evs.shape == data.stds.shape == expected.evs.shape
    assert np.allclose(data.evs, expected.evs, atol=1e-9)


def test_every_way_to_write_an_observable(backend: AntiphonBackend) -> None:
    circuit = QuantumCircuit(2)
    circuit.x(0)
    given = [
        ("IZ", -1),
        (Pauli("ZI"), 1),
        (Pauli("-IZ"), 1),
        (SparsePauliOp(["IZ", "ZI"], [2, 3]), 1),
        ({"IZ": 0.5, "ZZ": 0.25}, -0.75),
        (SparseObservable("01"), 1),  # the projector on qubit 1 in 0 and qubit 0 in 1
        ("1I", 0),
        (PauliList(["IZ", "ZI"]), [-1, 1]),
        ([SparsePauliOp("IZ"), "ZI"], [-1, 1]),
    ]
    result = EstimatorV2(backend).run([(circuit, observable) for observable, _ in given]).result()
    for pub, (observable, value) in zip(result, given, strict=True):
        assert pub.data.evs.tolist() == pytest.approx(value), observable
    pub = EstimatorPub.coerce((circuit, ["IZ", "ZI"]))
    assert EstimatorV2(backend).run([pub]).result()[0].data.evs.tolist() == pytest.approx([-1, 1])


def test_an_observable_changed_in_place_is_read_again(backend: AntiphonBackend) -> None:
    circuit = QuantumCircuit(1)
    observable = SparsePauliOp(["Z"], [1.0])
    estimator = EstimatorV2(backend)
    assert estimator.run([(circuit, observable)]).result()[0].data.evs == 1
    observable.coeffs[0] = 0.25
    assert estimator.run([(circuit, observable)]).result()[0].data.evs == 0.25
    circuit.x(0)
    assert estimator.run([(circuit, observable)]).result()[0].data.evs == -0.25


def test_many_estimates_are_one_job_and_can_be_taken_up(
    backend: AntiphonBackend, ws: Workspace, provider: AntiphonProvider
) -> None:
    one, two = QuantumCircuit(1), QuantumCircuit(2)
    two.x(1)
    job = EstimatorV2(backend).run([(one, "Z"), (two, ["IZ", "ZI"])])
    again = provider.job(job.job_id())
    assert isinstance(again, AntiphonPrimitiveJob)
    assert again.primitive_id == "estimator"
    assert [pub.data.evs.tolist() for pub in again.result()] == [1.0, [1.0, -1.0]]
    assert len(ws.jobs()) == 1


def test_one_parameter_may_be_written_without_its_axis(backend: AntiphonBackend) -> None:
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("a"), 0)
    values = [0.0, 0.5, 1.0]
    assert np.allclose(EstimatorV2(backend).run([(circuit, "Z", values)]).result()[0].data.evs, np.cos(values))
    assert EstimatorV2(backend).run([(circuit, "Z", 0.5)]).result()[0].data.evs.shape == ()


# --- what is refused, and options


def test_what_is_refused_and_how(backend: AntiphonBackend, ws: Workspace) -> None:
    sampler, estimator = SamplerV2(backend), EstimatorV2(backend)
    circuit = QuantumCircuit(2)
    with pytest.raises(ValueError, match="wrap it"):
        sampler.run(linked_registers())
    with pytest.raises(ValueError, match="number of values"):
        sampler.run([(rotation(), {("a", "b"): [0.1, 0.2]})])
    with pytest.raises(ValueError, match="not broadcastable"):
        estimator.run([(rotation(), ["Z"] * 2, [0.0] * 3)])
    with pytest.raises(ParameterError, match="NaN"):
        estimator.run([(rotation().remove_final_measurements(inplace=False), "Z", [np.nan])])
    with pytest.raises((ObservableError, ValueError)):
        estimator.run([(circuit, SparsePauliOp("ZZ", 1j))])
    with pytest.raises((ObservableError, ValueError), match=r"qubits"):
        estimator.run([(circuit, SparsePauliOp("Z"))])
    with pytest.raises(LimitError, match="shots"):
        sampler.run([linked_registers()], shots=10**12)
    with pytest.raises(AntiphonError, match="measure"):
        sampler.run([circuit])
    with pytest.raises(AntiphonError):
        sampler.run([])
    assert ws.jobs() == []


def test_options_by_attribute_and_by_dict(backend: AntiphonBackend) -> None:
    sampler = SamplerV2(backend, options={"default_shots": 10, "simulator": {"seed_simulator": 3}})
    assert sampler.options.default_shots == 10
    assert sampler.options.simulator.seed_simulator == 3
    sampler.options.default_shots = 20
    sampler.options.update(max_execution_time=30, environment={"job_tags": ["x"]})
    assert sampler.options["default_shots"] == 20
    job = sampler.run([linked_registers()])
    assert job.result()[0].data.a.num_shots == 20
    assert job.job.facts.spec.max_seconds == 30
    assert job.job.seed == 3
    assert job.tags == ["x"]
    sampler.options.resilience_level = 0
    assert EstimatorV2(backend, options=EstimatorOptions(default_precision=0.5)).options.default_precision == 0.5


def test_options_that_are_not_offered(backend: AntiphonBackend) -> None:
    from qiskit_aer.noise import NoiseModel as AerNoiseModel

    estimator = EstimatorV2(backend)
    with pytest.raises(AntiphonError, match="default_precision"):
        estimator.options.default_precison = 0.1
    with pytest.raises(AntiphonError, match="error mitigation"):
        estimator.options.resilience_level = 2
    with pytest.raises(AntiphonError, match="dynamical decoupling"):
        estimator.options.dynamical_decoupling.enable = True
    with pytest.raises(AntiphonError, match="twirling"):
        EstimatorV2(backend, options={"twirling": {"enable_gates": True}})
    with pytest.raises(AntiphonError, match="noise model"):
        estimator.options.simulator.noise_model = AerNoiseModel()
    with pytest.raises(AntiphonError, match="list"):
        EstimatorV2(backend, options=[1])  # type: ignore[arg-type]


def test_a_noise_model_is_applied(backend: AntiphonBackend) -> None:
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    sampler = SamplerV2(backend, options={"simulator": {"noise_model": NoiseModel(readout_p01=1.0)}})
    assert sampler.run([circuit], shots=5).result()[0].data.meas.get_counts() == {"1": 5}


def test_cancel(backend: AntiphonBackend) -> None:
    circuit = QuantumCircuit(1, 1)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.reset(0)
        circuit.measure(0, 0)
    job = SamplerV2(backend).run([circuit], shots=1)
    assert job.status() in {"QUEUED", "RUNNING"}
    job.cancel()
    job.wait_for_final_state(timeout=30)
    assert job.status() == "CANCELLED"
    assert job.cancelled()
    with pytest.raises(JobCancelledError):
        job.result()
    assert job.error_message()
