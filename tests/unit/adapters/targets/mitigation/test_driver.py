import json
import math
from typing import Any

import numpy as np
import pytest

from antiphon.adapters.targets import emu, sim
from antiphon.adapters.targets.mitigation import mitigating
from antiphon.adapters.targets.mitigation.driver import MitigatingDevice, MitigatingDriver
from antiphon.domain.circuits import Affine, Bit, Circuit, Gate, If, Measure, Operation, Register, Reset
from antiphon.domain.device_noise import DeviceNoise
from antiphon.domain.noise import NoiseModel
from antiphon.domain.observables import Observable
from antiphon.domain.programs import Profile
from antiphon.domain.results import Estimated, Execution, Sampled, outcome_from_json, outcome_to_json
from antiphon.domain.work import JobKind, Plan, Pub, Work
from antiphon.errors import LimitError, MissingExtraError, ProgramError, UnsupportedProgramError
from antiphon.ports.device_driver import DeviceDriver
from antiphon.ports.target_driver import TargetDriver
from sim_work import circuit_of, estimated, estimating, program_of, sampling, sets_of

SIM = mitigating(sim.build_drivers()["sim.auto"])
MANILA = mitigating(emu.build_drivers()["emu.manila"])
EXACT = sim.build_drivers()["sim.statevector"]

READOUT = NoiseModel(readout_p01=0.06, readout_p10=0.08)
GATES = NoiseModel(depolarizing_2q=0.03)
BOTH = NoiseModel(depolarizing_1q=0.001, depolarizing_2q=0.02, readout_p01=0.02, readout_p10=0.06)

ANSATZ = circuit_of(
    3,
    0,
    *(Gate("ry", (qubit,), (0.4 + 0.3 * qubit,)) for qubit in range(3)),
    Gate("cx", (0, 1)),
    Gate("cx", (1, 2)),
    Gate("ry", (2,), (0.5,)),
    Gate("cx", (0, 1)),
)
ENERGY = Observable(3, (("III", 0.5), ("IZZ", 1.0), ("XXI", 0.5), ("ZII", 0.7)))


class Recording:
    """Runs what it is given, and keeps it."""

    def __init__(self, inner: TargetDriver) -> None:
        self.inner = inner
        self.info = inner.info
        self.ran: list[tuple[Work, Plan]] = []

    def plan(self, work: Work) -> Plan:
        return self.inner.plan(work)

    def execute(self, work: Work, plan: Plan) -> Execution:
        self.ran.append((work, plan))
        return self.inner.execute(work, plan)


class RecordingDevice(Recording):
    inner: Any

    def calibration(self, at: float) -> Any:
        return self.inner.calibration(at)

    def calibrations(self, since: float, until: float) -> Any:
        return self.inner.calibrations(since, until)

    def assess(self, program: Any, calibration: Any) -> Any:
        return self.inner.assess(program, calibration)


def run(driver: TargetDriver, work: Work) -> Execution:
    return driver.execute(work, driver.plan(work))


def estimate(
    mitigation: dict[str, Any],
    noise: NoiseModel | None,
    *,
    driver: TargetDriver = SIM,
    shots: int = 40_000,
    seed: int = 11,
    **options: Any,
) -> Estimated:
    given: dict[str, Any] = {} if noise is None else {"noise": noise.to_json()}
    return estimated(
        run(driver, estimating(ANSATZ, ENERGY, shots=shots, seed=seed, mitigation=mitigation, **given, **options))
    )


def exact_value(circuit: Circuit = ANSATZ, observable: Observable = ENERGY) -> float:
    return estimated(run(EXACT, estimating(circuit, observable))).values[0]


def told_of(outcome: Estimated | Sampled) -> dict[str, Any]:
    assert outcome.details is not None
    found: dict[str, Any] = outcome.details["mitigation"]
    return found


# --- it goes through as it is


def test_without_its_options_a_job_goes_through_untouched() -> None:
    inner = Recording(sim.build_drivers()["sim.auto"])
    driver = mitigating(inner)
    work = estimating(ANSATZ, ENERGY, shots=100)
    plan = driver.plan(work)
    execution = driver.execute(work, plan)
    assert inner.ran[0][0] is work
    assert inner.ran[0][1] is plan
    assert execution.outcomes[0].details is None


