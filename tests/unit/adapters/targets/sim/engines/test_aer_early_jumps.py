"""A loop before every measurement runs on Aer, which by itself loses the place that it jumps to."""

from __future__ import annotations

import pytest

from antiphon.adapters.targets.sim import build_drivers
from antiphon.domain.circuits import Bit, Gate, If, Measure, Not, While
from antiphon.domain.noise import NoiseModel
from sim_work import circuit_of, counts_of, sampling


@pytest.mark.parametrize("target", ["sim.mps", "sim.density_matrix"])
def test_a_loop_may_come_first(target: str) -> None:
    driver = build_drivers()[target]
    until_one = While(Not(Bit(0)), (Gate("h", (0,)), Measure(0, 0)))
    work = sampling(circuit_of(1, 1, until_one), shots=50)
    assert counts_of(driver.execute(work, driver.plan(work))) == {"1": 50}


def test_a_bit_that_was_never_measured_is_0_whatever_readout_does() -> None:
    driver = build_drivers()["sim.density_matrix"]
    branch = If(Bit(0), (Gate("x", (0,)),))
    noise = NoiseModel(readout_p01=1.0).to_json()
    work = sampling(circuit_of(1, 2, branch, Measure(0, 1)), shots=50, noise=noise)
    assert counts_of(driver.execute(work, driver.plan(work))) == {"10": 50}
