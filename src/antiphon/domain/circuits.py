"""The circuit that engines consume: a tape of operations on numbered qubits and classical bits.

A `Circuit` is what a front end makes of a submitted artefact and what a simulator engine runs. It is not an interchange
format and never replaces the artefact: the artefact as submitted stays the source of truth (see `programs`).

Numbering, stated once for every SDK: qubits are 0 … num_qubits-1; classical bits are 0 … num_clbits-1, register after
register in the order of declaration, bit i of a register at offset + i. In a result string bit 0 of a register is the
rightmost character, registers are separated by one space, and the register declared last stands leftmost (OpenQASM 3
and Qiskit). Angles are radians, durations seconds.

Conditions are Boolean expressions over single bits only. Tools disagree, silently, on the bit order of a condition on a
whole register, so each front end expands it to bits with its own SDK's order before it gets here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Register:
    """A named run of classical bits: bits `offset` … `offset + size - 1` of the circuit."""

    name: str
    size: int
    offset: int


# --- Angles -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Affine:
    """constant + Σ coefficient·θ[index]: what nearly every parametrised gate holds.

    `terms` pairs an index into `Circuit.parameters` with its coefficient.
    """

    constant: float
    terms: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of angles, for what is not affine. `function` is one of `FUNCTIONS`."""

    function: str
    arguments: tuple[Angle, ...]


Angle: TypeAlias = "float | Affine | Call"

FUNCTIONS = frozenset(
    {"add", "sub", "mul", "div", "pow", "neg", "sin", "cos", "tan", "asin", "acos", "atan", "exp", "log", "sqrt", "abs"}
)
"""Names allowed in `Call`, each with the meaning of Python's operator or `math` function of that name."""


# --- Conditions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bit:
    """True when the classical bit `index` holds 1."""

    index: int


@dataclass(frozen=True, slots=True)
class Not:
    """Logical negation."""

    operand: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every operand is; true for none."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one operand is; false for none."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Parity:
    """True when an odd number of operands is."""

    operands: tuple[Condition, ...]


Condition: TypeAlias = "bool | Bit | Not | AllOf | AnyOf | Parity"


def bits_read(condition: Condition) -> set[int]:
    """Indices of the classical bits that `condition` looks at."""
    match condition:
        case bool():
            return set()
        case Bit(index):
            return {index}
        case Not(operand):
            return bits_read(operand)
        case AllOf(operands) | AnyOf(operands) | Parity(operands):
            return set().union(*(bits_read(operand) for operand in operands))


# --- Operations -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gate:
    """A unitary of the table in `gates`, applied to `qubits` in the order that table states."""

    name: str
    qubits: tuple[int, ...]
    params: tuple[Angle, ...] = ()


@dataclass(frozen=True, slots=True)
class Unitary:
    """An explicit unitary on `qubits`.

    `matrix` is row-major, 2^k × 2^k; qubits[0] is the least significant bit of the row and column index.
    """

    matrix: tuple[complex, ...]
    qubits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """Measure `qubit` in the computational basis into classical bit `clbit`."""

    qubit: int
    clbit: int


@dataclass(frozen=True, slots=True)
class Reset:
    """Return `qubit` to |0⟩ whatever its state."""

    qubit: int


@dataclass(frozen=True, slots=True)
class Barrier:
    """Operations do not move across it. Engines that do not reorder ignore it."""

    qubits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Delay:
    """Idle time on `qubit`: noise-free engines do nothing, noisy ones and devices must not drop it."""

    qubit: int
    seconds: float


@dataclass(frozen=True, slots=True)
class AssignBit:
    """Set classical bit `clbit` to the value of `value`."""

    clbit: int
    value: Condition


@dataclass(frozen=True, slots=True)
class If:
    """Run `then` when `condition` holds, else `otherwise`."""

    condition: Condition
    then: tuple[Operation, ...]
    otherwise: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True)
class While:
    """Run `body` as long as `condition` holds. May never end; only a worker that can be killed runs it."""

    condition: Condition
    body: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class For:
    """Run the bodies one after the other (a counted loop, its index already substituted)."""

    bodies: tuple[tuple[Operation, ...], ...]


@dataclass(frozen=True, slots=True)
class Break:
    """Leave the innermost `While` or `For`."""


@dataclass(frozen=True, slots=True)
class Continue:
    """Go on with the next turn of the innermost `While` or `For`."""


Operation: TypeAlias = (
    "Gate | Unitary | Measure | Reset | Barrier | Delay | AssignBit | If | While | For | Break | Continue"
)


def leaves_loop(operations: Iterable[Operation]) -> bool:
    """Whether a `Break` or `Continue` among the operations belongs to the loop around them."""
    return any(
        isinstance(operation, Break | Continue)
        or (isinstance(operation, If) and (leaves_loop(operation.then) or leaves_loop(operation.otherwise)))
        for operation in operations
    )


@dataclass(frozen=True, slots=True)
class Circuit:
    """A whole program as a tape: qubits, registers, parameter names in the circuit's own order, and operations.

    Parameters keep the order in which the SDK that made the circuit takes an array of values. `global_phase` is
    dropped: no counts and no expectation value depend on it (front ends keep it where it is controlled).
    """

    num_qubits: int
    registers: tuple[Register, ...]
    parameters: tuple[str, ...]
    operations: tuple[Operation, ...]

    @property
    def num_clbits(self) -> int:
        """Number of classical bits over all registers."""
        return sum(register.size for register in self.registers)

    def walk(self) -> Iterator[Operation]:
        """Every operation, nested ones included, in program order; control flow before its bodies."""
        return _walk(self.operations)


def _walk(operations: tuple[Operation, ...]) -> Iterator[Operation]:
    for operation in operations:
        yield operation
        match operation:
            case If(_, then, otherwise):
                yield from _walk(then)
                yield from _walk(otherwise)
            case While(_, body):
                yield from _walk(body)
            case For(bodies):
                for body in bodies:
                    yield from _walk(body)
            case _:
                pass