@pytest.mark.parametrize("options", [{"mitigation": {}}, {"mitigation": None}, {"allocation": "coefficients"}])
def test_options_that_ask_for_nothing_change_nothing(options: dict[str, Any]) -> None:
    plain = run(SIM, estimating(ANSATZ, ENERGY, shots=100)).outcomes
    assert run(SIM, estimating(ANSATZ, ENERGY, shots=100, **options)).outcomes == plain


def test_it_declares_its_options_and_is_what_it_wraps() -> None:
    assert {"mitigation", "allocation"} <= set(SIM.info.options)
    assert SIM.info.name == "sim.auto"
    assert SIM.info is SIM.info
    assert isinstance(SIM, MitigatingDriver)
    assert not isinstance(SIM, DeviceDriver)
    assert isinstance(MANILA, MitigatingDevice)
    assert isinstance(MANILA, DeviceDriver)
    newest = MANILA.calibrations(0.0, 1e12)[0]
    assert MANILA.calibration(1e12) == newest
    assert MANILA.assess(program_of(ANSATZ), newest).fidelity > 0


# --- every method makes a known error smaller, by more than noise explains


@pytest.mark.parametrize(
    ("mitigation", "noise", "left"),
    [
        ({"readout": True}, READOUT, 0.2),
        ({"readout": True, "twirling": {"gates": False}}, READOUT, 0.2),
        ({"zne": [1, 3]}, GATES, 0.5),
        ({"zne": {"factors": [1, 3, 5], "extrapolation": "exponential"}}, GATES, 0.6),
        ({"zne": {"factors": [1, 3], "folding": "circuit"}}, GATES, 0.5),
        ({"pec": 200}, GATES, 0.5),
        ({"readout": True, "zne": [1, 3], "twirling": 4}, BOTH, 0.5),
        ({"readout": True, "pec": 100}, BOTH, 0.5),
    ],
)
def test_each_method_reduces_the_error_of_a_known_circuit(
    mitigation: dict[str, Any], noise: NoiseModel, left: float
) -> None:
    found = estimate(mitigation, noise, shots=200_000)
    told, exact = told_of(found), exact_value()
    before, after = abs(told["raw"]["values"][0] - exact), abs(found.values[0] - exact)
    assert before > 6 * told["raw"]["stderr"][0], "the raw value is wrong by far more than its noise"
    assert after < left * before + 3 * found.stderr[0]
    assert before - after > 3 * found.stderr[0]
    assert told["verdict"] == "helps"
    assert told["verdicts"][0]["shift_z"] ** 2 > 4


def test_error_bars_are_as_wide_as_the_values_scatter() -> None:
    found = [estimate({"readout": True, "zne": [1, 3]}, BOTH, shots=4000, seed=seed) for seed in range(40)]
    scatter = np.std([each.values[0] for each in found], ddof=1)
    stated = math.sqrt(np.mean([each.stderr[0] ** 2 for each in found]))
    assert 0.65 < scatter / stated < 1.4  # of 40 values: 5 sigma


def test_the_raw_value_is_what_the_same_circuit_gives_without_mitigation() -> None:
    plain = estimated(run(SIM, estimating(ANSATZ, ENERGY, shots=200_000, noise=BOTH.to_json())))
    found = told_of(estimate({"readout": True, "zne": [1, 3]}, BOTH, shots=200_000))
    difference = found["raw"]["values"][0] - plain.values[0]
    assert abs(difference) < 5 * math.hypot(found["raw"]["stderr"][0], plain.stderr[0])


# --- and says so when it does not


def test_without_noise_there_is_no_evidence() -> None:
    for mitigation in ({"readout": True}, {"zne": [1, 3]}):
        told = told_of(estimate(mitigation, None))
        assert told["verdict"] == "no evidence"
        assert told["verdicts"][0]["why"]


def test_an_absurd_extrapolation_harms() -> None:
    settings = {"factors": [1, 5 / 3, 7 / 3, 3, 11 / 3], "extrapolation": "polynomial"}
    told = told_of(estimate({"zne": settings}, GATES, shots=800))
    assert told["verdict"] == "harms"
    assert "whole range" in told["verdicts"][0]["why"]


def test_without_a_sentinel_there_is_no_evidence() -> None:
    told = told_of(estimate({"readout": True, "sentinel": False}, READOUT))
    assert told["verdict"] == "no evidence"
    assert {each["role"] for each in told["circuits"]} == {"program", "calibration"}


# --- shots


