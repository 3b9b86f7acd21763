"""Channels in the forms that engines apply, against Kraus operators written apart."""

import itertools
import math

import numpy as np
import pytest

from antiphon.adapters.targets.sim.channels import errors_of, pauli_channels, superoperators
from antiphon.domain.circuits import Delay, Gate
from antiphon.domain.device_noise import DeviceNoise
from antiphon.domain.noise import NoiseModel, PauliChannel, Relaxation
from noisy_reference import MICRO, conjugated, kraus, made_up_calibration
from reference_simulator import PAULIS, Matrix

NOISE = DeviceNoise(made_up_calibration())
RELAXATIONS = [
    Relaxation(0, seconds, t1, t2)
    for seconds in (1e-12, 50e-9, 3 * MICRO, 100 * MICRO)
    for t1, t2 in (
        (10 * MICRO, 4 * MICRO),
        (10 * MICRO, 10 * MICRO),
        (10 * MICRO, 13 * MICRO),
        (10 * MICRO, 20 * MICRO),
        (math.inf, 5 * MICRO),
    )
]


def states(width: int) -> list[Matrix]:
    """Matrices that span all operators on `width` qubits."""
    size = 2**width
    found = []
    for row, column in itertools.product(range(size), repeat=2):
        unit: Matrix = np.zeros((size, size), dtype=complex)
        unit[row, column] = 1.0
        found.append(unit)
    return found


def after(rho: Matrix, channels: tuple[PauliChannel | Relaxation, ...], *, twirl: bool = False) -> Matrix:
    for channel in channels:
        total = np.zeros_like(rho)
        for matrix, qubits in kraus(channel, twirl=twirl):
            total += conjugated(rho, matrix, qubits)
        rho = total
    return rho


@pytest.mark.parametrize("operation", [Gate("sx", (0,)), Gate("cz", (1, 0)), Gate("cx", (0, 1)), Delay(1, 4 * MICRO)])
def test_superoperators_are_the_channels_in_order(operation: Gate | Delay) -> None:
    ((matrix, qubits),) = superoperators(NOISE, operation)
    assert set(qubits) == ({operation.qubit} if isinstance(operation, Delay) else set(operation.qubits))
    for rho in states(len(qubits)):
        # The reference counts qubits as the matrix does.
        channels = tuple(_moved(channel, qubits) for channel in NOISE.after(operation))
        found = (matrix @ rho.reshape(-1, order="F")).reshape(rho.shape, order="F")
        assert np.allclose(found, after(rho, channels), atol=1e-12)


@pytest.mark.parametrize("operation", [Gate("h", (1,)), Gate("cz", (1, 0)), Gate("cx", (0, 1)), Delay(0, 2 * MICRO)])
def test_pauli_channels_are_the_twirled_ones_merged(operation: Gate | Delay) -> None:
    (merged,) = pauli_channels(NOISE, operation)
    channels = tuple(_moved(channel, merged.qubits) for channel in NOISE.after(operation))
    alone = (_moved(merged, merged.qubits),)
    for rho in states(len(merged.qubits)):
        assert np.allclose(after(rho, alone), after(rho, channels, twirl=True), atol=1e-12)


def test_depolarising_noise_is_left_as_it_is() -> None:
    model = NoiseModel(depolarizing_2q=0.16)
    (channel,) = pauli_channels(model, Gate("cx", (3, 1)))
    assert channel == model.after(Gate("cx", (3, 1)))[0]
    assert pauli_channels(NoiseModel(readout_p01=0.1), Gate("cx", (3, 1))) == ()


@pytest.mark.parametrize("channel", RELAXATIONS)
def test_relaxation_as_nothing_or_rare_errors_is_exact(channel: Relaxation) -> None:
    errors = errors_of(channel)
    chance = sum(error.chance for error in errors)
    assert 0.0 <= chance <= 1.0 + 1e-12
    for rho in states(1):
        found = (1.0 - chance) * rho
        for error in errors:
            struck = rho
            for name, _ in error.paulis:
                struck = PAULIS[name.upper()] @ struck @ PAULIS[name.upper()]
            if error.damped is not None:
                stay = np.diag([1.0, error.damped[1]]).astype(complex)
                fall = np.array([[0, math.sqrt(1.0 - error.damped[1] ** 2)], [0, 0]], dtype=complex)
                struck = stay @ struck @ stay + fall @ struck @ fall.conj().T
            found = found + error.chance * struck
        assert np.allclose(found, after(rho, (channel,)), atol=1e-9)


def test_weak_relaxation_rarely_needs_anything_done() -> None:
    weak = Relaxation(0, 50e-9, 200 * MICRO, 250 * MICRO)
    assert sum(error.chance for error in errors_of(weak)) < 5 * weak.seconds / weak.t1


def _moved(channel: PauliChannel | Relaxation, qubits: tuple[int, ...]) -> PauliChannel | Relaxation:
    if isinstance(channel, Relaxation):
        return Relaxation(qubits.index(channel.qubit), channel.seconds, channel.t1, channel.t2)
    return PauliChannel(tuple(qubits.index(qubit) for qubit in channel.qubits), channel.errors)
