"""Every engine that runs static circuits, against the reference and against each other."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.adapters.targets.sim import build_drivers
from antiphon.domain.circuits import Circuit, Gate, Measure
from antiphon.domain.observables import Observable
from reference_simulator import expectation
from sim_work import (
    assert_samples,
    circuit_of,
    counts_of,
    estimated,
    estimating,
    observables,
    parameter_values,
    sampling,
    static_circuits,
)

AUTO = build_drivers()["sim.auto"]
CLIFFORD = ("x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "cx", "cy", "cz", "swap", "iswap", "ecr", "dcx", "id")
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def sample(circuit: Circuit, values: Sequence[float], engine: str, **options: Any) -> None:
    work = sampling(circuit, values, shots=2000, engine=engine, **options)
    plan = AUTO.plan(work)
    assert plan.engine == (engine,)
    execution = AUTO.execute(work, plan)
    assert execution.provenance["engine"] == engine
    assert_samples(counts_of(execution), circuit, values)


def estimate(circuit: Circuit, observable: Observable, values: Sequence[float], engine: str, tolerance: float) -> None:
    work = estimating(circuit, observable, values, engine=engine)
    found = estimated(AUTO.execute(work, AUTO.plan(work)))
    assert found.values[0] == pytest.approx(expectation(unmeasured(circuit), observable, values), abs=tolerance)
    assert found.stderr == (0.0,)


def unmeasured(circuit: Circuit) -> Circuit:
    gates = tuple(op for op in circuit.operations if not isinstance(op, Measure))
    return Circuit(circuit.num_qubits, (), circuit.parameters, gates)


@QUICK
@given(static_circuits(), parameter_values())
def test_lightning_samples(circuit: Circuit, values: list[float]) -> None:
    sample(circuit, values, "lightning")


@SLOW
@given(static_circuits(), parameter_values())
def test_lightning_in_single_precision_samples(circuit: Circuit, values: list[float]) -> None:
    sample(circuit, values, "lightning", precision="single")


@SLOW
@given(static_circuits(), parameter_values(), st.sampled_from(["aer-statevector", "aer-density-matrix", "aer-mps"]))
def test_aer_samples(circuit: Circuit, values: list[float], engine: str) -> None:
    sample(circuit, values, engine)


@QUICK
@given(static_circuits(), parameter_values())
def test_qsim_samples(circuit: Circuit, values: list[float]) -> None:
    sample(circuit, values, "qsim")


@QUICK
@given(static_circuits(names=CLIFFORD, max_qubits=5))
def test_stim_samples(circuit: Circuit) -> None:
    sample(circuit, [0.0] * 3, "stim")


@SLOW
@given(static_circuits(names=CLIFFORD))
def test_aer_stabilizer_samples(circuit: Circuit) -> None:
    sample(circuit, [0.0] * 3, "aer-stabilizer")


@st.composite
def with_observable(draw: st.DrawFn, names: Sequence[str] | None = None) -> tuple[Circuit, Observable]:
    circuit = draw(static_circuits() if names is None else static_circuits(names=names))
    return circuit, draw(observables(circuit.num_qubits))


@QUICK
@given(with_observable(), parameter_values())
def test_lightning_estimates(case: tuple[Circuit, Observable], values: list[float]) -> None:
    estimate(*case, values, "lightning", 1e-9)


@SLOW
@given(with_observable(), parameter_values(), st.sampled_from(["aer-statevector", "aer-density-matrix", "aer-mps"]))
def test_aer_estimates(case: tuple[Circuit, Observable], values: list[float], engine: str) -> None:
    estimate(*case, values, engine, 1e-9)


@QUICK
@given(with_observable(names=CLIFFORD))
def test_stim_estimates(case: tuple[Circuit, Observable]) -> None:
    estimate(*case, [0.0] * 3, "stim", 1e-9)


@pytest.mark.parametrize("engine", ["lightning", "aer-statevector", "aer-density-matrix", "aer-mps", "stim"])
def test_estimates_from_shots_agree_with_their_own_standard_error(engine: str) -> None:
    circuit = circuit_of(
        3, 0, Gate("h", (0,)), Gate("cx", (0, 1)), Gate("s", (1,)), Gate("cx", (1, 2)), Gate("h", (2,))
    )
    observable = Observable(3, (("III", 0.5), ("IXY", 0.8), ("XII", -0.7), ("YXX", 0.4), ("ZZI", 0.3), ("ZYZ", 0.9)))
    exact = expectation(circuit, observable)
    deviations = []
    for seed in range(30 if engine in ("lightning", "stim") else 5):
        work = estimating(circuit, observable, shots=2000, seed=1000 + seed, engine=engine)
        found = estimated(AUTO.execute(work, AUTO.plan(work)))
        assert found.shots == 2000
        assert 0.01 < found.stderr[0] < 0.1
        deviations.append((found.values[0] - exact) / found.stderr[0])
    assert max(abs(deviation) for deviation in deviations) < 4.5
    spread = sum(deviation**2 for deviation in deviations) / len(deviations)
    assert 0.1 < spread < 3.5


def test_engines_that_draw_from_the_same_probabilities_give_the_same_counts() -> None:
    circuit = circuit_of(3, 3, Gate("h", (0,)), Gate("cry", (0, 2), (0.8,)), *(Measure(i, i) for i in range(3)))
    found = []
    for engine in ("lightning", "aer-statevector", "aer-density-matrix"):
        work = sampling(circuit, engine=engine)
        found.append(counts_of(AUTO.execute(work, AUTO.plan(work))))
    assert found[0] == found[1] == found[2]


def test_a_wide_observable_is_evaluated_group_by_group(monkeypatch: pytest.MonkeyPatch) -> None:
    from antiphon.adapters.targets.sim.engines import lightning

    monkeypatch.setattr(lightning, "_MATRIX_BYTES", 0)
    circuit = circuit_of(3, 0, Gate("ry", (0,), (0.7,)), Gate("cx", (0, 1)), Gate("u", (2,), (0.3, 0.9, 0.1)))
    observable = Observable(3, (("III", 0.25), ("IXX", 0.8), ("YII", -0.7), ("YXX", 0.4), ("ZZI", 0.31), ("ZZZ", 0.9)))
    estimate(circuit, observable, (), "lightning", 1e-12)