@pytest.mark.parametrize(
    "mitigation",
    [{"readout": True}, {"zne": [1, 3], "twirling": 3}, {"readout": {"shots": 900}, "pec": 7}, {"twirling": 5}],
)
def test_all_shots_are_accounted_for_and_within_the_budget(mitigation: dict[str, Any]) -> None:
    inner = Recording(sim.build_drivers()["sim.auto"])
    found = estimate(mitigation, BOTH, driver=mitigating(inner), shots=5001)
    told = told_of(found)
    ran = sum(pub.shots or 0 for work, _ in inner.ran for pub in work.pubs)
    assert ran == told["overhead"]["shots"] == sum(each["shots"] for each in told["circuits"])
    assert ran == sum(sum(each["counts"][0].values()) for each in told["circuits"])
    assert found.shots == 5001
    assert 5000 <= ran <= 5001
    assert len(inner.ran) == 1, "one call for all circuits"


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    mitigation = {"readout": True, "zne": [1, 3], "twirling": 4}
    first, again, other = (estimate(mitigation, BOTH, shots=4000, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first.values != other.values


def test_the_outcome_survives_json() -> None:
    found = estimate({"readout": True, "zne": [1, 3]}, BOTH, shots=4000)
    assert outcome_from_json(json.loads(json.dumps(outcome_to_json(found), allow_nan=False))) == found


def test_too_few_shots_are_refused_before_anything_runs() -> None:
    with pytest.raises(LimitError) as refused:
        SIM.plan(estimating(ANSATZ, ENERGY, shots=100, mitigation={"twirling": 50}))
    assert refused.value.code == "shots-too-few"
    least = refused.value.details["least"]
    assert run(SIM, estimating(ANSATZ, ENERGY, shots=least, mitigation={"twirling": 50}))


# --- allocation


def test_shots_by_variance_go_where_they_count() -> None:
    """Z is certain and X is not: nearly all shots go to X, and the error is smaller."""
    circuit = circuit_of(2, 0, Gate("rz", (0,), (0.3,)), Gate("x", (1,)))
    observable = Observable(2, (("IX", 1.0), ("ZI", 1.0), ("XI", 0.2), ("IZ", 0.1)))
    found = estimated(run(SIM, estimating(circuit, observable, shots=20_000, allocation="variance")))
    plain = estimated(run(SIM, estimating(circuit, observable, shots=20_000)))
    assert found.shots == 20_000
    assert found.stderr[0] < plain.stderr[0]
    assert found.details is not None
    told = found.details["allocation"]
    pilot, rest = told["rounds"][0]
    assert pilot["shots"] + rest["shots"] == 20_000
    assert abs(found.values[0] - exact_value(circuit, observable)) < 5 * found.stderr[0]


@pytest.mark.parametrize("mitigation", [None, {"readout": True, "zne": [1, 3]}])
def test_it_stops_at_the_precision_asked_for(mitigation: dict[str, Any] | None) -> None:
    options: dict[str, Any] = {"allocation": {"precision": 0.02}, "noise": BOTH.to_json()}
    if mitigation is not None:
        options["mitigation"] = mitigation
    found = estimated(run(SIM, estimating(ANSATZ, ENERGY, shots=1_000_000, **options)))
    assert found.stderr[0] <= 0.02
    assert found.stderr[0] > 0.012, "and not far beyond"
    assert found.shots is not None
    assert found.shots < 500_000
    assert found.details is not None
    assert found.details["allocation"]["reached"]


def test_the_ceiling_holds_and_it_is_said_that_the_precision_was_not_reached() -> None:
    work = estimating(ANSATZ, ENERGY, shots=1000, allocation={"precision": 1e-4})
    found = estimated(run(SIM, work))
    assert found.shots == 1000
    assert found.details is not None
    assert not found.details["allocation"]["reached"]


def test_allocation_is_for_estimates_with_shots() -> None:
    circuit = circuit_of(1, 1, Measure(0, 0))
    with pytest.raises(LimitError, match="samples counts"):
        SIM.plan(sampling(circuit, allocation="variance"))
    with pytest.raises(LimitError, match="Exact values"):
        SIM.plan(estimating(ANSATZ, ENERGY, allocation="variance"))


# --- shapes


def test_parameter_sets_and_observables_broadcast() -> None:
    turn = Gate("ry", (0,), (Affine(0.0, ((0, 1.0),)),))
    circuit = Circuit(2, (), ("θ",), (turn, Gate("cx", (0, 1))))
    angles = [[0.2], [1.1], [2.0]]
    observables = [Observable(2, (("IZ", 1.0),)), Observable(2, (("ZI", 1.0), ("XX", 0.5)))]
    noise = READOUT.to_json()
    table = [[math.cos(a), math.cos(a) + 0.5 * math.sin(a)] for (a,) in angles]
    sets = sets_of(circuit, [[angle] for angle in angles])
    pub = Pub(program_of(circuit), sets, 20_000, 5, tuple(observables), (2,))
    options = {"noise": noise, "mitigation": {"readout": True}}
    found = estimated(run(SIM, Work(JobKind.ESTIMATE, (pub,), options)))
    assert found.shape == (3, 2)
    np.testing.assert_allclose(np.reshape(found.values, (3, 2)), table, atol=5 * max(found.stderr))
    assert len(told_of(found)["verdicts"]) == 6
    # One observable for each set: only those pairs are measured.
    zipped = Pub(program_of(circuit), sets_of(circuit, angles[:2]), 20_000, 5, tuple(observables), (2,))
    pair = estimated(run(SIM, Work(JobKind.ESTIMATE, (zipped,), options)))
    np.testing.assert_allclose(pair.values, [table[0][0], table[1][1]], atol=5 * max(pair.stderr))


def test_a_constant_needs_no_circuit() -> None:
    found = estimated(
        run(SIM, estimating(ANSATZ, Observable(3, (("III", 0.5),)), shots=100, mitigation={"zne": [1, 3]}))
    )
    assert (found.values, found.stderr, found.shots) == ((0.5,), (0.0,), 0)


def ghz(width: int, *extra: Operation) -> Circuit:
    gates = [Gate("h", (0,)), *(Gate("cx", (q, q + 1)) for q in range(width - 1))]
    return circuit_of(width, width, *gates, *extra, *(Measure(q, q) for q in range(width)))


def test_counts_stay_raw_and_probabilities_are_corrected() -> None:
    work = sampling(ghz(4), shots=8000, noise=READOUT.to_json(), mitigation={"readout": True})
    (found,) = run(SIM, work).outcomes
    assert isinstance(found, Sampled)
    told = told_of(found)
    ideal = {"0000": 0.5, "1111": 0.5}
    counts, corrected = found.counts[0], told["probabilities"][0]
    assert sum(counts.values()) == found.shots == 8000
    assert sum(corrected.values()) == pytest.approx(1.0)

    def wrong(probabilities: dict[str, float]) -> float:
        return 0.5 * sum(abs(probabilities.get(key, 0.0) - ideal.get(key, 0.0)) for key in {*probabilities, *ideal})

    assert wrong({key: count / 8000 for key, count in counts.items()}) > 0.1
    assert wrong(corrected) < 0.03
    assert told["verdict"] == "helps"
    assert told["overhead"]["shots"] == 8000 + told["readout"]["shots"]


def test_a_batch_and_a_sweep_of_counts() -> None:
    turn = Gate("ry", (0,), (Affine(0.0, ((0, 1.0),)),))
    swept = Circuit(1, (Register("c", 1, 0),), ("θ",), (turn, Measure(0, 0)))
    options: dict[str, Any] = {"noise": READOUT.to_json(), "mitigation": {"readout": True, "twirling": 4}}
    (outcome,) = run(SIM, sampling(swept, [[0.0], [math.pi]], shots=4000, **options)).outcomes
    assert isinstance(outcome, Sampled)
    assert outcome.shape == (2,)
    assert [sum(counts.values()) for counts in outcome.counts] == [4000, 4000]
    corrected = told_of(outcome)["probabilities"]
    assert corrected[0].get("0", 0.0) == pytest.approx(1.0, abs=0.02)
    assert corrected[1].get("1", 0.0) == pytest.approx(1.0, abs=0.02)
    pubs = tuple(Pub(program_of(ghz(width)), sets_of(ghz(width)), 1000, width) for width in (2, 3))
    outcomes = run(SIM, Work(JobKind.BATCH, pubs, options)).outcomes
    assert [len(next(iter(each.counts[0]))) for each in outcomes if isinstance(each, Sampled)] == [2, 3]
    # A pub gives the same whatever it is run with.
    alone = run(SIM, Work(JobKind.BATCH, pubs[1:], options)).outcomes
    assert alone[0] == outcomes[1]


def test_registers_keep_their_places_under_twirling() -> None:
    registers = (Register("a", 2, 0), Register("b", 1, 2))
    circuit = Circuit(3, registers, (), (Gate("x", (1,)), Measure(1, 2), Measure(0, 0), Measure(2, 1)))
    (found,) = run(SIM, sampling(circuit, shots=100, mitigation={"twirling": 4})).outcomes
    assert isinstance(found, Sampled)
    assert found.counts[0] == {"1 00": 100}


# --- programs that measure on their way

TELEPORTING = circuit_of(2, 2, Gate("h", (0,)), Measure(0, 0), If(Bit(0), (Gate("x", (1,)),)), Reset(0), Measure(1, 1))


def test_readout_of_the_last_bits_of_an_integrated_program_is_corrected() -> None:
    work = sampling(
        TELEPORTING, shots=6000, profile=Profile.ADAPTIVE, noise=READOUT.to_json(), mitigation={"readout": True}
    )
    (found,) = run(SIM, work).outcomes
    told = told_of(found)
    assert told["readout"]["bits"] == [1]
    ones = sum(value for key, value in told["probabilities"][0].items() if key[0] == "1")
    # Bit 0 steers the program and stays as it was read: 1 in half of the shots, less what is misread.
    assert ones == pytest.approx(0.5 * (1 - 0.08) + 0.5 * 0.06, abs=0.03)


@pytest.mark.parametrize("method", [{"twirling": True}, {"zne": [1, 3]}, {"pec": True}])
def test_the_rest_is_refused_with_the_reason(method: dict[str, Any]) -> None:
    with pytest.raises(ProgramError) as refused:
        SIM.plan(sampling(TELEPORTING, profile=Profile.ADAPTIVE, noise=GATES.to_json(), mitigation=method))
    assert "on its way" in refused.value.cause
    assert "readout" in refused.value.next_step


def test_a_program_that_reads_nothing_at_its_end_has_no_readout_to_correct() -> None:
    circuit = circuit_of(1, 1, Gate("h", (0,)), Measure(0, 0), If(Bit(0), (Gate("x", (0,)),)))
    with pytest.raises(ProgramError, match="readout"):
        SIM.plan(sampling(circuit, profile=Profile.ADAPTIVE, mitigation={"readout": True}))


# --- what cannot be


@pytest.mark.parametrize(
    ("mitigation", "options", "said"),
    [
        ({"pec": True}, {}, "nothing is known of the noise"),
        ({"dynamical_decoupling": "XY4"}, {}, "no qubit waits"),
        ({"zne": [1, 3]}, {"observable": True}, "no gate that could be folded"),
        ({"zne": [1, 1.1, 3]}, {}, "the factors are 1, 1, 3"),
    ],
)
def test_what_a_target_cannot_do_is_refused(mitigation: dict[str, Any], options: dict[str, Any], said: str) -> None:
    circuit = circuit_of(1, 0, Gate("h", (0,))) if options else ANSATZ
    observable = Observable(1, (("Z", 1.0),)) if options else ENERGY
    with pytest.raises(ProgramError) as refused:
        SIM.plan(estimating(circuit, observable, shots=1000, mitigation=mitigation))
    assert said in refused.value.cause
    assert refused.value.next_step


def test_counts_have_no_extrapolation() -> None:
    with pytest.raises(ProgramError, match="zne") as refused:
        SIM.plan(sampling(ghz(2), mitigation={"zne": [1, 3]}))
    assert "expectation values" in refused.value.cause


def test_exact_probabilities_have_no_errors() -> None:
    with pytest.raises(ProgramError, match="readout"):
        SIM.plan(sampling(ghz(2), mitigation={"readout": True}, exact_probabilities=True))


def test_an_unknown_option_is_still_refused_by_the_target() -> None:
    with pytest.raises(UnsupportedProgramError, match="magic"):
        SIM.plan(estimating(ANSATZ, ENERGY, shots=1000, mitigation={"readout": True}, magic=1))


# --- devices


def device() -> tuple[RecordingDevice, TargetDriver]:
    inner = RecordingDevice(emu.build_drivers()["emu.manila"])
    return inner, mitigating(inner)


def test_what_is_folded_is_what_runs() -> None:
    """Three times the native two-qubit gates, on the same physical qubits, no compiler after it."""
    inner, driver = device()
    run(driver, estimating(ANSATZ, ENERGY, shots=4000, mitigation={"zne": [1, 3], "sentinel": False}))
    ((work, plan),) = inner.ran
    assert inner.info.device is not None
    pairs: dict[int, set[tuple[int, ...]]] = {}
    for pub, made in zip(work.pubs, plan.compiled, strict=True):
        assert made.circuit is pub.program.circuit
        two = [gate.qubits for gate in made.circuit.walk() if isinstance(gate, Gate) and len(gate.qubits) == 2]
        assert {gate.name for gate in made.circuit.walk() if isinstance(gate, Gate)} <= set(
            inner.info.device.native_gates
        )
        pairs.setdefault(len(two), set()).update(two)
    few, many = sorted(pairs)
    assert many == 3 * few
    assert pairs[few] == pairs[many]


def test_every_method_on_a_device_reduces_its_error() -> None:
    exact = exact_value()
    for mitigation in ({"readout": True, "zne": [1, 3]}, {"readout": True, "twirling": 4, "zne": [1, 3]}):
        found = estimate(mitigation, None, driver=MANILA, shots=100_000)
        told = told_of(found)
        before, after = abs(told["raw"]["values"][0] - exact), abs(found.values[0] - exact)
        assert after < 0.5 * before + 3 * found.stderr[0]
        assert told["verdict"] == "helps"


def test_errors_are_cancelled_with_the_noise_of_the_calibration() -> None:
    found = estimate({"readout": True, "pec": 60}, None, driver=MANILA, shots=100_000)
    told = told_of(found)
    assert told["gamma"] > 1.05
    before, after = abs(told["raw"]["values"][0] - exact_value()), abs(found.values[0] - exact_value())
    assert after < 0.6 * before + 3 * found.stderr[0]


@pytest.mark.parametrize("sequence", ["XX", "XY4"])
def test_decoupling_fills_the_waiting_and_keeps_the_value(sequence: str) -> None:
    """Waiting has no memory in this noise, so decoupling can only cost; the value must stay that of the program."""
    inner, driver = device()
    options: dict[str, Any] = {"mitigation": {"dynamical_decoupling": sequence, "readout": True, "sentinel": False}}
    found = estimated(run(driver, estimating(ANSATZ, ENERGY, shots=100_000, **options)))
    plain = estimate({"readout": True, "sentinel": False}, None, driver=MANILA, shots=100_000)
    assert abs(found.values[0] - plain.values[0]) < 0.1
    ((work, _),) = inner.ran
    pulses = max(sum(isinstance(op, Gate) and op.name == "x" for op in pub.program.circuit.walk()) for pub in work.pubs)  # type: ignore[union-attr]
    assert pulses >= 2
    noise = DeviceNoise(MANILA.calibration(1e12))  # type: ignore[attr-defined]
    for pub in work.pubs:
        assert pub.program.circuit is not None
        for operation in pub.program.circuit.operations:
            noise.after(operation)  # every gate is native where it stands


def test_counts_on_a_device_read_the_right_bits() -> None:
    circuit = circuit_of(3, 3, Gate("x", (0,)), Gate("cx", (0, 2)), *(Measure(q, q) for q in range(3)))
    for mitigation in ({"readout": True}, {"readout": True, "twirling": 4, "dynamical_decoupling": "XX"}):
        (found,) = run(MANILA, sampling(circuit, shots=4000, mitigation=mitigation)).outcomes
        corrected = told_of(found)["probabilities"][0]
        assert max(corrected, key=lambda key: corrected[key]) == "101"
        assert corrected["101"] > max(0.9, found.counts[0]["101"] / 4000)  # type: ignore[union-attr]


def test_a_plan_says_what_it_will_cost() -> None:
    work = estimating(ANSATZ, ENERGY, shots=4000, mitigation={"zne": [1, 3], "readout": True})
    plan = SIM.plan(work)
    plain = SIM.plan(estimating(ANSATZ, ENERGY, shots=4000))
    assert plan.cost > plain.cost
    assert plan.details["circuits"] == 10
    assert "zne" in plan.reason[0]
    assert json.loads(json.dumps(plan.to_json()))


def test_many_circuits_go_to_a_device_in_as_many_calls_as_it_needs() -> None:
    inner, driver = device()
    most = inner.info.limits.max_programs
    estimated(run(driver, estimating(ANSATZ, ENERGY, shots=20_000, mitigation={"pec": 200, "sentinel": False})))
    assert next(len(work.pubs) for work, _ in inner.ran) == most
    assert sum(len(work.pubs) for work, _ in inner.ran) > most


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "stim", None)
    with pytest.raises(MissingExtraError, match="stim"):
        estimate({"readout": True}, READOUT, shots=1000)
