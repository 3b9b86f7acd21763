"""What LLVM's instructions make of integers that are kept in bits, since they have too many values."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.domain.decisions import Choice, Decision, Word
from antiphon.frontends.qir_reader import Instruction
from antiphon.frontends.words import Words

_OPERATORS = {
    "ADD": "+",
    "SUB": "-",
    "MUL": "*",
    "AND": "&",
    "OR": "|",
    "XOR": "^",
    "SHL": "<<",
    "ASHR": ">>",
    "SDIV": "/",
    "SREM": "%",
}
_UNSIGNED_OPERATORS = {"LSHR": ">>", "UDIV": "/", "UREM": "%"}
_PREDICATES = {"EQ": "==", "NE": "!=", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}


def computed_in_digits(
    words: Words, one: Instruction, widths: Sequence[int], operands: Sequence[Decision]
) -> Decision | None:
    """The value of an instruction; None when it is none on integers.

    Args:
        words: What computes.
        one: The instruction.
        widths: Bits of each operand that is an integer, else 0.
        operands: Values, at least one of them a word.

    Raises:
        TooManyCasesError: It cannot be computed bit by bit.
    """
    opcode, width = one.opcode, one.width

    def unsigned(place: int) -> Decision:
        return words.decisions.word(operands[place], widths[place], signed=False)

    if opcode in _OPERATORS:
        return _kept(words, words.computed(_OPERATORS[opcode], operands[0], operands[1]), width)
    if opcode in _UNSIGNED_OPERATORS:
        right = operands[1]
        if isinstance(right, int):
            right = int(right) & ((1 << width) - 1)
        return _kept(words, words.computed(_UNSIGNED_OPERATORS[opcode], unsigned(0), right), width)
    if opcode == "ICMP" and one.predicate:
        op = _PREDICATES[one.predicate[-2:]]
        if one.predicate.startswith("U"):
            return words.compared(op, unsigned(0), unsigned(1))
        return words.compared(op, operands[0], operands[1])
    if opcode == "ZEXT":
        return _kept(words, unsigned(0), width)
    if opcode in {"SEXT", "TRUNC"}:
        return _kept(words, operands[0], width)
    return operands[0] if opcode == "FREEZE" else None


def _kept(words: Words, number: Decision, width: int) -> Decision:
    """The low bits of a number as LLVM keeps them here: signed, and one bit as a truth value."""
    if not isinstance(number, int | Word | Choice):
        return number
    word = words.decisions.word(number, width, signed=width > 1)
    return word.digits[0] if width == 1 else word
