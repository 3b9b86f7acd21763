from __future__ import annotations

from antiphon.domain.circuits import AssignBit, Bit, For, Gate, If, Measure, Not, Parity, While
from antiphon.frontends.unread import without_unread

COUNT = (AssignBit(3, Parity((Bit(2), Bit(3)))), AssignBit(2, Not(Bit(2))))


def test_a_counter_that_only_counts_is_left_out() -> None:
    body = (Gate("h", (0,)), Measure(0, 0), *COUNT)
    assert without_unread((While(Bit(0), body),), {0}) == (While(Bit(0), body[:2]),)


def test_what_is_read_or_wanted_stays_with_all_it_is_computed_from() -> None:
    read = (*COUNT, If(Bit(3), (Gate("x", (0,)),)))
    assert without_unread(read, ()) == read
    assert without_unread(COUNT, {3}) == COUNT
    assert without_unread(COUNT, {2}) == COUNT[1:]


def test_a_branch_that_is_empty_then_is_left_out_with_what_it_asks() -> None:
    operations = (Measure(0, 0), AssignBit(1, Bit(0)), If(Bit(1), (For((COUNT, COUNT)), *COUNT)), Gate("x", (1,)))
    kept = without_unread(operations, {0})
    assert kept == (Measure(0, 0), AssignBit(1, Bit(0)), If(Bit(1), (For(((), ())),)), Gate("x", (1,)))
    assert without_unread((Measure(0, 0), AssignBit(1, Bit(0)), If(Bit(1), COUNT)), {0}) == (Measure(0, 0),)


def test_what_needs_no_change_is_the_same_object() -> None:
    loop = While(Bit(0), (Measure(0, 0),))
    assert without_unread((loop,), ())[0] is loop
