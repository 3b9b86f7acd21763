import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from antiphon.adapters.targets.sim import build_drivers
from antiphon.domain.circuits import Affine, Circuit, Gate, Measure, Reset
from antiphon.domain.observables import Observable
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.programs import Profile, ProgramFormat
from antiphon.domain.results import Sampled
from antiphon.domain.work import JobKind, Pub, Work
from antiphon.errors import (
    AntiphonError,
    LimitError,
    ObservableError,
    ParameterError,
    ProgramError,
    UnsupportedProgramError,
)
from reference_simulator import expectation
from sim_work import (
    circuit_of,
    counts_of,
    estimated,
    estimating,
    program_of,
    sampling,
    sets_of,
    teleportation,
)

DRIVERS = build_drivers()
AUTO = DRIVERS["sim.auto"]

BELL = circuit_of(2, 2, Gate("h", (0,)), Gate("cx", (0, 1)), Measure(0, 0), Measure(1, 1))
TURN = Circuit(1, (), ("θ",), (Gate("ry", (0,), (Affine(0.0, ((0, 1.0),)),)),))
Z = Observable(1, (("Z", 1.0),))
X = Observable(1, (("X", 1.0),))


def many_angles(num_qubits: int = 6) -> Circuit:
    operations = []
    for index in range(4 * num_qubits):
        operations.append(Gate("ry", (index % num_qubits,), (Affine(0.1, ((index, 1.0),)),)))
        operations.append(Gate("cx", (index % num_qubits, (index + 1) % num_qubits)))
    return Circuit(num_qubits, (), tuple(f"t{index}" for index in range(4 * num_qubits)), tuple(operations))


def test_parameters_and_observables_broadcast_like_numpy() -> None:
    angles = np.linspace(0.1, 1.5, 3)
    work = estimating(TURN, [Z, X], angles.reshape(3, 1, 1), shape=(2,))
    execution = AUTO.execute(work, AUTO.plan(work))
    found = estimated(execution)
    assert found.shape == (3, 2)
    np.testing.assert_allclose(
        np.array(found.values).reshape(3, 2), np.stack([np.cos(angles), np.sin(angles)], axis=1), atol=1e-12
    )
    assert execution.provenance["num_calls"] == 3  # each state once, all observables on it


def test_a_sweep_of_counts_has_one_mapping_for_each_set() -> None:
    circuit = replace(TURN, registers=circuit_of(1, 1).registers, operations=(*TURN.operations, Measure(0, 0)))
    angles = np.linspace(0, math.pi, 5)
    work = sampling(circuit, angles.reshape(5, 1))
    outcome = AUTO.execute(work, AUTO.plan(work)).outcomes[0]
    assert isinstance(outcome, Sampled)
    assert outcome.shape == (5,)
    assert len(outcome.counts) == 5
    assert outcome.counts[0] == {"0": 1000}
    assert outcome.counts[4] == {"1": 1000}
    assert abs(outcome.counts[2]["1"] - 500) < 80
    assert outcome.counts[1] != outcome.counts[3]


def test_a_long_sweep_is_evaluated_block_by_block() -> None:
    angles = np.linspace(0, 7, 2500)
    found = estimated(AUTO.execute(work := estimating(TURN, Z, angles.reshape(-1, 1)), AUTO.plan(work)))
    np.testing.assert_allclose(found.values, np.cos(angles), atol=1e-12)


def test_a_batch_keeps_order_and_seeds_apart() -> None:
    program = program_of(BELL)
    pubs = tuple(Pub(program, sets_of(BELL), 500, seed) for seed in (1, 2, 1))
    work = Work(JobKind.BATCH, (*pubs, Pub(program_of(teleportation(), Profile.ADAPTIVE), sets_of(BELL), 10, 3)))
    plan = AUTO.plan(work)
    assert plan.engine == ("lightning", "lightning", "lightning", "branching")
    execution = AUTO.execute(work, plan)
    first, second, third, last = execution.outcomes
    assert first == third
    assert first != second
    assert isinstance(last, Sampled)
    assert sum(last.counts[0].values()) == 10
    assert execution.provenance["engine"] == "lightning | branching"


def test_angles_are_not_rounded() -> None:
    tiny = 1e-9
    circuit = circuit_of(1, 0, *(Gate("rx", (0,), (tiny,)) for _ in range(100)))
    found = estimated(AUTO.execute(work := estimating(circuit, Observable(1, (("Y", 1.0),))), AUTO.plan(work)))
    assert found.values[0] == pytest.approx(-math.sin(100 * tiny), rel=1e-9)


