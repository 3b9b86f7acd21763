from __future__ import annotations

from antiphon.domain.circuit_figures import figures_of
from antiphon.domain.circuits import Barrier, Bit, Circuit, Delay, For, Gate, If, Measure, Operation, Reset, While


def figures(*operations: Operation) -> tuple[int, int, dict[str, int]]:
    found = figures_of(Circuit(4, (), (), operations))
    return found.width, found.depth, dict(found.gates)


H0, H1, CX = Gate("h", (0,)), Gate("h", (1,)), Gate("cx", (0, 1))


def test_gates_beside_each_other_are_one_layer() -> None:
    assert figures() == (0, 0, {})
    assert figures(H0, H1) == (2, 1, {"h": 2})
    assert figures(H0, CX, Measure(1, 0), Reset(1)) == (2, 4, {"cx": 1, "h": 1, "measure": 1, "reset": 1})


def test_a_barrier_lines_up_what_it_spans_and_idle_time_is_no_layer() -> None:
    assert figures(H0, H0, H1)[1] == 2
    assert figures(H0, H0, H1, Barrier((0, 1)), H1)[1] == 3
    assert figures(H0, Barrier((0, 1)), Delay(1, 1.0), H1)[:2] == (2, 1)


def test_the_longer_side_of_a_branch_counts_after_all_before_it() -> None:
    branch = If(Bit(0), (H1, H1, H1), (H1,))
    assert figures(H0, Measure(0, 0), branch) == (2, 5, {"h": 5, "measure": 1})
    assert figures(H0, Measure(0, 0), branch, Gate("x", (2,)))[1] == 6


def test_turns_of_a_counted_loop_all_count_and_of_one_on_measurements_one() -> None:
    assert figures(For(((H0,), (H0, H1), ())))[1:] == (2, {"h": 3})
    assert figures(Measure(0, 0), While(Bit(0), (H0, Measure(0, 0))))[1:] == (3, {"h": 1, "measure": 2})
