from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import cirq
import numpy as np
import pytest
import sympy
from duet import pmap_async  # type: ignore[attr-defined]
from duet import run as run_duet  # type: ignore[attr-defined]

from antiphon import JobStatus, NoiseModel, Workspace
from antiphon.cirq import AntiphonJob, AntiphonSampler, Service
from antiphon.errors import (
    AntiphonError,
    JobCancelledError,
    JobFailedError,
    LimitError,
    NotFoundError,
    ParameterError,
    ProgramError,
    SessionEndedError,
    UnsupportedProgramError,
    WaitTimeoutError,
)

A, B, C = cirq.LineQubit.range(3)
T = sympy.Symbol("t")


@pytest.fixture
def service(ws: Workspace) -> Service:
    return Service(ws)


@pytest.fixture
def sampler(service: Service) -> AntiphonSampler:
    return service.sampler(seed=11)


def turned(key: str = "out") -> cirq.Circuit:
    return cirq.Circuit(cirq.X(A) ** T, cirq.measure(A, key=key))


def bell() -> cirq.Circuit:
    return cirq.Circuit(cirq.H(A), cirq.CNOT(A, B), cirq.measure(A, B, key="m"))


def endless() -> cirq.Circuit:
    loop = cirq.CircuitOperation(
        cirq.FrozenCircuit(cirq.reset(A), cirq.measure(A, key="m")),
        use_repetition_ids=False,
        repeat_until=cirq.KeyCondition(cirq.MeasurementKey("m")),
    )
    return cirq.Circuit(loop)


# --- results


def test_bell(sampler: AntiphonSampler) -> None:
    result = sampler.run(bell(), repetitions=1000)
    assert isinstance(result, cirq.ResultDict)
    assert result.repetitions == 1000
    histogram = result.histogram(key="m")
    assert set(histogram) == {0, 3}
    assert abs(histogram[0] - 500) < 100


def test_keys_and_columns_are_those_of_cirq(sampler: AntiphonSampler) -> None:
    circuit = cirq.Circuit(
        cirq.X(A),
        cirq.X(C),
        cirq.measure(C, B, A, key="mixed"),
        cirq.measure(B, key="late", invert_mask=(True,)),
        cirq.measure(A),
    )
    ours = sampler.run(circuit, repetitions=5)
    theirs = cirq.Simulator().run(circuit, repetitions=5)
    assert ours == theirs
    assert list(ours.measurements) == list(theirs.measurements)
    assert ours.measurements["mixed"].tolist() == [[1, 0, 1]] * 5
    assert ours.measurements["mixed"].dtype == theirs.measurements["mixed"].dtype


def test_only_some_qubits_are_measured(sampler: AntiphonSampler) -> None:
    circuit = cirq.Circuit(cirq.X(A), cirq.H(B), cirq.CNOT(B, C), cirq.measure(A, key="a"))
    assert sampler.run(circuit, repetitions=20).measurements["a"].tolist() == [[1]] * 20
    circuit = cirq.Circuit(cirq.H(A), cirq.CNOT(A, B), cirq.measure(A))
    assert set(sampler.run(circuit, repetitions=50).histogram(key="q(0)")) == {0, 1}


def test_shots_are_joint_over_keys_and_not_sorted(sampler: AntiphonSampler) -> None:
    circuit = cirq.Circuit(cirq.H(A), cirq.CNOT(A, B), cirq.measure(A, key="a"), cirq.measure(B, key="b"))
    result = sampler.run(circuit, repetitions=400)
    assert np.array_equal(result.measurements["a"], result.measurements["b"])
    assert 50 < int(result.measurements["a"][:200].sum()) < 150


def test_a_key_measured_several_times_gives_records(sampler: AntiphonSampler) -> None:
    circuit = cirq.Circuit(
        cirq.measure(A, B, key="m"), cirq.X(A), cirq.measure(A, B, key="m"), cirq.X(B), cirq.measure(A, B, key="m")
    )
    result = sampler.run(circuit, repetitions=4)
    assert result == cirq.Simulator().run(circuit, repetitions=4)
    assert result.records["m"].shape == (4, 3, 2)
    assert result.records["m"][0].tolist() == [[0, 0], [1, 0], [1, 1]]
    with pytest.raises(ValueError, match="repeated keys"):
        _ = result.measurements


