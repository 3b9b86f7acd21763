import json
import math
from typing import Any

import numpy as np
import pytest

from antiphon.adapters.targets import sim
from antiphon.adapters.targets.mitigation import mitigating
from antiphon.adapters.targets.mitigation.driver import MitigatingDevice, MitigatingDriver
from antiphon.domain.circuits import Affine, Circuit, Gate, Measure, Register
from antiphon.domain.noise import NoiseModel
from antiphon.domain.observables import Observable
from antiphon.domain.results import Sampled, outcome_from_json, outcome_to_json
from antiphon.domain.work import JobKind, Pub, Work
from antiphon.errors import LimitError
from antiphon.ports.device_driver import DeviceDriver
from mitigated_work import (
    ANSATZ,
    BOTH,
    ENERGY,
    GATES,
    MANILA,
    READOUT,
    SIM,
    Recording,
    estimate,
    exact_value,
    ghz,
    run,
    told_of,
)
from sim_work import estimated, estimating, program_of, sampling, sets_of

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
