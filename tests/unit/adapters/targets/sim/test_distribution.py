import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from antiphon.adapters.targets.sim import build_drivers, distribution, gpu
from antiphon.domain.circuits import Affine, Circuit, Gate, Measure, Register
from antiphon.domain.observables import Observable
from antiphon.domain.results import Sampled, outcome_from_json, outcome_to_json
from antiphon.domain.work import JobKind, Work
from antiphon.errors import LimitError, UnsupportedProgramError
from sim_work import circuit_of, estimating, sampling, teleportation

DRIVERS = build_drivers()
ANGLE, OTHER = 0.7, 1.9
# Qubit 2 is not measured, bit 0 of "low" is never written, and the bits are not in the order of the qubits.
CIRCUIT = Circuit(
    3,
    (Register("low", 2, 0), Register("high", 1, 2)),
    (),
    (
        Gate("ry", (0,), (ANGLE,)),
        Gate("ry", (1,), (OTHER,)),
        Gate("h", (2,)),
        Gate("cx", (2, 0)),
        Gate("cx", (2, 0)),
        Measure(0, 2),
        Measure(1, 1),
    ),
)
P, Q = math.sin(ANGLE / 2) ** 2, math.sin(OTHER / 2) ** 2
EXPECTED = {"0 00": (1 - P) * (1 - Q), "0 10": (1 - P) * Q, "1 00": P * (1 - Q), "1 10": P * Q}


def outcome(work: Work, target: str = "sim.auto") -> tuple[Sampled, dict[str, Any]]:
    driver = DRIVERS[target]
    plan = driver.plan(work)
    execution = driver.execute(work, plan)
    [found] = execution.outcomes
    assert isinstance(found, Sampled)
    return found, {**execution.provenance, "plan": plan}


@pytest.mark.parametrize("engine", distribution.ENGINES)
@pytest.mark.parametrize("target", ["sim.auto", "sim.statevector"])
def test_every_outcome_has_its_probability(target: str, engine: str) -> None:
    if engine.endswith("-gpu") and gpu.found().why:
        pytest.skip(f"no GPU to run on: {gpu.found().why}")
    found, told = outcome(sampling(CIRCUIT, exact_probabilities=True, engine=engine), target)
    assert found.probabilities is not None
    [exact] = found.probabilities
    assert exact == pytest.approx(EXPECTED, abs=1e-14)
    assert list(exact) == list(EXPECTED)
    assert set(found.counts[0]) <= set(exact)
    assert (told["engine"], told["precision"], told["probabilities"]) == (engine, "double", "exact")
    assert outcome_from_json(outcome_to_json(found)) == found


def test_counts_are_those_of_work_without_them() -> None:
    asked, _ = outcome(sampling(CIRCUIT, exact_probabilities=True))
    plain, told = outcome(sampling(CIRCUIT))
    assert asked.counts == plain.counts
    assert plain.probabilities is None
    assert "probabilities" not in told
    assert "probabilities" not in outcome_to_json(plain)


def test_a_sweep_has_one_mapping_for_each_set() -> None:
    circuit = Circuit(1, (Register("c", 1, 0),), ("a",), (Gate("ry", (0,), (Affine(0.0, ((0, 1.0),)),)), Measure(0, 0)))
    angles = np.linspace(0, math.pi, 5)
    found, _ = outcome(sampling(circuit, angles.reshape(5, 1), exact_probabilities=True))
    assert found.probabilities is not None
    assert [each.get("1", 0.0) for each in found.probabilities] == pytest.approx(list(np.sin(angles / 2) ** 2))


def test_registers_wider_than_a_word_and_clifford_circuits() -> None:
    width = 15  # stim would be fastest
    gates = [Gate("h", (0,)), *(Gate("cx", (q, q + 1)) for q in range(width - 1))]
    circuit = circuit_of(width, 100, *gates, Measure(0, 99), Measure(width - 1, 0))
    found, told = outcome(sampling(circuit, exact_probabilities=True))
    assert found.probabilities is not None
    assert found.probabilities[0] == pytest.approx({"0" * 100: 0.5, "1" + "0" * 98 + "1": 0.5})
    assert told["engine"] == "lightning"


WIDE = circuit_of(19, 19, *(Gate("h", (q,)) for q in range(19)), *(Measure(q, q) for q in range(19)))
LONG = circuit_of(23, 1, *(Gate("ry", (q,), (0.1,)) for q in range(23)), Measure(0, 0))


@pytest.mark.parametrize(
    ("work", "cause"),
    [
        (sampling(CIRCUIT, noise={"depolarizing_1q": 0.1}), "noise"),
        (sampling(CIRCUIT, precision="single"), "single precision"),
        (sampling(CIRCUIT, engine="qsim"), "qsim"),
        (sampling(teleportation()), "after a measurement"),
        (sampling(WIDE), "2^19 outcomes"),
        (sampling(LONG), "23 qubits"),
    ],
)
def test_what_cannot_be_had_is_refused_or_left_out(work: Work, cause: str) -> None:
    with pytest.raises(UnsupportedProgramError) as caught:
        DRIVERS["sim.auto"].plan(replace(work, options={**work.options, "exact_probabilities": True}))
    assert caught.value.code == "probabilities-unavailable"
    assert cause in caught.value.cause
    assert caught.value.next_step
    left = replace(work, options={**work.options, "exact_probabilities": "where possible"})
    plain = DRIVERS["sim.auto"].plan(work)
    plan = DRIVERS["sim.auto"].plan(left)
    assert plan == plain
    if cause == "after a measurement":
        found, told = outcome(left)
        assert found.probabilities is None
        assert cause in told["probabilities"]


def test_expectation_values_have_none() -> None:
    work = estimating(circuit_of(1, 0, Gate("h", (0,))), Observable(1, (("Z", 1.0),)))
    with pytest.raises(UnsupportedProgramError, match="cannot be given"):
        DRIVERS["sim.auto"].plan(replace(work, options={"exact_probabilities": True}))


def test_a_batch_is_bounded_as_a_whole() -> None:
    narrow = circuit_of(18, 18, *(Gate("h", (q,)) for q in range(18)), *(Measure(q, q) for q in range(18)))
    work = sampling(narrow, exact_probabilities=True)
    assert DRIVERS["sim.auto"].plan(work).engine == ("lightning",)
    with pytest.raises(LimitError) as caught:
        DRIVERS["sim.auto"].plan(replace(work, kind=JobKind.BATCH, pubs=work.pubs * 6))
    assert caught.value.code == "probabilities-too-long"


def test_targets_without_a_state_do_not_offer_them() -> None:
    assert {name for name, driver in DRIVERS.items() if "exact_probabilities" in driver.info.options} == {
        "sim.auto",
        "sim.statevector",
    }
