from __future__ import annotations

import math
import random
from dataclasses import replace
from statistics import fmean, pvariance

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.domain.calibrations import Calibration, GateFigures, QubitFigures
from antiphon.domain.policies.drift import DAY_S, Drift, Wandering

NOW = 1_700_000_000.0
QUBITS = 300
UNDISTURBED = Drift(jumps_per_day=0.0, kept_readout=1.0, kept_gates=1.0)


def device(qubits: int = QUBITS) -> Calibration:
    pair = GateFigures(4e-3, 7e-8)
    pairs: dict[tuple[int, ...], GateFigures] = {(0, 1): pair, (1, 0): pair} if qubits > 1 else {}
    return Calibration(
        "emu.tests",
        NOW - 100 * DAY_S,
        (QubitFigures(100e-6, 90e-6, 0.01, 0.02),) * qubits,
        {
            "sx": {(q,): GateFigures(2e-4, 3e-8) for q in range(qubits)},
            "rz": {(0,): GateFigures(0.0, 0.0)},
            "cz": pairs,
        },
        1e-6,
        2e-6,
        5e-7,
    )


def logs(found: Calibration) -> list[float]:
    return [math.log(each.t1 / 100e-6) for each in found.qubits]


@pytest.mark.parametrize("every_s", [DAY_S, 3 * 3600.0])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_the_spread_is_the_stated_one_at_any_time_and_for_any_rhythm_of_calibrations(
    every_s: float, part: float
) -> None:
    wandering = Wandering(device(), UNDISTURBED, 3, every_s)
    at = (1_000 + part) * every_s
    found = logs(wandering.true(at))
    assert abs(fmean(found)) < 5 * 0.35 / math.sqrt(QUBITS)
    assert pvariance(found) == pytest.approx(0.35**2, rel=5 * math.sqrt(2 / QUBITS))


@pytest.mark.parametrize("later_s", [3600.0, 6 * 3600.0, DAY_S, 2 * DAY_S])
def test_a_figure_forgets_itself_with_the_stated_correlation_time(later_s: float) -> None:
    wandering = Wandering(device(), UNDISTURBED, 4, DAY_S)
    begin = 700 * DAY_S + 5 * 3600.0
    before, after = logs(wandering.true(begin)), logs(wandering.true(begin + later_s))
    correlation = fmean(a * b for a, b in zip(before, after, strict=True)) / 0.35**2
    assert correlation == pytest.approx(math.exp(-later_s / DAY_S), abs=5 * 1.5 / math.sqrt(QUBITS))


def test_a_calibration_takes_back_what_gates_wandered_and_leaves_coherence_as_it_is() -> None:
    wandering = Wandering(device(), Drift(jumps_per_day=0.0), 5, DAY_S)
    at = wandering.published_at(NOW)
    before, after = wandering.true(at - 1.0), wandering.true(at)
    assert logs(after) == pytest.approx(logs(before), abs=0.2)  # one step of ten minutes apart
    gates = [math.log(before.gates["sx"][q,].error / 2e-4) for q in range(QUBITS)]
    tuned = [math.log(after.gates["sx"][q,].error / 2e-4) for q in range(QUBITS)]
    assert pvariance(tuned) == pytest.approx(0.3**2 * pvariance(gates), rel=0.2)


def test_what_is_published_is_what_was_true_then_and_stays_so_until_the_next_calibration() -> None:
    wandering = Wandering(device(5), Drift(), 6, DAY_S)
    at = wandering.published_at(NOW)
    assert at <= NOW < at + DAY_S
    assert wandering.published(NOW) == wandering.true(at)
    assert wandering.published(at + DAY_S - 1.0).digest == wandering.published(NOW).digest
    assert wandering.published(at + DAY_S).digest != wandering.published(NOW).digest
    assert wandering.true(at + DAY_S - 1.0).digest != wandering.published(NOW).digest


def test_a_jump_moves_the_whole_device_and_is_forgotten() -> None:
    still = Drift(0.0, 0.0, 0.0, 0.0, 0.0, jumps_per_day=1.0, jump=0.5, jump_memory_s=3600.0)
    wandering = Wandering(device(20), still, 7, DAY_S)
    path = [logs(wandering.true(NOW + minute * 600.0)) for minute in range(6 * 24)]
    assert all(max(at) - min(at) < 1e-9 for at in path)
    heights = [abs(at[0]) for at in path]
    assert max(heights) > 0.1
    assert min(heights) < max(heights) / 10


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10),
    at=st.floats(0.0, 4e9),
    sigma=st.floats(0.0, 3.0),
    every_s=st.floats(1800.0, 7 * DAY_S),
)
def test_whatever_happens_figures_stay_possible(seed: int, at: float, sigma: float, every_s: float) -> None:
    drift = Drift(sigma, sigma, sigma, sigma, sigma, jumps_per_day=0.2, jump=sigma)
    for found in (wandering := Wandering(device(3), drift, seed, every_s)).true(at), wandering.published(at):
        for qubit in found.qubits:
            assert 0.0 < qubit.t2 <= 2 * qubit.t1
            assert 0.0 <= qubit.readout_p01 <= 0.5
            assert 0.0 <= qubit.readout_p10 <= 0.5
        assert all(0.0 <= each.error <= 0.75 for on in found.gates.values() for each in on.values())
        assert found.gates["rz"][0,] == GateFigures(0.0, 0.0)
        assert found.gates["cz"][0, 1] == found.gates["cz"][1, 0]
        assert found.gates["cz"][0, 1].seconds == 7e-8


def test_the_path_is_the_same_in_whichever_order_it_is_asked_for() -> None:
    times = [NOW + hour * 3700.0 for hour in range(40)]
    asked = dict.fromkeys(times, "")
    one = Wandering(device(4), Drift(), 8, 6 * 3600.0)
    for at in times:
        asked[at] = one.true(at).digest
    random.Random(1).shuffle(times)
    other = Wandering(device(4), Drift(), 8, 6 * 3600.0)
    assert {at: other.true(at).digest for at in times} == asked
    assert len(set(asked.values())) == len(asked)


def test_another_seed_is_another_history_and_another_device_too() -> None:
    here = Wandering(device(4), Drift(), 8, DAY_S).true(NOW)
    assert Wandering(device(4), Drift(), 8, DAY_S).true(NOW) == here
    assert Wandering(device(4), Drift(), 9, DAY_S).true(NOW).qubits != here.qubits
    assert Wandering(replace(device(4), target="emu.other"), Drift(), 8, DAY_S).true(NOW).qubits != here.qubits


def test_the_fine_points_of_a_day_do_not_move_when_they_are_looked_at_finer() -> None:
    coarse = Wandering(device(4), Drift(resolution_s=6 * 3600.0), 8, DAY_S)
    fine = Wandering(device(4), Drift(resolution_s=700.0), 8, DAY_S)
    assert coarse.true(500 * DAY_S + 6 * 3600.0) == fine.true(500 * DAY_S + 6 * 3600.0)


def test_a_time_that_never_ends_does_not_relax() -> None:
    forever = replace(device(1), qubits=(QubitFigures(math.inf, math.inf, 0.0, 0.0),))
    found = Wandering(forever, Drift(), 1, DAY_S).true(NOW).qubits[0]
    assert found == QubitFigures(math.inf, math.inf, 0.0, 0.0)
