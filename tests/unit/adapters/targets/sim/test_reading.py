import numpy as np
import pytest
from hypothesis import given, settings

from antiphon.adapters.targets.sim.reading import features_of
from antiphon.domain.circuits import (
    AssignBit,
    Barrier,
    Bit,
    Break,
    Circuit,
    Delay,
    For,
    Gate,
    If,
    Measure,
    Operation,
    Reset,
    While,
)
from reference_simulator import state_vector
from sim_work import circuit_of, static_circuits

H0, H1, CX = Gate("h", (0,)), Gate("h", (1,)), Gate("cx", (0, 1))


def test_idle_qubits_are_left_out() -> None:
    features = features_of(circuit_of(9, 3, Gate("cx", (7, 2)), Measure(2, 0), Measure(5, 1), Measure(7, 2)))
    assert features.qubits == (2, 7)
    assert features.gates == (Gate("cx", (1, 0)),)
    assert features.readout == ((0, 0), (-1, 1), (1, 2))


def test_a_bit_measured_twice_takes_the_last() -> None:
    features = features_of(circuit_of(2, 1, CX, H0, Measure(0, 0), Measure(1, 0)))
    assert features.readout == ((1, 0),)


def test_a_qubit_measured_before_its_first_gate_reads_zero() -> None:
    features = features_of(circuit_of(1, 2, Measure(0, 0), Gate("x", (0,)), Measure(0, 1)))
    assert not features.dynamic
    assert features.readout == ((-1, 0), (0, 1))


def test_resets_that_change_nothing_keep_a_circuit_static() -> None:
    features = features_of(circuit_of(1, 1, Reset(0), H0, Barrier((0,)), Measure(0, 0), Delay(0, 1e-9), Reset(0)))
    assert not features.dynamic
    assert features.final_resets


def test_counted_loops_are_unrolled() -> None:
    features = features_of(circuit_of(1, 1, For(((H0,), (Gate("t", (0,)),))), If(True, (H0,)), Measure(0, 0)))
    assert not features.dynamic
    assert [gate.name for gate in features.gates if isinstance(gate, Gate)] == ["h", "t", "h"]


@pytest.mark.parametrize(
    "operations",
    [
        (H0, Measure(0, 0), H0, Measure(0, 0)),
        (H0, Reset(0), Measure(0, 0)),
        (H0, Measure(0, 0), If(Bit(0), (H1,)), Measure(1, 1)),
        (H0, Measure(0, 0), AssignBit(1, Bit(0))),
        (H0, Measure(0, 0), While(Bit(0), (H0, Measure(0, 0)))),
        (H0, For(((H0, Break()),)), Measure(0, 0)),
    ],
)
def test_dynamic_circuits_say_why(operations: tuple[Operation, ...]) -> None:
    features = features_of(circuit_of(2, 2, *operations))
    assert features.dynamic
    assert features.measures


@settings(max_examples=60)
@given(static_circuits())
def test_the_bond_bound_holds(circuit: Circuit) -> None:
    features = features_of(circuit)
    gates = Circuit(features.num_qubits, (), circuit.parameters, features.operations)
    state = state_vector(gates, [0.3, -1.2, 2.5]) if features.num_qubits else np.ones(1)
    for cut in range(1, features.num_qubits):
        rank = np.linalg.matrix_rank(state.reshape(-1, 2**cut), tol=1e-9)
        assert rank <= 2**features.log2_bond


def test_delays_that_can_matter_are_kept_in_their_place() -> None:
    early, waits, late = Delay(4, 1e-6), Delay(4, 2e-6), Delay(4, 3e-6)
    circuit = circuit_of(6, 1, early, Gate("x", (4,)), waits, Delay(5, 1e-6), CX, Measure(4, 0), late)
    assert [op for op in features_of(circuit).operations if isinstance(op, Delay)] == []
    features = features_of(circuit, keep_delays=True)
    assert features.qubits == (0, 1, 4)
    assert features.operations == (Gate("x", (2,)), Delay(2, 2e-6), Gate("cx", (0, 1)))
    assert (features.readout, features.read_from, features.dynamic) == (((2, 0),), (4,), "")


def test_the_last_wait_of_a_qubit_that_is_not_measured_is_part_of_the_state() -> None:
    circuit = circuit_of(1, 0, H0, Delay(0, 1e-6))
    assert features_of(circuit, keep_delays=True).operations == (H0, Delay(0, 1e-6))


def test_waiting_between_two_measurements_is_dynamic_only_where_time_is_heeded() -> None:
    circuit = circuit_of(1, 2, H0, Measure(0, 0), Delay(0, 1e-6), Measure(0, 1))
    assert features_of(circuit).dynamic == ""
    assert features_of(circuit, keep_delays=True).dynamic == "qubit 0 is measured and then waits (operation 2)"


def test_delays_after_a_reset_and_within_branches() -> None:
    reused = (H0, Measure(0, 0), Reset(0), Delay(0, 1e-6), H0, If(Bit(0), (Delay(0, 2e-6),)), Measure(0, 1))
    kept = features_of(circuit_of(1, 2, *reused), keep_delays=True).operations
    assert kept == (H0, Measure(0, 0), Reset(0), H0, If(Bit(0), (Delay(0, 2e-6),)), Measure(0, 1))
