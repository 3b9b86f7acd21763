"""How often intervals of mitigated and of raw values hold the truth, where mitigation leaves no bias."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from antiphon.adapters.targets import sim
from antiphon.adapters.targets.mitigation.driver import MitigatingDriver
from antiphon.client.intervals import of_corrected, of_values
from antiphon.domain.evolve import evolve
from antiphon.domain.observables import Observable
from antiphon.domain.parameters import NO_PARAMETERS
from antiphon.domain.results import Estimated, Sampled, ShotNoise, outcome_from_json, outcome_to_json
from antiphon.domain.work import JobKind, Pub, Work
from antiphon.frontends.recognise import to_program

READOUT = {"readout_p01": 0.03, "readout_p10": 0.06}
TURNED = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; ry(0.7) q[0]; cx q[0], q[1];'
ZERO = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; x q[0]; x q[0]; id q[1];'
TIMES = 60


def estimates(source: str, shots: int, times: int = TIMES, **options: Any) -> list[Estimated]:
    driver = MitigatingDriver(sim.build_drivers()["sim.auto"])
    program, observable = to_program(source), Observable(2, (("ZZ", 1.0), ("ZI", 0.5), ("XX", 0.25)))
    pub = Pub(program, NO_PARAMETERS, shots, 1, (observable,), ())
    found = []
    plan = driver.plan(Work(JobKind.ESTIMATE, (pub,), options))
    for seed in range(times):
        outcome = driver.execute(Work(JobKind.ESTIMATE, (evolve(pub, seed=seed),), options), plan).outcomes[0]
        assert isinstance(outcome, Estimated)
        found.append(outcome)
    return found


def held(found: list[Estimated], truth: float, level: float = 0.9, method: str | None = None) -> float:
    ends = [of_values(each, level, method) for each in found]
    return float(np.mean([low[0] <= truth <= high[0] for low, high in ends]))


@pytest.mark.parametrize(
    "mitigation",
    [{"readout": True}, {"readout": True, "twirling": 4}, {"twirling": 4}],
    ids=["readout", "twirled readout", "four groups"],
)
def test_mitigated_values_are_held_as_often_as_said(mitigation: dict[str, Any]) -> None:
    noise = READOUT if "readout" in mitigation else {"depolarizing_2q": 1e-9}
    found = estimates(TURNED, 800, noise=noise, mitigation={**mitigation, "sentinel": False})
    truth = 1.0 + 0.5 * np.cos(0.7) + 0.25 * np.sin(0.7)
    share = held(found, truth)
    assert share >= 0.8, share  # 0.9 less 2.5 standard deviations of so many; few groups are held more often
    assert all(outcome_from_json(outcome_to_json(each)) == each for each in found)


@pytest.mark.parametrize("shots", [20, 4_000])
def test_corrected_probabilities_are_held_as_often_as_said(shots: int) -> None:
    driver = MitigatingDriver(sim.build_drivers()["sim.auto"])
    pub = Pub(
        to_program(TURNED.replace("qubit[2] q;", "qubit[2] q; bit[2] c;") + " c = measure q;"), NO_PARAMETERS, shots, 1
    )
    options = {"noise": READOUT, "mitigation": {"readout": True}}
    plan = driver.plan(Work(JobKind.SAMPLE, (pub,), options))
    truth, held, came = {"00": np.cos(0.35) ** 2, "11": np.sin(0.35) ** 2}, Counter[str](), Counter[str]()
    for seed in range(200):
        outcome = driver.execute(Work(JobKind.SAMPLE, (evolve(pub, seed=seed),), options), plan).outcomes[0]
        assert isinstance(outcome, Sampled)
        for key, (low, high) in of_corrected(outcome, 0, 0.9).items():
            came[key] += 1
            held[key] += low - 1e-9 <= truth.get(key, 0.0) <= high + 1e-9
    assert set(came) == {"00", "01", "10", "11"}
    # 0.9 less 2.5 standard deviations of so many; two of them are readout errors alone, of which the truth is 0.
    assert all(held[key] / came[key] >= 0.9 - 2.5 * 0.3 / came[key] ** 0.5 for key in came), (held, came)


def test_where_shots_went_by_what_came_nothing_is_shifted() -> None:
    found = estimates(TURNED, 400, 300, allocation="variance")
    truth = 1.0 + 0.5 * np.cos(0.7) + 0.25 * np.sin(0.7)
    values = np.array([each.values[0] for each in found])
    assert abs(values.mean() - truth) < 3 * values.std() / 300**0.5
    assert held(found, truth) == pytest.approx(0.9, abs=0.045)
    assert all(each.noise is not None and each.noise.high == (1.75,) for each in found)


def test_a_raw_value_of_shots_all_alike_has_a_width() -> None:
    found = estimates(ZERO, 400, noise={"readout_p01": 0.002}, mitigation={"readout": True, "sentinel": False})
    for each in found:
        assert each.details is not None
        raw = each.details["mitigation"]["raw"]
        told = Estimated((), tuple(raw["values"]), tuple(raw["stderr"]), 1, noise=ShotNoise.from_json(raw["noise"]))
        low, high = of_values(told, 0.95)
        assert 0.0 < high[0] - low[0] < 0.5
        assert high[0] <= 1.75
    assert held(found, 1.5) >= 0.85
