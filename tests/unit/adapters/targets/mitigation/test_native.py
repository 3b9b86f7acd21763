import numpy as np
import pytest

from antiphon.adapters.targets import emu
from antiphon.adapters.targets.mitigation.native import in_native_gates
from antiphon.adapters.targets.sim.matrices import apply, gate_matrix
from antiphon.domain.circuits import Affine, Barrier, Delay, Gate, Operation

DEVICES = {name: driver.info.device for name, driver in emu.build_drivers().items()}


def state_of(operations: tuple[Operation, ...]) -> np.ndarray:
    state = np.zeros(4, dtype=np.complex128)
    state[0] = 1.0
    for operation in operations:
        if isinstance(operation, Gate):
            angles = [angle for angle in operation.params if isinstance(angle, int | float)]
            state = apply(state, gate_matrix(operation.name, angles), operation.qubits)
    return state


@pytest.mark.parametrize("name", sorted(DEVICES))
def test_gates_that_were_put_in_become_native_and_do_the_same(name: str) -> None:
    shape = DEVICES[name]
    assert shape is not None
    pair = next(gate for gate in ("cz", "cx", "ecr", "rzz") if gate in shape.native_gates)
    two = Gate(pair, (0, 1), (0.7,) if pair == "rzz" else ())
    operations: tuple[Operation, ...] = (
        *(Gate(letter, (qubit,)) for qubit, letter in ((0, "h"), (0, "y"), (1, "sdg"), (1, "h"))),
        two,
        Gate("x", (0,)),
        Delay(0, 1e-7),
        Gate("z", (0,)),
        Gate("u", (1,), (0.3, 0.2, 0.9)),
        two,
    )
    made = in_native_gates(shape.native_gates)(operations)
    assert {gate.name for gate in made if isinstance(gate, Gate)} <= set(shape.native_gates)
    assert abs(abs(np.vdot(state_of(made), state_of(operations))) - 1.0) < 1e-9
    assert sum(isinstance(each, Delay) for each in made) == 1


def test_neighbours_are_joined_up_to_what_must_stay() -> None:
    native = in_native_gates(("rz", "sx", "x", "cz"))
    assert native((Gate("x", (0,)), Gate("x", (0,)))) == ()
    assert native((Gate("x", (0,)), Barrier((0,)), Gate("x", (0,)))) == (
        Gate("x", (0,)),
        Barrier((0,)),
        Gate("x", (0,)),
    )
    pulses = [gate for gate in native((Gate("x", (0,)), Gate("h", (0,)), Gate("y", (0,)))) if isinstance(gate, Gate)]
    assert sum(gate.name != "rz" for gate in pulses) == 1, "one pulse for three gates"


def test_free_angles_stay_free() -> None:
    free = Gate("rz", (0,), (Affine(0.0, ((0, 1.0),)),))
    made = in_native_gates(("rz", "sx", "x", "cz"))((Gate("y", (0,)), free, Gate("x", (0,))))
    assert free in made
    assert made[-1] == Gate("x", (0,))