def test_a_key_may_look_like_a_further_record(sampler: AntiphonSampler) -> None:
    circuit = cirq.Circuit(cirq.X(B), cirq.measure(A, key="m"), cirq.measure(B, key="m[1]"))
    result = sampler.run(circuit, repetitions=2)
    assert {key: value.tolist() for key, value in result.measurements.items()} == {"m": [[0]] * 2, "m[1]": [[1]] * 2}


def test_sub_circuits_keep_their_keys(sampler: AntiphonSampler) -> None:
    turn = cirq.FrozenCircuit(cirq.X(A), cirq.measure(A, key="m"))
    circuit = cirq.Circuit(cirq.CircuitOperation(turn, repetitions=2, use_repetition_ids=True))
    result = sampler.run(circuit, repetitions=3)
    assert result == cirq.Simulator().run(circuit, repetitions=3)
    assert list(result.records) == ["0:m", "1:m"]


def test_classical_controls(sampler: AntiphonSampler) -> None:
    circuit = cirq.Circuit(
        cirq.H(A), cirq.measure(A, key="a"), cirq.X(B).with_classical_controls("a"), cirq.measure(B, key="b")
    )
    result = sampler.run(circuit, repetitions=100)
    assert np.array_equal(result.measurements["a"], result.measurements["b"])
    assert set(result.histogram(key="a")) == {0, 1}


# --- sweeps and batches


SWEEPS: list[tuple[Any, list[float]]] = [
    (cirq.Points("t", [0, 1, 0]), [0, 1, 0]),
    (cirq.Linspace("t", 0, 2, 3), [0, 1, 2]),
    ([{"t": 1}, {"t": 0}], [1, 0]),
    ({"t": 1}, [1]),
    (cirq.Product(cirq.Points("t", [0, 1]), cirq.Points("other", [5, 6])), [0, 0, 1, 1]),
    (cirq.Zip(cirq.Points("t", [1, 0]), cirq.Points("other", [5, 6])), [1, 0]),
    ([cirq.Points("t", [1]), cirq.Linspace("t", 0, 1, 2)], [1, 0, 1]),
    (cirq.ParamResolver({"t": sympy.Symbol("u") / 2, "u": 2}), [1]),
]


@pytest.mark.parametrize(("sweep", "values"), SWEEPS)
def test_a_sweep_is_one_job(sampler: AntiphonSampler, ws: Workspace, sweep: Any, values: list[float]) -> None:
    results = sampler.run_sweep(turned(), sweep, repetitions=6)
    assert [result.histogram(key="out") for result in results] == [Counter({int(value % 2): 6}) for value in values]
    assert [result.params for result in results] == list(cirq.to_resolvers(sweep))
    assert len(ws.jobs()) == 1


def test_points_that_the_circuit_does_not_depend_on(sampler: AntiphonSampler, ws: Workspace) -> None:
    results = sampler.run_sweep(bell(), cirq.Linspace("x", 0, 1, 4), repetitions=3)
    assert [result.params.value_of("x") for result in results] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert all(result.repetitions == 3 for result in results)
    assert len(ws.jobs()) == 1


def test_an_empty_sweep_runs_nothing(sampler: AntiphonSampler, ws: Workspace) -> None:
    assert sampler.run_sweep(turned(), [], repetitions=3) == []
    assert sampler.run_batch([]) == []
    assert ws.jobs() == []


def test_a_batch_is_one_job(sampler: AntiphonSampler, ws: Workspace) -> None:
    results = sampler.run_batch(
        [turned(), turned("other"), bell()],
        [cirq.Points("t", [0, 1]), {"t": 1}, None],
        [2, 3, 4],
    )
    assert [len(each) for each in results] == [2, 1, 1]
    assert [result.repetitions for each in results for result in each] == [2, 2, 3, 4]
    assert results[0][1].histogram(key="out") == Counter({1: 2})
    assert results[1][0].histogram(key="other") == Counter({1: 3})
    assert len(ws.jobs()) == 1
    with pytest.raises(ValueError, match="must match"):
        sampler.run_batch([bell()], [None, None])


def test_sample_gives_a_data_frame(sampler: AntiphonSampler) -> None:
    circuit = cirq.Circuit(cirq.X(A) ** T, cirq.CNOT(A, B), cirq.measure(A, B, C, key="out"))
    frame = sampler.sample(circuit, repetitions=2, params=[{"t": 0}, {"t": 1}])
    expected = cirq.Simulator().sample(circuit, repetitions=2, params=[{"t": 0}, {"t": 1}])
    assert frame.equals(expected)


