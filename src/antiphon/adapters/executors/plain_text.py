"""Whether OpenQASM text is so small and plain that reading it can neither take long nor much memory.

Plain is: at most 16 KiB of declarations, gates, measurements, resets and barriers, each statement in a form of the list
below, and at most 20,000 operations even if each statement acts on the largest register. No loop, definition, branch,
modifier, constant or power, which are what lets a short text stand for a long program. Everything else is not judged.
"""

from __future__ import annotations

import re

PLAIN_BYTES = 16_384
PLAIN_OPERATIONS = 20_000

_NAME = r"[A-Za-z_]\w*+"
_SIZE = r"\[\s*+\d{1,3}+\s*+\]"
_BIT = rf"{_NAME}\s*+(?:{_SIZE})?+"
_ANGLES = r"\((?:[\w\s.+\-/,()π]|\*(?!\*))*\)"
_COMMENT = re.compile(r"//[^\n]*")
_NUMBER = re.compile(r"\d++")
_DECLARATION = re.compile(
    rf"(?:(?:qreg|creg)\s++{_NAME}\s*+{_SIZE}|(?:qubit|bit|input\s++float|input\s++angle)\s*+(?:{_SIZE})?+\s*+{_NAME}"
    rf"(?:\s*+=\s*+measure\s++{_BIT})?+)"
)
_STATEMENT = re.compile(
    rf"""(?: OPENQASM\s++[23](?:\.\d)?+
         | include\s*+"(?:stdgates|qelib1)\.inc"
         | measure\s++{_BIT}(?:\s*+->\s*+{_BIT})?+
         | {_BIT}\s*+=\s*+measure\s++{_BIT}
         | {_NAME}\s*+(?:{_ANGLES})?\s*+{_BIT}(?:\s*+,\s*+{_BIT})*+
         )""".replace("\n", ""),
    re.VERBOSE,
)
_WORDS_THAT_DO_MORE = frozenset(
    {"const", "let", "int", "uint", "float", "angle", "bool", "complex", "duration", "stretch", "output", "array"}
    | {"gate", "opaque", "def", "extern", "return", "if", "for", "while", "box", "defcal", "cal", "pragma", "switch"}
    | {"ctrl", "negctrl", "inv", "pow", "end"}
)


def is_plain(source: str | bytes) -> bool:
    """Whether it is plain OpenQASM 2 or 3, as this module says."""
    if len(source) > PLAIN_BYTES:
        return False
    try:
        text = source.decode("ascii") if isinstance(source, bytes) else source
    except UnicodeDecodeError:
        return False
    statements = [statement.strip() for statement in _COMMENT.sub("", text).split(";")]
    if statements.pop():
        return False
    largest = 1
    for statement in statements:
        if _DECLARATION.fullmatch(statement):
            largest = max([largest, *(int(size) for size in _NUMBER.findall(statement.partition("[")[2]))])
        elif not _STATEMENT.fullmatch(statement) or _first_word(statement) in _WORDS_THAT_DO_MORE:
            return False
    return largest * len(statements) <= PLAIN_OPERATIONS


def _first_word(statement: str) -> str:
    found = re.match(_NAME, statement)
    return found[0] if found else ""