def test_provenance_says_what_ran_and_why() -> None:
    work = sampling(BELL)
    plan = AUTO.plan(work)
    told = AUTO.execute(work, plan).provenance
    assert told["engine"] == "lightning"
    assert "pennylane-lightning 0." in told["engine_version"]
    assert told["why"] == plan.reason[0]
    assert told["precision"] == "double"
    assert told["num_calls"] == 1
    assert 0 < told["engine_s"] < 60


def test_a_work_and_its_plan_travel_by_pickle() -> None:
    work = sampling(teleportation(), profile=Profile.ADAPTIVE)
    plan = AUTO.plan(work)
    work_there, plan_there = pickle.loads(pickle.dumps((work, plan)))
    there = build_drivers()["sim.auto"]
    assert there.execute(work_there, plan_there).outcomes == AUTO.execute(work, plan).outcomes


def test_threads_share_a_driver() -> None:
    circuit = many_angles()
    observable = Observable(6, tuple(sorted({"ZZIIII": 1.0, "IXXIII": 0.5, "IIIIYY": -0.7}.items())))
    values = np.random.default_rng(1).normal(size=(40, len(circuit.parameters)))
    expected = [expectation(circuit, observable, row.tolist()) for row in values]

    def run(row: Any) -> float:
        work = estimating(circuit, observable, row)
        return estimated(AUTO.execute(work, AUTO.plan(work))).values[0]

    with ThreadPoolExecutor(8) as pool:
        np.testing.assert_allclose(list(pool.map(run, values)), expected, atol=1e-9)


def test_a_program_without_gates_has_an_estimate() -> None:
    observable = Observable(2, (("II", 0.5), ("IZ", 1.0), ("XI", 3.0)))
    work = estimating(circuit_of(2, 0), observable)
    assert estimated(AUTO.execute(work, AUTO.plan(work))).values == (1.5,)


def test_terminal_measurements_do_not_change_an_estimate() -> None:
    work = estimating(BELL, Observable(2, (("XX", 1.0),)))
    assert estimated(AUTO.execute(work, AUTO.plan(work))).values[0] == pytest.approx(1.0)


def test_only_used_qubits_take_memory() -> None:
    circuit = circuit_of(500, 2, Gate("t", (3,)), Gate("h", (3,)), Gate("cx", (3, 499)), Measure(3, 0), Measure(7, 1))
    work = sampling(circuit)
    plan = AUTO.plan(work)
    assert plan.memory_bytes < 1000
    assert set(counts_of(AUTO.execute(work, plan))) == {"00", "01"}


# --- Refusals ---------------------------------------------------------------------------------------------------------


def refused(work: Work, kind: type[AntiphonError], match: str, target: str = "sim.auto") -> AntiphonError:
    with pytest.raises(kind, match=match) as caught:
        DRIVERS[target].plan(work)
    assert caught.value.next_step
    return caught.value


@pytest.mark.parametrize("shots", [0, -1, 10**9, True])
def test_shots_out_of_bounds(shots: int) -> None:
    refused(sampling(BELL, shots=shots), LimitError, "shots")


def test_counts_without_shots() -> None:
    refused(sampling(BELL, shots=None), ProgramError, "shots")  # type: ignore[arg-type]


def test_no_measurement() -> None:
    error = refused(sampling(circuit_of(1, 1, Gate("h", (0,)))), ProgramError, "no measurement")
    assert "measure" in error.next_step


def test_estimates_of_programs_that_measure_or_reset_on_the_way() -> None:
    middle = circuit_of(1, 1, Gate("h", (0,)), Measure(0, 0), Gate("h", (0,)))
    assert "qubit 0" in refused(estimating(middle, Z), UnsupportedProgramError, "Expectation").cause
    refused(estimating(circuit_of(1, 0, Gate("h", (0,)), Reset(0)), Z), UnsupportedProgramError, "Expectation")


def test_observable_of_another_width() -> None:
    refused(estimating(TURN, Observable(2, (("ZZ", 1.0),)), [0.1]), ObservableError, "2 qubits")


def test_shapes_that_do_not_broadcast() -> None:
    refused(estimating(TURN, [Z, X], [[0.1], [0.2], [0.3]], shape=(2,)), ObservableError, "broadcast")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_parameters_that_are_not_finite(value: float) -> None:
    refused(estimating(TURN, Z, [value]), ParameterError, "θ")


def test_unbound_and_unknown_parameters() -> None:
    work = estimating(TURN, Z, [0.1])
    pub = work.pubs[0]
    refused(replace(work, pubs=(replace(pub, parameters=ParameterSets((), (), b"")),)), ParameterError, "θ")
    other = ParameterSets(("φ", "θ"), (), np.zeros(2).tobytes())
    refused(replace(work, pubs=(replace(pub, parameters=other),)), ParameterError, "φ")