def test_expectation_values_through_the_base_class(sampler: AntiphonSampler) -> None:
    circuit = cirq.Circuit(cirq.ry(T)(A), cirq.CNOT(A, B))
    observables: list[Any] = [cirq.Z(A) * cirq.Z(B), cirq.Z(A) + 0.5 * cirq.X(A) * cirq.X(B)]
    values = sampler.sample_expectation_values(
        circuit, observables, num_samples=2000, params=[{"t": 0.0}, {"t": np.pi / 2}]
    )
    assert np.array(values) == pytest.approx(np.array([[1, 1], [1, 0.5]]), abs=0.1)


def test_a_pauli_sum_collector(sampler: AntiphonSampler) -> None:
    collector = cirq.PauliSumCollector(
        cirq.Circuit(cirq.H(A), cirq.CNOT(A, B)),
        cirq.X(A) * cirq.X(B) - 2 * cirq.Z(A) * cirq.Z(B) + 0.25,
        samples_per_term=60,
        max_samples_per_job=20,
    )
    collector.collect(sampler, concurrency=4)
    assert collector.estimated_energy() == pytest.approx(-0.75)


def test_runs_under_way_at_the_same_time(service: Service) -> None:
    async def both() -> list[Any]:
        samplers = [service.sampler(execution="process") for _ in range(3)]
        return list(await pmap_async(lambda each: each.run_async(bell(), repetitions=5), samplers))

    results = run_duet(both)
    assert [result.repetitions for result in results] == [5, 5, 5]
    assert all(job.execution_status() is JobStatus.SUCCEEDED for job in service.list_jobs())


def test_seeds(service: Service) -> None:
    def shots(seed: int | None, runs: int) -> list[list[int]]:
        sampler = service.sampler(seed=seed)
        return [sampler.run(bell(), repetitions=64).measurements["m"][:, 0].tolist() for _ in range(runs)]

    assert shots(1, 2) == shots(1, 2)
    first, second = shots(1, 2)
    assert first != second
    assert shots(1, 1) != shots(2, 1)
    assert shots(None, 1) != shots(None, 1)


def test_noise(service: Service) -> None:
    circuit = cirq.Circuit(cirq.measure(A, key="m"))
    noisy = service.sampler(noise=NoiseModel(readout_p01=1.0))
    assert noisy.run(circuit, repetitions=5).histogram(key="m") == Counter({1: 5})
    with pytest.raises(ProgramError, match="noise model"):
        service.sampler(noise=cirq.depolarize(0.1)).run(circuit)  # type: ignore[arg-type]


# --- service and jobs


def test_a_job_and_its_life(service: Service) -> None:
    job = service.create_job(turned(), repetitions=7, name="turn", param_resolver={"t": 1}, seed=3)
    assert isinstance(job, AntiphonJob)
    (result,) = job.results()
    assert result.histogram(key="out") == Counter({1: 7})
    assert job.execution_status() is job.status() is JobStatus.SUCCEEDED
    assert (job.name(), job.target(), job.repetitions(), job.failure()) == ("turn", "sim.auto", 7, None)
    assert job.id() == job.job_id()
    again = service.get_job(job.job_id())
    assert again.results() == [result]
    assert [each.job_id() for each in service.list_jobs("succeeded")] == [job.job_id()]
    assert service.run(turned(), 5, param_resolver={"t": 1}).histogram(key="out") == Counter({1: 5})
    with pytest.raises(NotFoundError):
        service.get_job("job_nowhere")


def test_a_batch_of_the_past_has_its_keys_and_parameters(service: Service) -> None:
    repeated = cirq.Circuit(cirq.measure(A, key="m"), cirq.X(A), cirq.measure(A, key="m"), cirq.measure(B, key="k[1]"))
    job = service.create_batch_job([bell(), repeated], repetitions=9, metadata={"why": "test"})
    again = service.get_job(job.job_id())
    assert again.batched_results() == job.batched_results()
    assert again.labels() == {"why": "test"}
    sweep = service.create_job(turned(), 4, param_resolver=cirq.Points("t", [0.0, 1.0]))
    assert service.get_job(sweep.job_id()).results() == sweep.results()
    estimate = service.workspace.target("sim.auto").estimate(cirq.Circuit(cirq.X(A)), cirq.Z(A))
    with pytest.raises(AntiphonError, match="no samples"):
        service.get_job(estimate.id).results()


