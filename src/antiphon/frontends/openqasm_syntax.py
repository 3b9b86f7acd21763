"""The OpenQASM syntax tree that lowering walks: plain values, so that no parser's preview API leaks past its one file.

`at` is the position of a node in the text, a byte offset into its UTF-8 form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

# --- Expressions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a truth value."""

    at: int
    value: int | float | bool


@dataclass(frozen=True, slots=True)
class BitString:
    """`"0101"`: the rightmost digit is bit 0."""

    at: int
    value: int
    width: int


@dataclass(frozen=True, slots=True)
class DurationLiteral:
    """`100ns`; `unit` is ns, us, ms, s or dt."""

    at: int
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier; a hardware qubit keeps its dollar sign."""

    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Slice:
    """`start:step:stop`, both ends included; None where it was left out."""

    at: int
    start: Expression | None
    step: Expression | None
    stop: Expression | None


@dataclass(frozen=True, slots=True)
class SetOf:
    """`{a, b, c}`."""

    at: int
    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """`base[item]`."""

    at: int
    base: Expression
    item: Expression | Slice | SetOf


@dataclass(frozen=True, slots=True)
class Unary:
    """`op` is -, ~ or !."""

    at: int
    op: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """`op` as OpenQASM 3 spells it."""

    at: int
    op: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class CallOf:
    """`sin(x)`."""

    at: int
    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class CastTo:
    """`int[8](x)`."""

    at: int
    type: TypeName
    operand: Expression


@dataclass(frozen=True, slots=True)
class Join:
    """`a ++ b`."""

    at: int
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class MeasureOf:
    """`measure q`."""

    at: int
    qubits: Expression


@dataclass(frozen=True, slots=True)
class Unknown:
    """An expression that lowering has no meaning for; `what` names it."""

    at: int
    what: str


Expression: TypeAlias = (
    "Literal | BitString | DurationLiteral | Name | Index | Unary | Binary | CallOf | CastTo | Join"
    " | MeasureOf | Unknown"
)


@dataclass(frozen=True, slots=True)
class TypeName:
    """`kind` is bit, int, uint, float, angle, bool, duration, or another word for what is not supported."""

    kind: str
    size: Expression | None = None


# --- Statements -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Include:
    """`include "stdgates.inc";`."""

    at: int
    file: str


@dataclass(frozen=True, slots=True)
class DeclareQubits:
    """`qubit[size] name;` or a scalar."""

    at: int
    name: str
    size: Expression | None


@dataclass(frozen=True, slots=True)
class Declare:
    """A classical variable or constant; `io` is "input", "output" or ""."""

    at: int
    type: TypeName
    name: str
    value: Expression | None
    is_const: bool = False
    io: str = ""


@dataclass(frozen=True, slots=True)
class Alias:
    """`let name = a ++ b;`."""

    at: int
    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Modifier:
    """`kind` is inv, pow, ctrl or negctrl."""

    kind: str
    argument: Expression | None


@dataclass(frozen=True, slots=True)
class GateCall:
    """A gate, or `gphase`, on qubits."""

    at: int
    name: str
    modifiers: tuple[Modifier, ...]
    arguments: tuple[Expression, ...]
    qubits: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class DefineGate:
    """`gate name(parameters) qubits { body }`."""

    at: int
    name: str
    parameters: tuple[str, ...]
    qubits: tuple[str, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class DefineSubroutine:
    """`def name(types and names) -> returns { body }`; `returns` is None when nothing is."""

    at: int
    name: str
    parameters: tuple[tuple[TypeName, str], ...]
    returns: TypeName | None
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Return:
    """`return value;`."""

    at: int
    value: Expression | None


@dataclass(frozen=True, slots=True)
class CallAlone:
    """A call whose value is not used."""

    at: int
    call: CallOf


@dataclass(frozen=True, slots=True)
class MeasureInto:
    """`measure q -> c;`; no target when it was left out."""

    at: int
    qubits: Expression
    target: Expression | None


@dataclass(frozen=True, slots=True)
class ResetOf:
    """`reset q;`."""

    at: int
    qubits: Expression


@dataclass(frozen=True, slots=True)
class BarrierOn:
    """`barrier q, r;`; no qubits means all of them."""

    at: int
    qubits: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class DelayOn:
    """`delay[t] q;`."""

    at: int
    duration: Expression
    qubits: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Assign:
    """`target = value;`, or `target op= value;`."""

    at: int
    target: Expression
    op: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Block:
    """Statements with a scope of their own."""

    at: int
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """`if (condition) then else otherwise`."""

    at: int
    condition: Expression
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`while (condition) body`."""

    at: int
    condition: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class ForEach:
    """`for type name in items body`."""

    at: int
    type: TypeName
    name: str
    items: Expression | Slice | SetOf
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """`switch (target) { case … }`; `default` is None when it was left out."""

    at: int
    target: Expression
    cases: tuple[tuple[tuple[Expression, ...], tuple[Statement, ...]], ...]
    default: tuple[Statement, ...] | None


@dataclass(frozen=True, slots=True)
class Leave:
    """`break`, `continue` or `end`, by `word`."""

    at: int
    word: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A statement that lowering has no meaning for; `what` names it, `way_out` says what to write instead."""

    at: int
    what: str
    way_out: str


Statement: TypeAlias = (
    "Include | DeclareQubits | Declare | Alias | GateCall | DefineGate | DefineSubroutine | Return | CallAlone"
    " | MeasureInto | ResetOf | BarrierOn | DelayOn"
    " | Assign | Block | Branch | Repeat | ForEach | Switch | Leave | Unsupported"
)
