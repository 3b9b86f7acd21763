import math

import numpy as np
import pytest

from antiphon.adapters.targets.mitigation.cancelling import inverse_noise, total_gamma
from antiphon.adapters.targets.mitigation.paulis import twirls
from antiphon.adapters.targets.mitigation.randomising import Insertions, flips, num_twirled, randomised
from antiphon.adapters.targets.sim.matrices import apply, gate_matrix
from antiphon.domain.circuits import Gate, Operation
from antiphon.domain.device_noise import DeviceNoise
from antiphon.domain.gates import GATES
from antiphon.domain.noise import NoiseModel
from antiphon.errors import ProgramError
from calibrated_device import calibration

CLIFFORD = sorted(name for name, kind in GATES.items() if kind.num_qubits == 2 and kind.clifford)


def state_of(operations: tuple[Operation, ...], width: int) -> np.ndarray:
    state = np.zeros(2**width, dtype=np.complex128)
    state[0] = 1.0
    for operation in operations:
        assert isinstance(operation, Gate)
        angles = [angle for angle in operation.params if isinstance(angle, float)]
        state = apply(state, gate_matrix(operation.name, angles), operation.qubits)
    return state


@pytest.mark.parametrize(("name", "number"), [*((name, 16) for name in CLIFFORD), ("rzz", 8), ("rzx", 8), ("rxx", 8)])
def test_twirls_of_a_gate_leave_it_as_it_is(name: str, number: int) -> None:
    gate = Gate(name, (0, 1), (0.7,) * GATES[name].num_params)
    found = twirls(gate)
    assert len({before for before, _ in found}) == number
    start = (Gate("u", (0,), (0.3, 0.5, 0.1)), Gate("u", (1,), (1.1, 0.2, 0.9)))
    for before, after in found:
        around = [
            tuple(Gate(letter.lower(), (qubit,)) for qubit, letter in enumerate(letters) if letter != "I")
            for letters in (before, after)
        ]
        twirled, plain = state_of((*start, *around[0], gate, *around[1]), 2), state_of((*start, gate), 2)
        assert abs(abs(np.vdot(twirled, plain)) - 1.0) < 1e-9


def test_gates_that_are_not_twirled() -> None:
    assert twirls(Gate("cp", (0, 1), (0.3,))) == ()
    assert twirls(Gate("h", (0,))) == ()
    assert num_twirled((Gate("h", (0,)), Gate("cx", (0, 1)), Gate("ccx", (0, 1, 2)))) == 1


def test_random_instances_differ_and_do_the_same() -> None:
    operations = (Gate("h", (0,)), Gate("cx", (0, 1)), Gate("rzz", (1, 2), (0.4,)), Gate("ecr", (2, 0)))
    made = [randomised(operations, np.random.default_rng(seed), twirl=True) for seed in range(8)]
    assert len(set(made)) > 4
    for instance in made:
        assert abs(abs(np.vdot(state_of(instance, 3), state_of(operations, 3))) - 1.0) < 1e-9


def test_flips_come_in_complementary_pairs() -> None:
    masks = [flips(20, index, lambda pair: np.random.default_rng(pair)) for index in range(8)]
    assert all(np.array_equal(np.logical_not(masks[2 * pair]), masks[2 * pair + 1]) for pair in range(4))
    assert len(set(masks)) == 8


def test_the_weight_of_an_inverse_is_that_of_the_closed_form() -> None:
    p = 0.02
    (inverse,) = inverse_noise(NoiseModel(depolarizing_1q=p))(Gate("h", (3,)))
    assert inverse.qubits == (3,)
    assert inverse.gamma == pytest.approx((3 / (1 - p) - 1) / 2)
    assert sum(inverse.weights) == pytest.approx(1.0)


def test_an_inverse_undoes_the_noise_on_average() -> None:
    """Over all Pauli strings, exactly: noise and then its inverse multiply each of them with 1."""
    noise = NoiseModel(depolarizing_2q=0.1)
    gate = Gate("cx", (0, 1))
    (inverse,) = inverse_noise(noise)(gate)
    chances = dict.fromkeys(inverse.strings, 0.1 / 16) | {"II": 1 - 0.1 * 15 / 16}

    def sign(left: str, right: str) -> int:
        return -1 if sum(a != "I" and b != "I" and a != b for a, b in zip(left, right, strict=True)) % 2 else 1

    for seen in inverse.strings:
        kept = sum(sign(seen, error) * chance for error, chance in chances.items())
        undone = sum(
            sign(seen, string) * weight for string, weight in zip(inverse.strings, inverse.weights, strict=True)
        )
        assert kept * undone == pytest.approx(1.0)


def test_a_device_s_noise_has_an_inverse_too() -> None:
    noise = DeviceNoise(calibration(0.0))
    (inverse,) = inverse_noise(noise)(Gate("cz", (0, 1)))
    assert set(inverse.qubits) == {0, 1}
    assert 1.0 < inverse.gamma < 1.1
    assert sum(inverse.weights) == pytest.approx(1.0)
    assert inverse_noise(NoiseModel())(Gate("h", (0,))) == ()


def test_a_circuit_that_nobody_can_pay_for_is_refused() -> None:
    inverse_of = inverse_noise(NoiseModel(depolarizing_2q=0.1))
    assert total_gamma((Gate("cx", (0, 1)),), inverse_of) > 1.1
    with pytest.raises(ProgramError, match="pec") as refused:
        total_gamma((Gate("cx", (0, 1)),) * 60, inverse_of)
    assert "zne" in refused.value.next_step


def test_insertions_are_drawn_as_their_weights_say() -> None:
    gates = (Gate("cx", (0, 1)), Gate("h", (0,)), Gate("cx", (1, 2)))
    inverse_of = inverse_noise(NoiseModel(depolarizing_1q=0.05, depolarizing_2q=0.2))
    insertions = Insertions.of(gates, inverse_of)
    rng = np.random.default_rng(6)
    runs = [insertions.drawn(rng) for _ in range(6000)]
    assert all(any(put.values()) for put, _ in runs), "at least one is put"
    chance, gamma = insertions.none_chance, total_gamma(gates, inverse_of)
    assert gamma == pytest.approx(math.prod(inverse.gamma for _, inverse in insertions.sites))
    # The weights of all strings at all sites sum to 1, and those without any insertion to gamma * chance.
    mean_sign = float(np.mean([sign for _, sign in runs]))
    assert gamma * (chance + (1 - chance) * mean_sign) == pytest.approx(1.0, abs=0.03)
    touched = np.mean([bool(put.get(1)) for put, _ in runs])
    (_, single) = insertions.sites[1]
    assert touched * (1 - chance) == pytest.approx(1 - abs(single.weights[0]) / single.gamma, abs=0.01)
