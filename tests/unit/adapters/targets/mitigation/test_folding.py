import warnings

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

from antiphon.adapters.targets.emu.to_qiskit import to_qiskit
from antiphon.adapters.targets.mitigation.folding import can_fold, folded
from antiphon.adapters.targets.mitigation.inverses import inverse_of
from antiphon.adapters.targets.sim.matrices import apply, gate_matrix, unitary_matrix
from antiphon.domain.circuits import Barrier, Circuit, Delay, Gate, Measure, Operation, Unitary
from antiphon.domain.gates import GATES
from antiphon.errors import UnsupportedProgramError

CIRCUIT: tuple[Operation, ...] = (
    Gate("h", (0,)),
    Gate("cx", (0, 1)),
    Gate("rz", (1,), (0.3,)),
    Gate("rzz", (1, 2), (0.4,)),
    Gate("u", (2,), (0.1, 0.2, 0.3)),
    Gate("iswap", (0, 2)),
    Gate("cp", (1, 0), (0.7,)),
)


def unitary_of(operations: tuple[Operation, ...], width: int) -> np.ndarray:
    columns = []
    for basis in range(2**width):
        state = np.zeros(2**width, dtype=np.complex128)
        state[basis] = 1.0
        for operation in operations:
            if isinstance(operation, Gate):
                angles = [angle for angle in operation.params if isinstance(angle, float)]
                state = apply(state, gate_matrix(operation.name, angles), operation.qubits)
            elif isinstance(operation, Unitary):
                state = apply(state, unitary_matrix(operation), operation.qubits)
        columns.append(state)
    return np.stack(columns, axis=1)


def same_up_to_phase(left: np.ndarray, right: np.ndarray) -> bool:
    return bool(np.isclose(abs(np.trace(left.conj().T @ right)), len(left), atol=1e-9))


@pytest.mark.parametrize("name", sorted(GATES))
def test_every_gate_has_its_inverse(name: str) -> None:
    kind = GATES[name]
    gate = Gate(name, tuple(range(kind.num_qubits)), tuple(0.3 + 0.4 * place for place in range(kind.num_params)))
    both = unitary_of((gate, *inverse_of(gate)), kind.num_qubits)
    assert same_up_to_phase(both, np.eye(len(both)))


def test_a_unitary_and_a_delay_have_inverses_and_a_measurement_none() -> None:
    matrix = tuple(gate_matrix("iswap").ravel().tolist())
    unitary = Unitary(matrix, (0, 1))
    assert same_up_to_phase(unitary_of((unitary, *inverse_of(unitary)), 2), np.eye(4))
    assert inverse_of(Delay(0, 1e-6)) == (Delay(0, 1e-6),)
    with pytest.raises(UnsupportedProgramError, match="cannot be undone"):
        inverse_of(Measure(0, 0))


@pytest.mark.parametrize("folding", ["two-qubit", "all", "circuit"])
@pytest.mark.parametrize("factor", [1.0, 1.5, 3.0, 4.4, 7.0])
def test_folding_changes_nothing_but_the_number_of_gates(folding: str, factor: float) -> None:
    made, reached = folded(CIRCUIT, factor, folding, np.random.default_rng(1))
    assert same_up_to_phase(unitary_of(made, 3), unitary_of(CIRCUIT, 3))
    assert abs(reached - factor) <= 1.0 / 4  # of four two-qubit gates at least, one more or less
    if factor == 3.0:
        assert reached == 3.0


def test_a_factor_of_three_triples_the_gates_that_are_folded() -> None:
    made, _ = folded(CIRCUIT, 3.0, "two-qubit", np.random.default_rng(1))
    names = [operation.name for operation in made if isinstance(operation, Gate)]
    assert [names.count(name) for name in ("cx", "rzz", "cp", "iswap", "h", "rz")] == [3, 3, 3, 3, 1, 1]


def test_a_barrier_stands_between_a_gate_and_its_inverse() -> None:
    made, _ = folded((Gate("cz", (0, 1)),), 3.0, "two-qubit", np.random.default_rng(1))
    gate, barrier = Gate("cz", (0, 1)), Barrier((0, 1))
    assert made == (gate, barrier, gate, barrier, gate)


@pytest.mark.parametrize("factor", [1.0, 2.0, 3.0, 5.0])
def test_as_many_gates_as_qiskit_mitigation_folds(factor: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from qiskit_mitigation.zne.gate_folding import GateFoldingPass
    operations = tuple(Gate("cx", (q, q + 1)) for q in range(3)) * 4
    theirs: QuantumCircuit = GateFoldingPass(factor, seed=1)(to_qiskit(Circuit(4, (), (), operations)))
    ours, _ = folded(operations, factor, "two-qubit", np.random.default_rng(1))
    assert sum(isinstance(operation, Gate) for operation in ours) == theirs.count_ops()["cx"]
    assert Operator(theirs).equiv(Operator(to_qiskit(Circuit(4, (), (), ours))))


def test_what_can_be_folded() -> None:
    single = (Gate("h", (0,)), Gate("id", (0,)))
    assert not can_fold(single, "two-qubit")
    assert can_fold(single, "all")
    assert can_fold(single, "circuit")
    assert not can_fold((Gate("id", (0,)), Measure(0, 0)), "all")
