import math

import pytest

from antiphon.adapters.targets.emu.schedule import Scheduled, schedule
from antiphon.domain.circuits import (
    AssignBit,
    Barrier,
    Bit,
    Break,
    Delay,
    For,
    Gate,
    If,
    Measure,
    Not,
    Operation,
    Reset,
    While,
)
from emu_devices import line_calibration

CALIBRATION = line_calibration(4)  # x 0.1 µs, cz 0.5 µs, measure 2 µs, reset 1 µs, decide 1 µs


def scheduled(*operations: Operation) -> Scheduled:
    return schedule(operations, CALIBRATION)


def delays(operations: tuple[Operation, ...]) -> list[tuple[int, float]]:
    return [(each.qubit, round(each.seconds * 1e6, 6)) for each in operations if isinstance(each, Delay)]


def x(qubit: int) -> Gate:
    return Gate("x", (qubit,))


def test_a_qubit_waits_for_its_partner_after_its_own_gate() -> None:
    found = scheduled(x(0), x(1), x(1), x(1), Gate("cz", (0, 1)), Measure(0, 0), Measure(1, 1))
    # Qubit 0 starts as late as it can, so that nothing waits at all.
    assert delays(found.operations) == []
    assert found.seconds == pytest.approx(0.3e-6 + 0.5e-6 + 2e-6)


def test_between_two_gates_a_qubit_waits_for_the_longer_of_its_partners() -> None:
    found = scheduled(Gate("cz", (0, 1)), x(1), x(1), Gate("cz", (0, 1)), Measure(0, 0), Measure(1, 1))
    assert delays(found.operations) == [(0, 0.2)]
    assert isinstance(found.operations[1], Delay)


def test_measurements_end_together_and_what_nobody_needs_does_not_wait() -> None:
    found = scheduled(Gate("cz", (0, 1)), x(0), Measure(0, 0), Measure(1, 1))
    assert delays(found.operations) == [(1, 0.1)]
    assert delays(scheduled(Gate("cz", (0, 1)), Measure(0, 0)).operations) == []


def test_fresh_qubits_wait_for_free_before_their_first_gate_and_after_a_reset() -> None:
    assert delays(scheduled(x(0), Measure(0, 0), x(1), Gate("cz", (1, 2)), Measure(1, 1)).operations) == []
    found = scheduled(x(0), Reset(0), *[x(1)] * 30, Gate("cz", (0, 1)), Measure(0, 0), Measure(1, 1))
    assert delays(found.operations) == []


def test_a_barrier_is_one_time_on_its_qubits() -> None:
    found = scheduled(x(0), Gate("cz", (1, 2)), Barrier((0, 1)), x(0), x(1), Measure(0, 0), Measure(1, 1))
    assert delays(found.operations) == []
    found = scheduled(Gate("cz", (0, 1)), x(0), Barrier((0, 1)), x(0), x(1), x(1), Measure(0, 0), Measure(1, 1))
    assert delays(found.operations) == [(1, 0.1), (0, 0.1)]


def test_delays_that_were_asked_for_take_their_time() -> None:
    found = scheduled(x(0), Delay(0, 5e-6), Measure(0, 0))
    assert delays(found.operations) == [(0, 5.0)]
    assert found.seconds == pytest.approx(0.1e-6 + 5e-6 + 2e-6)


def test_qubits_wait_for_a_measurement_and_its_decision() -> None:
    found = scheduled(Gate("cz", (0, 1)), Measure(0, 0), If(Bit(0), (x(1),)), Measure(1, 1))
    assert delays(found.operations) == [(1, 3.0)]
    assert found.waits == {1: pytest.approx(3e-6)}
    assert found.seconds == pytest.approx(0.5e-6 + 3e-6 + 0.1e-6 + 2e-6)