def test_targets(service: Service) -> None:
    assert service.get_target().name == "sim.auto"
    assert "sim.stabilizer" in [target.name for target in service.targets()]
    assert service.get_target("sim.mps") is service.get_target("sim.mps")
    job = service.get_target("sim.stabilizer").submit(bell(), name="cirq-job", repetitions=10)
    assert set(job.results()[0].histogram(key="m")) <= {0, 3}
    assert job.target() == "sim.stabilizer"
    with pytest.raises(NotFoundError, match=r"sim\.mps"):
        service.get_target("sim.mp")


def test_a_session(service: Service, sampler: AntiphonSampler) -> None:
    with service.open_session(name="tuning") as session:
        assert session.id
        sampler.run(bell(), repetitions=3)
        sampler.run_sweep(turned(), cirq.Points("t", [0, 1]), repetitions=3)
        sampler.run_batch([bell(), bell()], repetitions=3)
        job = service.create_job(bell(), 3)
        elsewhere = service.sampler("sim.mps")
        elsewhere.run(bell(), repetitions=2)
    kinds = [each.kind.value for each in session.jobs()]
    assert kinds == ["sample", "sweep", "batch", "sample"]
    assert session.jobs()[-1].id == job.job_id()
    assert service.create_job(bell(), 3).job.session_id is None
    with service.get_target().open_session() as session:
        service.workspace.session(session.id).close()
        with pytest.raises(SessionEndedError, match="it was closed"):
            sampler.run(bell())


def test_cancel_and_the_reason(service: Service) -> None:
    job = service.create_job(endless(), 1)
    with pytest.raises(WaitTimeoutError):
        job.results(timeout_seconds=0.05)
    job.cancel()
    with pytest.raises(JobCancelledError):
        job.results(timeout_seconds=30)
    assert job.failure() is not None
    job = service.create_job(endless(), 1, max_seconds=0.3)
    with pytest.raises(JobFailedError):
        job.results(timeout_seconds=30)
    failure = job.failure()
    assert failure is not None
    assert failure[0] == "worker-timeout"


def test_a_failing_run_raises_in_the_one_who_awaits(service: Service) -> None:
    with pytest.raises(JobFailedError):
        service.sampler(max_seconds=0.3).run(endless())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("await ")]


REFUSED: list[tuple[Callable[[AntiphonSampler], Any], type[AntiphonError], str]] = [
    (lambda sampler: sampler.run(turned(), {"s": 1}), ParameterError, "t"),
    (lambda sampler: sampler.run(bell(), repetitions=0), LimitError, "shots"),
    (lambda sampler: sampler.run(cirq.Circuit(cirq.H(A))), AntiphonError, "measure"),
    (
        lambda sampler: sampler.run(cirq.Circuit(cirq.depolarize(0.1)(A), cirq.measure(A))),
        UnsupportedProgramError,
        "noise",
    ),
    (lambda sampler: sampler.run("OPENQASM 3.0;"), ProgramError, "Cirq circuit"),  # type: ignore[arg-type]
    (lambda sampler: sampler.run(turned(), {"t": float("nan")}), ParameterError, "NaN"),
]


@pytest.mark.parametrize(("run", "kind", "words"), REFUSED)
def test_what_is_refused_and_how(
    sampler: AntiphonSampler,
    ws: Workspace,
    run: Callable[[AntiphonSampler], Any],
    kind: type[AntiphonError],
    words: str,
) -> None:
    with pytest.raises(kind, match=words):
        run(sampler)
    assert ws.jobs() == []


def test_a_target_that_does_not_exist(ws: Workspace) -> None:
    with pytest.raises(NotFoundError, match=r"sim\.auto"):
        Service(ws, default_target="sim.aut")


def test_without_the_sdk_the_extra_is_named() -> None:
    program = "import sys; sys.modules['cirq'] = None; import antiphon.cirq"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "MissingExtraError: antiphon.cirq needs the package cirq-core" in done.stderr
    assert 'pip install "antiphon[cirq]"' in done.stderr


def test_a_name_is_no_target() -> None:
    with pytest.raises(AntiphonError, match=r"'sim\.auto' is not a target") as caught:
        AntiphonSampler("sim.auto")  # type: ignore[arg-type]
    assert "Workspace()" in (caught.value.next_step or "")
