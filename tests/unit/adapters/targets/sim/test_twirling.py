from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon import Workspace
from antiphon.adapters.targets.sim.demand import Choice
from antiphon.adapters.targets.sim.noisy import plan_noisy
from antiphon.adapters.targets.sim.twirling import MOST, moved_by_twirling
from antiphon.domain.calibrations import GateFigures
from antiphon.domain.circuits import Circuit, Delay, Gate, Measure, Operation
from antiphon.domain.device_noise import DeviceNoise
from antiphon.domain.noise import NoiseModel
from noisy_reference import MICRO, made_up_calibration
from sim_work import circuit_of, sampling

NOISE = DeviceNoise(made_up_calibration())


def waiting(num_qubits: int, seconds: float, *between: Operation) -> Circuit:
    excited = [Gate("x", (qubit,)) for qubit in range(num_qubits)]
    waits = [Delay(qubit, seconds) for qubit in range(num_qubits)]
    measured = [Measure(qubit, qubit) for qubit in range(num_qubits)]
    return circuit_of(num_qubits, num_qubits, *excited, *between, *waits, *measured)


def test_a_wait_is_moved_by_half_of_what_relaxes() -> None:
    t1 = NOISE.calibration.qubits[0].t1
    moved = moved_by_twirling((Delay(0, 0.2 * t1), Delay(0, 0.3 * t1), Delay(1, 1e-9)), NOISE)
    assert moved == pytest.approx((1.0 - math.exp(-0.5)) / 2.0)
    assert moved_by_twirling((Gate("x", (0,)),), NOISE) == 0.0
    assert moved_by_twirling((Delay(0, 1.0),), NoiseModel(depolarizing_1q=0.1)) == 0.0


def alike(num_qubits: int) -> DeviceNoise:
    qubit, gate = NOISE.calibration.qubits[0], NOISE.calibration.gates["x"][(0,)]
    gates: dict[str, dict[tuple[int, ...], GateFigures]] = {"x": {(number,): gate for number in range(num_qubits)}}
    return DeviceNoise(replace(NOISE.calibration, qubits=(qubit,) * num_qubits, gates=gates))


def planned(circuit: Circuit, noise: DeviceNoise = NOISE) -> Choice:
    return plan_noisy(sampling(circuit_of(1, 1, Measure(0, 0)), shots=1000).pubs[0], circuit, noise)


def test_an_engine_that_does_not_twirl_is_taken_where_it_would_show() -> None:
    assert planned(waiting(2, 0.01 * MICRO)).engine == "stim"
    assert planned(waiting(2, 4 * MICRO)).engine == "aer-density-matrix"
    assert planned(waiting(2, 4 * MICRO, Measure(0, 0), Gate("x", (0,)))).engine == "noisy-branching"


def test_where_there_is_none_the_reason_says_how_far_it_is_off() -> None:
    wide = alike(13)
    chosen = planned(waiting(13, 4 * MICRO), wide)
    assert chosen.engine == "stim"
    off = moved_by_twirling((Delay(0, 4 * MICRO),), wide)
    assert off > MOST
    assert f"up to {off:.2g} off in a probability" in chosen.reason
    assert "Pauli errors" not in planned(waiting(13, 0.01 * MICRO), wide).reason


def test_no_program_becomes_slow_for_it() -> None:
    wide = alike(12)
    many = [Gate("x", (number,)) for number in range(12)] * 50
    assert planned(waiting(12, 4 * MICRO, *many), wide).engine == "stim"
    assert planned(waiting(8, 4 * MICRO), wide).engine == "aer-density-matrix"


def test_on_a_device_an_excited_qubit_decays_to_the_ground_state(tmp_path: Path) -> None:
    shots, seconds = 4000, 300 * MICRO
    program = f"""OPENQASM 3.0; include "stdgates.inc"; qubit q; bit c;
        x q; delay[{seconds * 1e6:.0f}us] q; c = measure q;"""
    with Workspace(tmp_path) as ws:
        target = ws.target("emu.manila")
        figures = target.calibrations(limit=1)[0].qubits[2]
        ones = target.submit(program, shots, seed=1, layout=[2], execution="inline").result().counts.get("1", 0)
    left = math.exp(-seconds / figures.t1)
    expected = left * (1.0 - figures.readout_p10) + (1.0 - left) * figures.readout_p01
    assert ones / shots == pytest.approx(expected, abs=5 * math.sqrt(0.25 / shots))
    assert left < 0.2


def test_whoever_submits_is_warned_of_it(tmp_path: Path) -> None:
    lines = "".join(f"x q[{q}]; delay[100us] q[{q}]; " for q in range(13))
    program = f'OPENQASM 3.0; include "stdgates.inc"; qubit[13] q; bit[13] c; {lines} c = measure q;'
    with Workspace(tmp_path) as ws:
        target = ws.target("emu.heron")
        noted = target.quote(program, 100).notes
        checked = target.check(program).verdicts[0].warnings
        job = target.submit(program, 100, seed=1)
        narrow = target.submit(program.replace("[13]", "[2]").replace(lines, "x q; delay[100us] q;"), 100, seed=1)
        assert any("off in a probability" in said for said in noted)
        assert any("off in a probability" in said for said in checked)
        assert any("off in a probability" in said for said in job.warnings)
        assert not any("off in a probability" in said for said in narrow.warnings)
