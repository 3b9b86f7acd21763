"""Classical bits that a program uses and does not return, behind the registers that it does return."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from antiphon.domain.circuits import Operation, Register
from antiphon.domain.decisions import Choice
from antiphon.domain.returned import HIDDEN, Returns
from antiphon.frontends.conditions import bits_read_by, bits_written_by, with_bits
from antiphon.frontends.unread import without_unread

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
        num_hidden: How many of these there may be; those that nothing uses are left out.
        shown: Names of the registers that are the result; all of them when left out.
    """
    every = tuple(registers)
    num_declared = sum(register.size for register in registers)
    if num_hidden:
        operations = without_unread(operations, range(num_declared))
        used = sorted(bit for bit in bits_read_by(operations) | bits_written_by(operations) if bit >= FIRST_HIDDEN)
        places = {bit: num_declared + index for index, bit in enumerate(used)}
        operations = with_bits(operations, lambda bit: places.get(bit, bit))
        if used:
            every = (*every, Register(HIDDEN, len(used), num_declared))
    kept = [register for register in registers if shown is None or register.name in shown]
    if len(kept) == len(every):
        return every, tuple(operations), None
    bits = [Choice(register.offset + i, zero=False, one=True) for register in kept for i in range(register.size)]
    told, offset = [], 0
    for register in kept:
        told.append(Register(register.name, register.size, offset))
        offset += register.size
    return every, tuple(operations), Returns(tuple(told), tuple(bits))
