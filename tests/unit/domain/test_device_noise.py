import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from antiphon.domain.calibrations import Calibration
from antiphon.domain.circuits import Delay, Gate, Measure, Operation, Reset
from antiphon.domain.device_noise import DeviceNoise
from antiphon.domain.noise import Relaxation
from noisy_reference import channel_qubits, conjugated, kraus, made_up_calibration
from reference_simulator import Matrix

DEVICE = made_up_calibration()


def after(operation: Operation, rho: Matrix, calibration: Calibration = DEVICE) -> Matrix:
    """The state of the first qubits of the device after the noise of an operation."""
    for channel in DeviceNoise(calibration).after(operation):
        if max(channel_qubits(channel)) < math.log2(len(rho)):
            rho = sum(conjugated(rho, matrix, on) for matrix, on in kraus(channel, twirl=False))  # type: ignore[assignment]
    return rho


def state(*amplitudes: complex) -> Matrix:
    vector = np.array(amplitudes, dtype=complex)
    rho: Matrix = np.outer(vector, vector.conj()) / np.vdot(vector, vector)
    return rho


def average_fidelity(operation: Operation, qubit: int) -> float:
    """Of what an operation does to one of two qubits, over the six states of the axes, which average as all do."""
    states = [(1, 0), (0, 1), (1, 1), (1, -1), (1, 1j), (1, -1j)]
    found = []
    for amplitudes in states:
        own = state(*amplitudes)
        rest = state(1, 0)
        rho: Matrix = (np.kron(own, rest) if qubit == 1 else np.kron(rest, own)).astype(complex)
        found.append(np.trace(after(operation, rho) @ rho).real)
    return float(np.mean(found))


def test_a_reset_leaves_a_qubit_wrong_as_often_as_it_is_misread_on_average() -> None:
    for qubit, figures in enumerate(DEVICE.qubits[:2]):
        rho = after(Reset(qubit), state(1, 0, 0, 0))
        ones = np.diag(rho).real.reshape(2, 2).sum(axis=qubit)[1]  # index = 2·(qubit 1) + qubit 0
        assert ones == pytest.approx((figures.readout_p01 + figures.readout_p10) / 2)


def test_a_reset_that_is_not_made_by_measuring_is_perfect() -> None:
    assert DeviceNoise(replace(DEVICE, resets_by_measuring=False)).after(Reset(0)) == ()


def test_a_qubit_that_is_measured_relaxes_for_as_long_as_that_takes() -> None:
    rho = after(Measure(0, 0), state(0, 1), replace(DEVICE, crosstalk=0.0))
    assert rho[1, 1].real == pytest.approx(math.exp(-DEVICE.measure_s / DEVICE.qubits[0].t1))
    (channel,) = DeviceNoise(replace(DEVICE, crosstalk=0.0)).after(Measure(2, 0))
    assert isinstance(channel, Relaxation)
    assert (channel.qubit, channel.seconds) == (2, DEVICE.measure_s)


def test_crosstalk_costs_every_other_qubit_its_average_infidelity_and_the_measured_one_nothing() -> None:
    assert 1 - average_fidelity(Measure(0, 0), 1) == pytest.approx(DEVICE.crosstalk)
    struck = {qubit for channel in DeviceNoise(DEVICE).after(Measure(1, 0)) for qubit in channel_qubits(channel)}
    assert struck == {0, 1, 2, 3}
    without = DeviceNoise(replace(DEVICE, crosstalk=0.0)).after(Measure(1, 0))
    assert {qubit for channel in without for qubit in channel_qubits(channel)} == {1}


def test_only_qubits_in_use_suffer_from_crosstalk() -> None:
    noise = DeviceNoise(DEVICE, (3, 1))  # a program on two of them, numbered anew
    struck = [qubit for channel in noise.after(Measure(0, 0)) for qubit in channel_qubits(channel)]
    assert sorted(struck) == [0, 1]
    relaxing = next(channel for channel in noise.after(Measure(0, 0)) if isinstance(channel, Relaxation))
    assert relaxing.t1 == DEVICE.qubits[3].t1


@pytest.mark.parametrize("operation", [Gate("x", (0,)), Delay(0, 1e-6), Reset(0), Measure(0, 0)])
def test_every_channel_keeps_the_trace(operation: Operation) -> None:
    rho = state(1, 0.3j, 0.2, 1)
    assert np.trace(after(operation, rho)).real == pytest.approx(1.0)


def test_figures_that_are_not_published_leave_the_name_of_a_snapshot_as_it_was() -> None:
    plain = replace(DEVICE, resets_by_measuring=False, crosstalk=0.0)
    assert not {"resets_by_measuring", "crosstalk"} & set(plain.to_json())
    kept: Sequence[Calibration] = [DEVICE, plain]
    for each in kept:
        assert Calibration.from_json(each.to_json()) == each
    assert plain.digest != DEVICE.digest
