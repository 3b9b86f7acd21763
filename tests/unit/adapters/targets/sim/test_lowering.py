import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.clifford import clifford_steps, is_clifford, quarter_turns
from antiphon.adapters.targets.sim.lowering import PRIMITIVES, lower
from antiphon.adapters.targets.sim.matrices import apply, gate_matrix
from antiphon.domain.circuits import Gate
from antiphon.domain.gates import GATES

# Rotations that are Clifford at multiples of this fraction of π: a stabilizer engine accepts them there.
ROTATIONS_CLIFFORD_AT = {
    "rx": 0.5,
    "ry": 0.5,
    "rz": 0.5,
    "p": 0.5,
    "rxx": 0.5,
    "ryy": 0.5,
    "rzz": 0.5,
    "rzx": 0.5,
    "cp": 1.0,
}


def assert_same_up_to_phase(found: NDArray[np.complex128], expected: NDArray[np.complex128]) -> None:
    overlap = np.vdot(found, expected) / len(expected)
    assert abs(abs(overlap) - 1) < 1e-12
    np.testing.assert_allclose(found * overlap, expected, atol=1e-12)


def matrix_of(steps: Sequence[tuple[str, tuple[int, ...], tuple[float, ...]]], width: int) -> NDArray[np.complex128]:
    columns = []
    for column in np.eye(2**width, dtype=np.complex128):
        state = column
        for name, qubits, angles in steps:
            state = apply(state, gate_matrix(name, angles), qubits)
        columns.append(state)
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("name", GATES)
def test_lowered_gates_multiply_to_the_gate(name: str) -> None:
    kind = GATES[name]
    params = (0.3, 1.1, -0.7, 2.9)[: kind.num_params]
    steps = lower(Gate(name, tuple(range(kind.num_qubits)), params))
    assert {step[0] for step in steps} <= PRIMITIVES
    numbers: list[tuple[str, tuple[int, ...], tuple[float, ...]]] = []
    for step, qubits, angle in steps:
        assert angle is None or isinstance(angle, float)
        numbers.append((step, qubits, () if angle is None else (angle,)))
    assert_same_up_to_phase(matrix_of(numbers, kind.num_qubits), gate_matrix(name, params))


def clifford_cases() -> list[tuple[str, tuple[float, ...]]]:
    cases: list[tuple[str, tuple[float, ...]]] = [(name, ()) for name, kind in GATES.items() if kind.clifford]
    for name, fraction in ROTATIONS_CLIFFORD_AT.items():
        cases.extend((name, (turn * fraction * math.pi,)) for turn in range(-4, 6))
    quarter = math.pi / 2
    cases.extend(("u", (a * quarter, b * quarter, c * quarter)) for a in range(4) for b in range(4) for c in (0, 3))
    cases.extend(("r", (a * quarter, b * quarter)) for a in range(4) for b in range(4))
    return cases


@pytest.mark.parametrize(("name", "angles"), clifford_cases())
def test_clifford_gates_as_clifford_primitives(name: str, angles: tuple[float, ...]) -> None:
    width = GATES[name].num_qubits
    steps = clifford_steps(Gate(name, tuple(range(width))), angles)
    assert steps is not None
    assert_same_up_to_phase(matrix_of([(step, q, ()) for step, q in steps], width), gate_matrix(name, angles))


@pytest.mark.parametrize(
    ("name", "angles"), [("t", ()), ("ch", ()), ("ccx", ()), ("rz", (0.785,)), ("cp", (math.pi / 2,)), ("rx", (1e-9,))]
)
def test_what_is_not_clifford(name: str, angles: tuple[float, ...]) -> None:
    assert not is_clifford(Gate(name, tuple(range(GATES[name].num_qubits))), angles)


def test_quarter_turns_do_not_round_small_angles_away() -> None:
    assert quarter_turns(math.pi / 2) == 1
    assert quarter_turns(-math.pi / 2) == 3
    assert quarter_turns(50 * math.pi + 1e-15) == 0
    assert quarter_turns(1e-10) is None