def test_a_profile_beyond_the_target() -> None:
    refused(sampling(BELL, profile=Profile.UNRESTRICTED), UnsupportedProgramError, "Unrestricted", "sim.mps")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"colour": "red"}, "colour"),
        ({"max_bond_dimension": 0}, "max_bond_dimension"),
        ({"truncation_threshold": "small"}, "truncation_threshold"),
        ({"precision": "half"}, "precision"),
        ({"exact_probabilities": "yes"}, "exact_probabilities"),
        ({"engine": "abacus"}, "abacus"),
        ({"engine": "trajectories"}, "trajectories"),
        ({"engine": "branching"}, "branching"),
    ],
)
def test_options_are_checked_by_name(options: dict[str, Any], said: str) -> None:
    refused(sampling(BELL, **options), UnsupportedProgramError, said)


def test_noise_where_there_is_none() -> None:
    error = refused(sampling(BELL, noise={"readout_p01": 0.1}), UnsupportedProgramError, "noise", "sim.statevector")
    assert "sim.density_matrix" in error.next_step


@pytest.mark.parametrize("noise", [0.1, "depolarizing", [("readout_p01", 0.1)]])
def test_noise_that_is_no_model(noise: object) -> None:
    error = refused(sampling(BELL, noise=noise), UnsupportedProgramError, "noise")
    assert "NoiseModel" in error.next_step


def test_noise_that_is_no_probability() -> None:
    refused(sampling(BELL, noise={"readout_p01": 1.5}), ProgramError, "readout_p01")


def test_a_gate_that_is_not_clifford_is_named() -> None:
    circuit = circuit_of(2, 2, Gate("h", (0,)), Gate("rz", (1,), (0.3,)), Measure(0, 0))
    error = refused(sampling(circuit), UnsupportedProgramError, "Clifford", "sim.stabilizer")
    assert "gate 1" in error.cause
    assert "'rz'" in error.cause
    assert "0.3" in error.cause
    assert "sim.auto" in error.next_step


def test_clifford_is_judged_at_the_parameter_values() -> None:
    circuit = replace(TURN, registers=circuit_of(1, 1).registers, operations=(*TURN.operations, Measure(0, 0)))
    driver = DRIVERS["sim.stabilizer"]
    good = sampling(circuit, [math.pi])
    assert counts_of(driver.execute(good, driver.plan(good))) == {"1": 1000}
    refused(sampling(circuit, [1.0]), UnsupportedProgramError, "Clifford", "sim.stabilizer")


@pytest.mark.parametrize("target", ["sim.statevector", "sim.auto", "sim.density_matrix"])
def test_a_program_too_wide_for_memory_is_refused(target: str) -> None:
    rng = np.random.default_rng(0)
    operations = []
    for _ in range(40):
        operations += [Gate("u", (q,), tuple(rng.normal(size=3).tolist())) for q in range(45)]
        operations += [Gate("cx", tuple(int(q) for q in rng.permutation(45)[:2])) for _ in range(45)]
    circuit = circuit_of(45, 45, *operations, *(Measure(q, q) for q in range(45)))
    assert "45" in refused(sampling(circuit), LimitError, "45 qubits", target).message


def test_the_refusal_names_memory_needed_and_available(monkeypatch: pytest.MonkeyPatch) -> None:
    from antiphon.adapters.targets.sim import limits

    monkeypatch.setattr(limits, "available_memory", lambda: 2**28)
    circuit = circuit_of(26, 26, *(Gate("rx", (q,), (0.3,)) for q in range(26)), Measure(0, 0))
    error = refused(sampling(circuit), LimitError, "26 qubits", "sim.statevector")
    assert "0.2 GiB" in error.cause
    assert error.details["needed_bytes"] > error.details["available_bytes"]


def test_too_few_shots_for_the_groups_of_an_observable() -> None:
    observable = Observable(2, (("XX", 1.0), ("YZ", 1.0), ("ZI", 1.0)))
    work = estimating(circuit_of(2, 0, Gate("cx", (0, 1))), observable, shots=3)
    error = refused(work, LimitError, "too few")
    assert "6" in error.next_step


def test_opaque_programs_are_refused_where_no_engine_takes_their_format() -> None:
    pub = sampling(BELL).pubs[0]
    for format_ in (ProgramFormat.CIRQ_JSON, ProgramFormat.OPENQASM3):
        opaque = replace(pub.program, circuit=None, format=format_, opaque_because="it uses angle arithmetic")
        work = Work(JobKind.SAMPLE, (replace(pub, program=opaque),))
        assert "angle arithmetic" in refused(work, UnsupportedProgramError, "cannot run").cause
