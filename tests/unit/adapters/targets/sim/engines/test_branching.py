import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

from antiphon.adapters.targets.sim import build_drivers
from antiphon.adapters.targets.sim.engines import branching
from antiphon.adapters.targets.sim.reading import features_of
from antiphon.domain.circuits import Bit, Break, Circuit, For, Gate, If, Measure, Not, Operation, Reset, While
from antiphon.errors import ExecutionError, UnsupportedProgramError
from sim_work import (
    assert_samples,
    circuit_of,
    counts_of,
    dynamic_circuits,
    iterative_phase_estimation,
    parameter_values,
    repeat_until_success,
    sampling,
    teleportation,
)

AUTO = build_drivers()["sim.auto"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(dynamic_circuits(), parameter_values())
def test_random_programs_with_control_flow(circuit: Circuit, values: list[float]) -> None:
    work = sampling(circuit, values, shots=2000)
    plan = AUTO.plan(work)
    assert plan.engine[0] in ("branching", "lightning")
    assert_samples(counts_of(AUTO.execute(work, plan)), circuit, values)


@settings(max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(dynamic_circuits(), parameter_values())
def test_aer_runs_the_same_programs(circuit: Circuit, values: list[float]) -> None:
    assume(not features_of(circuit).has_uneven_loop)
    assume(features_of(circuit).dynamic)
    work = sampling(circuit, values, shots=500, engine="aer-statevector")
    plan = AUTO.plan(work)
    assert_samples(counts_of(AUTO.execute(work, plan)), circuit, values)


@pytest.mark.parametrize("engine", ["branching", "aer-statevector", "aer-mps", "aer-density-matrix"])
@pytest.mark.parametrize("circuit", [teleportation(), repeat_until_success(), iterative_phase_estimation(0.3)])
def test_protocols(circuit: Circuit, engine: str) -> None:
    work = sampling(circuit, engine=engine, shots=1500)
    assert_samples(counts_of(AUTO.execute(work, AUTO.plan(work))), circuit)


def test_phase_estimation_of_an_exact_phase_is_certain() -> None:
    work = sampling(iterative_phase_estimation(0.6875))
    assert counts_of(AUTO.execute(work, AUTO.plan(work))) == {"1011": 1000}


def test_a_loop_that_was_seen_to_end_soon_runs_once_and_gives_what_a_worker_gives() -> None:
    work = sampling(repeat_until_success(), seed=41)
    plan = AUTO.plan(work)
    assert plan.safe_inline
    first, again = AUTO.execute(work, plan), AUTO.execute(work, plan)  # the second was not rehearsed
    assert counts_of(first) == counts_of(again)
    assert first.provenance["engine_s"] > 0
    other = AUTO.execute(sampling(repeat_until_success(), seed=42), plan)
    assert counts_of(other) != counts_of(first)


def test_a_loop_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branching, "MAX_STEPS", 1000)
    circuit = circuit_of(1, 1, While(Not(Bit(0)), (Gate("z", (0,)), Measure(0, 0))), Measure(0, 0))
    work = sampling(circuit)
    plan = AUTO.plan(work)
    assert not plan.safe_inline
    with pytest.raises(ExecutionError, match="did not end"):
        AUTO.execute(work, plan)


def test_a_loop_that_nothing_random_can_end_is_given_up_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branching, "MAX_SURE_STEPS", 1000)
    turn = (Gate("z", (0,)), Measure(0, 0))
    first = (Gate("h", (1,)), Measure(1, 1))
    work = sampling(circuit_of(2, 2, *first, If(Bit(1), (While(Not(Bit(0)), turn),)), Measure(0, 0)))
    with pytest.raises(ExecutionError, match="did not end") as caught:
        AUTO.execute(work, AUTO.plan(work))
    assert "1,000 steps of one history" in caught.value.cause
    fair = (Reset(0), Gate("ry", (0,), (0.2,)), Measure(0, 0))
    work = sampling(circuit_of(1, 1, While(Not(Bit(0)), fair), Gate("h", (0,)), Measure(0, 0)))
    assert sum(counts_of(AUTO.execute(work, AUTO.plan(work))).values()) == 1000


def test_more_histories_than_can_be_followed_go_to_aer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branching, "MAX_STEPS", 50)
    operations: list[Operation] = []
    for turn in range(6):
        operations += [Gate("ry", (0,), (0.5 + turn,)), Measure(0, turn)]
    circuit = circuit_of(1, 6, *operations, Reset(0))
    work = sampling(circuit, shots=3000)
    execution = AUTO.execute(work, AUTO.plan(work))
    assert "Aer" in execution.provenance["method"]
    assert_samples(counts_of(execution), circuit)


def test_each_history_is_evolved_once() -> None:
    work = sampling(circuit_of(2, 2, Gate("h", (0,)), Measure(0, 0), If(Bit(0), (Gate("h", (1,)),)), Measure(1, 1)))
    assert AUTO.execute(work, AUTO.plan(work)).provenance["num_calls"] == 2


def test_a_loop_whose_turns_differ_is_refused_where_only_aer_could_run_it() -> None:
    leave = If(Bit(0), (Break(),))
    circuit = circuit_of(1, 1, For(((Gate("h", (0,)), Measure(0, 0), leave), (Gate("x", (0,)), leave))), Measure(0, 0))
    assert_samples(counts_of(AUTO.execute(sampling(circuit), AUTO.plan(sampling(circuit)))), circuit)
    with pytest.raises(UnsupportedProgramError, match="turns differ"):
        AUTO.plan(sampling(circuit, engine="aer-statevector"))


def test_a_loop_of_equal_turns_runs_on_aer() -> None:
    turn = (Gate("h", (0,)), Measure(0, 0), If(Bit(0), (Break(),)))
    circuit = circuit_of(1, 1, For((turn, turn, turn)))
    for engine in ("aer-statevector", "branching"):
        work = sampling(circuit, engine=engine)
        assert_samples(counts_of(AUTO.execute(work, AUTO.plan(work))), circuit)
