"""The shape of a program's answer on the wire: which nesting of lists and tuples its measured bits are put back into.

Results are stored as bit strings, whatever the program was. Azure's clients expect the value that the program returned:
a Q# tuple of two arrays, say, or the classical registers of a Qiskit circuit in Qiskit's order.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from antiphon.domain.programs import Program, ProgramFormat
from antiphon.frontends.qir_circuit import recorded_output
from antiphon.frontends.qir_outputs import Group, Output
from antiphon.frontends.qir_reader import read_qir

QIR_FORMATS = frozenset({ProgramFormat.QIR_TEXT, ProgramFormat.QIR_BITCODE})

_WORDS = {
    "Zero": "0",
    "One": "1",
    "Loss": "'-'",
    "true": "True",
    "false": "False",
    # JSON has no such numbers.
    "nan": "'NaN'",
    "inf": "'Infinity'",
    "-inf": "'-Infinity'",
}
_WORD = re.compile(r"-inf\b|\b(?:" + "|".join(name for name in _WORDS if name.isalpha()) + r")\b")


def layout_of(program: Program) -> dict[str, Any]:
    """What `value_of` and the writers need to know of a program, as JSON values, to be kept beside its job.

    `registers` holds [name, size] in order of declaration; `shape`, for QIR whose output records are known, the tree
    that they record: "r" for a result, "v" for another value, ["a" or "t", part, …] for an array or tuple, and
    ["a", n] for an array of n results.
    """
    layout: dict[str, Any] = {"registers": [[register.name, register.size] for register in program.registers]}
    if program.format in QIR_FORMATS:
        entry = read_qir(program.source).functions[program.entry_point or ""]
        layout["shape"] = _shape(recorded_output(entry))
    return layout


def _shape(output: Output) -> Any:
    if not isinstance(output, Group):
        return "r" if output.kind == "result" else "v"
    parts = [_shape(part) for part in output.parts]
    if output.kind == "array" and all(part == "r" for part in parts):
        return ["a", len(parts)]
    return ["a" if output.kind == "array" else "t", *parts]


def value_of(key: str, outcomes: str, layout: Mapping[str, Any]) -> Any:
    """The value that an outcome stands for: lists, tuples, 0 and 1, truth values and numbers.

    Args:
        key: A key of the counts: a bit string, or the value as Q# shows it.
        outcomes: "bits" or "values", as in `Sampled`.
        layout: What `layout_of` said of the program.
    """
    if outcomes == "values":
        return ast.literal_eval(_WORD.sub(lambda word: _WORDS[word.group()], key))
    shape = layout.get("shape")
    if shape is not None and _size(shape) == len(key) - key.count(" "):
        # Bit i of register r stands at the i-th place from the right of the r-th word from the right.
        return _filled(shape, reversed(key.replace(" ", "")))
    words = [[int(bit) for bit in word] for word in key.split(" ")]
    return words[0] if len(words) == 1 else tuple(words)


def holds_values(layout: Mapping[str, Any]) -> bool:
    """Whether the program returns something else than measurement results."""
    return _has_value(layout.get("shape", "r"))


def _has_value(shape: Any) -> bool:
    if isinstance(shape, list):
        return any(_has_value(part) for part in shape[1:])
    return bool(shape == "v")


def width_of(layout: Mapping[str, Any]) -> int:
    """How many bits or values one outcome has."""
    shape = layout.get("shape")
    return _size(shape) if shape is not None else sum(size for _, size in layout.get("registers", ()))


def _size(shape: Any) -> int:
    if isinstance(shape, str):
        return 1
    if len(shape) == 2 and isinstance(shape[1], int):
        return shape[1]
    return sum(_size(part) for part in shape[1:])


def _filled(shape: Any, bits: Iterator[str]) -> Any:
    if isinstance(shape, str):
        return int(next(bits))
    if len(shape) == 2 and isinstance(shape[1], int):
        return [int(next(bits)) for _ in range(shape[1])]
    parts = [_filled(part, bits) for part in shape[1:]]
    return parts if shape[0] == "a" else tuple(parts)


def display_of(value: Any) -> str:
    """A value as Azure shows it: `[0, 1]`, `(a, b)`, `true`."""
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return "[" + ", ".join(map(display_of, value)) + "]"
        case tuple():
            return "(" + ", ".join(map(display_of, value)) + ")"
        case float():
            return repr(value)
        case _:
            return str(value)


def json_of(value: Any) -> Any:
    """A value as the wire's JSON: a tuple is an object with the keys Item1, Item2, …."""
    match value:
        case list():
            return [json_of(part) for part in value]
        case tuple():
            return {f"Item{i}": json_of(part) for i, part in enumerate(value, start=1)}
        case _:
            return value
