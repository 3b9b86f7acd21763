"""Classical bits that a program uses and does not return, behind the registers that it does return."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from antiphon.domain.circuits import Operation, Register
from antiphon.domain.decisions import Choice
from antiphon.domain.returned import HIDDEN, Returns
from antiphon.frontends.conditions import with_bits

FIRST_HIDDEN = 2**20
"""Number of the first bit that is no part of the result, while a program is read."""


def hidden_behind(
    registers: Sequence[Register],
    operations: Sequence[Operation],
    num_hidden: int,
    shown: Collection[str] | None = None,
) -> tuple[tuple[Register, ...], tuple[Operation, ...], Returns | None]:
    """Registers and operations of the circuit, and how its bits become the result (None when they are the result).

    Args:
        registers: Those that the program declares.
        operations: On their bits, and on hidden ones numbered from `FIRST_HIDDEN`.
        num_hidden: How many of these there are.
        shown: Names of the registers that are the result; all of them when left out.
    """
    every = tuple(registers)
    num_declared = sum(register.size for register in registers)
    if num_hidden:
        moved = num_declared - FIRST_HIDDEN
        operations = with_bits(operations, lambda bit: bit if bit < FIRST_HIDDEN else bit + moved)
        every = (*every, Register(HIDDEN, num_hidden, num_declared))
    kept = [register for register in registers if shown is None or register.name in shown]
    if len(kept) == len(every):
        return every, tuple(operations), None
    bits = [Choice(register.offset + i, zero=False, one=True) for register in kept for i in range(register.size)]
    told, offset = [], 0
    for register in kept:
        told.append(Register(register.name, register.size, offset))
        offset += register.size
    return every, tuple(operations), Returns(tuple(told), tuple(bits))
