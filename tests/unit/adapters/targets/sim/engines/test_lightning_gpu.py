"""The state vector on a GPU against the reference: only where there is one."""

import numpy as np
import pytest

from antiphon.adapters.targets.sim import gpu

if gpu.found().why:
    pytest.skip(f"no GPU to run on: {gpu.found().why}", allow_module_level=True)

from antiphon.adapters.targets.sim import build_drivers
from antiphon.adapters.targets.sim.engines.lightning_gpu import DRAWS_THERE_FROM_QUBITS, GpuState
from antiphon.adapters.targets.sim.engines.lightning_state import LightningState, agrees_with_numpy
from antiphon.adapters.targets.sim.engines.tape import tape_of
from antiphon.domain.circuits import Circuit, Gate, Measure, Register
from antiphon.domain.observables import Observable
from reference_simulator import expectation
from sim_work import assert_samples, counts_of, estimated, estimating, sampling

AUTO = build_drivers()["sim.auto"]
NOISE = {"depolarizing_1q": 0.02, "depolarizing_2q": 0.05, "readout_p01": 0.02, "readout_p10": 0.04}


def entangled(width: int) -> list[Gate]:
    turns = [Gate("ry", (qubit,), (0.4 + 0.2 * qubit,)) for qubit in range(width)]
    return [*turns, *(Gate("cx", (qubit, qubit + 1), ()) for qubit in range(width - 1)), Gate("t", (0,), ())]


def measured(width: int) -> Circuit:
    ends = [Measure(qubit, qubit) for qubit in range(width)]
    return Circuit(width, (Register("c", width, 0),), (), (*entangled(width), *ends))


def test_every_primitive_agrees_with_numpy() -> None:
    assert agrees_with_numpy(GpuState)


@pytest.mark.parametrize("precision", ["single", "double"])
def test_counts_are_those_of_the_reference(precision: str) -> None:
    work = sampling(measured(5), shots=4000, engine="lightning-gpu", precision=precision)
    execution = AUTO.execute(work, AUTO.plan(work))
    assert_samples(counts_of(execution), measured(5), [])


def test_values_are_those_of_the_reference() -> None:
    observable = Observable(5, (("XYIZI", 0.5), ("ZZIII", -1.25), ("IIIII", 2.0), ("YIXIY", 0.75)))
    circuit = Circuit(5, (), (), tuple(entangled(5)))
    work = estimating(circuit, [observable], engine="lightning-gpu")
    values = estimated(AUTO.execute(work, AUTO.plan(work))).values
    assert values[0] == pytest.approx(expectation(circuit, observable, []), abs=1e-9)


def test_noisy_counts_agree_with_those_of_the_processor() -> None:
    shots = 20_000
    means = []
    for engine in ("trajectories", "trajectories-gpu"):
        work = sampling(measured(9), shots=shots, engine=engine, noise=NOISE)
        counts = counts_of(AUTO.execute(work, AUTO.plan(work)))
        means.append(np.array([sum(n for key, n in counts.items() if key[bit] == "1") for bit in range(9)]) / shots)
    assert np.abs(means[0] - means[1]).max() < 6 * (0.5 / shots) ** 0.5


def test_shots_drawn_on_the_device_are_those_of_the_state() -> None:
    width, shots = DRAWS_THERE_FROM_QUBITS, 20_000
    means = []
    for kind in (LightningState, GpuState):
        tape = tape_of(entangled(width), width, single=True, kind=kind)
        (row,) = tape.parameters.rows(np.zeros((1, 0)))
        state = kind(width, single=True)
        state.run(tape.calls, row)
        outcomes, times = state.draw(shots, np.random.default_rng(3))
        assert (np.diff(outcomes) > 0).all()
        means.append((outcomes[:, None] >> np.arange(width) & 1).T @ times / shots)
    assert np.abs(means[0] - means[1]).max() < 6 * (0.5 / shots) ** 0.5
