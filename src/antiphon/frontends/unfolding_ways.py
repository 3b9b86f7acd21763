"""Branches and loops of programs that write their classical bits more than once, as OpenQASM and Qiskit do.

There the bits themselves stay in conditions, and only numbers are followed through their cases.
"""

from __future__ import annotations

from collections.abc import Callable

from antiphon.domain.circuits import AssignBit, Bit, Condition, If, While
from antiphon.domain.decisions import Decision, bits_asked
from antiphon.frontends.conditions import bits_written_by
from antiphon.frontends.decisions import is_of_cases, same
from antiphon.frontends.unfolding import Unfolding
from antiphon.frontends.unfolding_loops import loop_on_bits

MAX_TURNS = 24
"""Turns of a loop on numbers and measured bits that are written as nested branches."""


class LeftEarlyError(Exception):
    """A break or continue that bits decide, in a loop that carries numbers."""


class _TooManyTurns(Exception):  # noqa: N818 - not an error: the loop is written another way
    pass


def decide(unfolding: Unfolding, condition: Condition, then: Callable[[], None], otherwise: Callable[[], None]) -> None:
    """Two ways, between which bits decide; numbers that they leave different depend on those bits."""
    if isinstance(condition, bool):
        (then if condition else otherwise)()
        return
    before, assumed = unfolding.values, unfolding.assumed
    found, ways = [], []
    for way in (then, otherwise):
        unfolding.values, unfolding.assumed = dict(before), assumed
        ways.append(unfolding.block(way))
        found.append({place: unfolding.values[place] for place in before})
    written = bits_written_by((*ways[0], *ways[1]))
    unfolding.assumed = unfolding.decisions.forget(assumed, sorted(written & bits_asked(assumed)))
    unfolding.values = found[1]
    if any(not same(found[0][place], found[1][place]) for place in before):
        chosen = unfolding.decisions.of_condition(condition)
        copies: dict[int, Decision] = {}
        for bit in sorted(bits_asked(chosen) & written):
            copy = unfolding.new_bit()
            unfolding.emit(AssignBit(copy, Bit(bit)))
            copies[bit] = unfolding.decisions.bit(copy)
        unfolding.values = unfolding.merged(unfolding.decisions.renamed(chosen, copies), found[0], found[1])
    unfolding.emit(If(condition, ways[0], ways[1]))


def repeat(
    unfolding: Unfolding,
    condition: Callable[[], Condition],
    decision: Callable[[], Decision],
    body: Callable[[], bool],
    *,
    counted: bool,
) -> None:
    """A loop as long as the condition holds.

    Args:
        unfolding: The circuit as it grows.
        condition: The condition, read where the circuit is; it may compute bits on the way.
        decision: The same without computing anything.
        body: Emits a turn; whether a break or continue may leave it.
        counted: The condition reads numbers, so that turns may end by them.

    Raises:
        LeftEarlyError: A number changes in it, and a break or continue may leave it.
        EndlessError: Nothing ends it.
        TooManyCasesError: It carries more values than are followed.
    """
    mark = unfolding.mark()
    tested = condition()
    if tested is False:
        return
    left_early = False

    def turn() -> None:
        nonlocal left_early
        left_early |= body()

    operations = unfolding.block(turn)
    if all(same(unfolding.values[place], held) for place, held in mark.values.items()):
        unfolding.values = dict(mark.values)
        unfolding.assumed = unfolding.decisions.forget(
            mark.assumed, sorted(bits_written_by(operations) & bits_asked(mark.assumed))
        )
        unfolding.emit(While(tested, operations))
        return
    if left_early:
        raise LeftEarlyError
    unfolding.back_to(mark)
    if counted:
        try:
            _turn_by_turn(unfolding, condition, turn, MAX_TURNS)
            return
        except _TooManyTurns:
            unfolding.back_to(mark)
    try:
        loop_on_bits(unfolding, decision, turn)
    except Exception as error:
        if not counted or not is_of_cases(error):
            raise
        unfolding.back_to(mark)
        _tested_in_the_body(unfolding, condition, turn)


def _tested_in_the_body(unfolding: Unfolding, condition: Callable[[], Condition], turn: Callable[[], None]) -> None:
    """The loop with its condition in a bit, computed before it and at the end of every turn."""
    place = object()

    def test() -> None:
        unfolding.values[place] = unfolding.decisions.of_condition(condition())

    def whole() -> None:
        turn()
        test()

    test()
    loop_on_bits(unfolding, lambda: unfolding.values[place], whole)
    del unfolding.values[place]


def _turn_by_turn(
    unfolding: Unfolding, condition: Callable[[], Condition], turn: Callable[[], None], left: int
) -> None:
    """The loop as nested branches, if it surely ends after so many turns."""
    tested = condition()
    if tested is False:
        return
    if not left:
        raise _TooManyTurns

    def once() -> None:
        turn()
        _turn_by_turn(unfolding, condition, turn, left - 1)

    decide(unfolding, tested, once, lambda: None)