def test_work_on_other_qubits_hides_the_wait() -> None:
    found = scheduled(Gate("cz", (0, 1)), Measure(0, 0), *[x(1)] * 20, If(Bit(0), (x(1),)), Measure(1, 1))
    assert delays(found.operations) == [(1, 1.0)]
    assert isinstance(found.operations[1], Delay)  # gates are as late as they can be
    assert found.waits == {1: pytest.approx(1e-6)}


def test_a_bit_that_is_set_from_a_measurement_is_waited_for_too() -> None:
    found = scheduled(x(1), Measure(0, 0), AssignBit(1, Not(Bit(0))), If(Bit(1), (x(1),)), Measure(1, 2))
    assert [type(each) for each in found.operations[-3:]] == [AssignBit, If, Measure]
    assert found.seconds == pytest.approx(2e-6 + 1e-6 + 0.1e-6 + 2e-6)


def test_a_bit_nobody_asks_for_holds_nobody_up() -> None:
    found = scheduled(x(1), Measure(0, 0), If(Bit(3), (x(1),)), Measure(1, 1))
    assert found.waits == {}
    assert found.seconds == pytest.approx(2e-6 + 0.1e-6 + 2e-6)


def test_what_is_asked_for_later_is_decided_in_the_same_wait() -> None:
    found = scheduled(
        Gate("cz", (0, 2)), Measure(0, 0), Measure(1, 1), If(Bit(0), (x(2),)), If(Bit(1), (x(2),)), Measure(2, 2)
    )
    assert delays(found.operations) == [(2, 3.0)]
    assert found.waits == {2: pytest.approx(3e-6)}


def test_a_bit_asked_for_later_is_waited_for_later() -> None:
    found = scheduled(x(1), Measure(0, 0), If(Bit(3), (x(1),)), If(Bit(0), (x(1),)), Measure(1, 1))
    # 0.9 µs are left of the decision when the first branch was taken, 1 µs when it was not.
    assert found.waits == {1: pytest.approx(1e-6, rel=0.2)}


def test_qubits_outside_a_branch_wait_in_each_of_its_bodies() -> None:
    found = scheduled(
        Gate("cz", (1, 2)), Measure(0, 0), If(Bit(0), (x(1), x(1)), (x(1),)), Gate("cz", (1, 2)), Measure(1, 1)
    )
    branch = next(each for each in found.operations if isinstance(each, If))
    assert delays(branch.then) == [(2, 0.2)]
    assert delays(branch.otherwise) == [(2, 0.1)]
    assert found.waits == {}  # both leave |0⟩ only when the measurement is nearly decided


def test_a_loop_waits_for_its_condition_at_the_end_of_every_turn() -> None:
    body = (Gate("cz", (0, 1)), Measure(0, 0), Reset(0))
    found = scheduled(x(1), Measure(0, 0), While(Bit(0), body), Measure(1, 1))
    loop = next(each for each in found.operations if isinstance(each, While))
    assert delays(loop.body) == [(1, 3.0)]  # measuring, and deciding while the other is reset
    assert math.isclose(found.seconds, (0.1 + 3.0 + 0.5 + 3.0 + 2.0) * 1e-6, rel_tol=0.2)


def test_a_loop_that_is_left_keeps_its_turns() -> None:
    turn = (x(0), Measure(0, 0), If(Bit(0), (Break(),)))
    found = scheduled(For((turn, turn, turn)), Measure(1, 1))
    loop = next(each for each in found.operations if isinstance(each, For))
    assert len(set(loop.bodies)) == 1
    assert isinstance(loop.bodies[0][-1], If)
    assert loop.bodies[0][-1].then == (Break(),)


def test_dependencies_keep_their_order() -> None:
    operations = (x(0), Measure(0, 0), AssignBit(1, Bit(0)), x(1), If(Bit(1), (x(2),)), Measure(1, 2))
    found = scheduled(*operations)
    kept = [type(each) for each in found.operations if not isinstance(each, Delay)]
    assert kept == [type(each) for each in operations]
