"""What a QIR program returns, and how that becomes registers of bits.

The rule, whatever made the module: bit i of a register is the i-th result that was recorded in it. A single result, or
an array or tuple of results, is one register; a tuple that holds arrays or tuples is one register for each of its
parts, in order, and results nested deeper count in the order in which they are recorded. Anything else that is recorded
(integers, truth values, doubles) makes the outcome a value and not bits; then there are no registers.

Qiskit's own exporters record a register backwards, its last bit first, so that Azure's tools can join the list into
Qiskit's bit string. Nothing in such a module says so: its registers come out reversed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from antiphon.domain.circuits import Register
from antiphon.errors import ProgramError


@dataclass(frozen=True, slots=True)
class Leaf:
    """One recorded value: `kind` is result, int, bool or double; `number` is the result's, where it is known."""

    kind: str
    label: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A recorded array or tuple."""

    kind: str
    parts: tuple[Output, ...]
    label: str = ""


Output: TypeAlias = "Leaf | Group"

_GENERATED_LABEL = re.compile(r"\d+(_[a-z0-9]*)?")
_USABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def tree_of(records: Sequence[tuple[str, int | None, str]]) -> Output:
    """The tree that the calls record, each given as kind, size or result number, and label.

    Raises:
        ProgramError: The sizes of arrays and tuples do not fit the calls that follow.
    """
    iterator = iter(records)
    parts = []
    for kind, number, label in iterator:
        parts.append(_tree(kind, number, label, iterator, 0))
    return parts[0] if len(parts) == 1 else Group("tuple", tuple(parts))


def _tree(
    kind: str, number: int | None, label: str, following: Iterator[tuple[str, int | None, str]], depth: int
) -> Output:
    if kind not in {"array", "tuple"}:
        return Leaf(kind, label, number)
    if depth > 32:
        raise ProgramError("The module's output is nested too deeply.", next_step="Return a flatter value.")
    parts = []
    for _ in range(number or 0):
        record = next(following, None)
        if record is None:
            raise ProgramError(
                "The module records fewer outputs than its arrays and tuples hold.",
                next_step="Submit what the compiler wrote, unchanged.",
                code="qir-invalid",
            )
        parts.append(_tree(*record, following, depth + 1))
    return Group(kind, tuple(parts), label)


def leaves(output: Output) -> Iterator[Leaf]:
    """The recorded values in order."""
    if isinstance(output, Leaf):
        yield output
        return
    for part in output.parts:
        yield from leaves(part)


def registers_of(output: Output) -> tuple[Register, ...] | None:
    """The registers, by the rule above; None when the output is a value and not bits."""
    if any(leaf.kind != "result" for leaf in leaves(output)):
        return None
    parts = _register_parts(output)
    sizes = [sum(1 for _ in leaves(part)) for part in parts]
    kept = [(part, size) for part, size in zip(parts, sizes, strict=True) if size]
    names = _names([part for part, _ in kept])
    registers, offset = [], 0
    for name, (_, size) in zip(names, kept, strict=True):
        registers.append(Register(name, size, offset))
        offset += size
    return tuple(registers)


def _register_parts(output: Output) -> tuple[Output, ...]:
    if isinstance(output, Group) and any(isinstance(part, Group) for part in output.parts):
        return output.parts
    return (output,)


def _names(parts: Sequence[Output]) -> list[str]:
    labels = [part.label for part in parts]
    usable = all(_USABLE_NAME.fullmatch(label) and not _GENERATED_LABEL.fullmatch(label) for label in labels)
    if usable and len(set(labels)) == len(labels):
        return labels
    return ["c"] if len(parts) == 1 else [f"c{i}" for i in range(len(parts))]


# --- Values of one shot -----------------------------------------------------------------------------------------------


def output_of(value: Any, is_result: type) -> Output:
    """The tree of a value that the simulator returned; leaves of the type `is_result` are results."""
    if isinstance(value, list | tuple):
        return Group("array" if isinstance(value, list) else "tuple", tuple(output_of(v, is_result) for v in value))
    return Leaf("result" if isinstance(value, is_result) else type(value).__name__)
