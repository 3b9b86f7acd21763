"""What lowering keeps while it reads a program: names in scopes, loops, the tape, and how much was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from antiphon.domain.circuits import Operation, Register
from antiphon.errors import LimitError
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.openqasm_calls import GateCaller
from antiphon.frontends.openqasm_expressions import Evaluator
from antiphon.frontends.openqasm_gates import BUILTINS
from antiphon.frontends.openqasm_parser import ParsedText, located
from antiphon.frontends.openqasm_values import CONSTANTS, Qubits, Value
from antiphon.frontends.unrolling import MAX_OPERATIONS

MAX_STEPS = 2_500_000
MAX_BITS = 100_000
"""Qubits, and classical bits, of one program."""


@dataclass
class Variable:
    """A name's value, and where it was declared."""

    value: Value
    kind: str  # of its type; "" for qubits and aliases
    is_const: bool
    runtime_depth: int  # how many measured conditions stood around the declaration
    loop_depth: int
    size: syntax.Expression | None = None


@dataclass
class Loop:
    """A loop that is being lowered. `may_stop` once a measured condition guards a break or continue in it."""

    runtime_depth: int
    may_stop: bool = False


@dataclass
class StopReading(Exception):  # noqa: N818 - not an error
    """A break, continue or end that is reached for certain: the rest of the block is dead."""

    word: str


@dataclass
class Tape:
    """The operations of the block at hand."""

    operations: list[Operation] = field(default_factory=list)


class Reading:
    """The state of lowering one program; subclasses give the statements their meaning."""

    def __init__(self, parsed: ParsedText) -> None:
        self.parsed = parsed
        self.evaluator = Evaluator(parsed.text, parsed.version, self.look_up)
        self.caller = GateCaller(self.evaluator, BUILTINS[parsed.version], self.spend, self.step)
        self.scopes: list[dict[str, Variable]] = [{}]
        self.loops: list[Loop] = []
        self.runtime_depth = 0
        self.num_qubits = 0
        self.hardware_qubits = False
        self.registers: list[Register] = []
        self.outputs: set[str] = set()
        self.parameters: list[str] = []
        self.tape = Tape()
        self.made = 0
        self.steps = 0

    def statement(self, statement: syntax.Statement) -> None:
        """Lower one statement."""
        raise NotImplementedError

    def spend(self, count: int) -> None:
        """Count operations that are about to be made."""
        self.made += count
        if self.made > MAX_OPERATIONS:
            raise self._too_long()

    def step(self, count: int) -> None:
        """Count statements that are read again: loops that make nothing take time as well."""
        self.steps += count
        if self.steps > MAX_STEPS:
            raise self._too_long()

    def _too_long(self) -> LimitError:
        return LimitError(
            f"The program has more than {MAX_OPERATIONS:,} operations once its loops and gates are written out.",
            next_step="Shorten its loops, or split the program.",
            details={"limit": MAX_OPERATIONS},
        )

    def emit(self, operation: Operation) -> None:
        """Append an operation."""
        self.spend(1)
        self.tape.operations.append(operation)

    def look_up(self, name: syntax.Name) -> Value:
        """The value of a name where the text is read now."""
        if self.caller.is_inside_gate:
            local = self.caller.local(name.name)
            if local is not None:
                return local
        for scope in reversed(self.scopes):
            if name.name in scope:
                variable = scope[name.name]
                if self.caller.is_inside_gate and not variable.is_const:
                    break
                return variable.value
        if name.name in CONSTANTS:
            return CONSTANTS[name.name]
        if name.name.startswith("$"):
            return self._hardware_qubit(name)
        raise self.evaluator.refuse(name.at, f"There is nothing of the name {name.name}", "Declare it first.")

    def _hardware_qubit(self, name: syntax.Name) -> Value:
        digits = name.name[1:]
        if self.num_qubits and not self.hardware_qubits:
            raise self.evaluator.cannot(name.at, "a hardware qubit beside declared ones", "Use one kind of qubits.")
        if not digits.isdecimal() or len(digits) > 9 or int(digits) >= MAX_BITS:
            raise self.too_many(name.at, "qubits")
        self.hardware_qubits = True
        self.num_qubits = max(self.num_qubits, int(digits) + 1)
        return Qubits((int(digits),), is_scalar=True)

    def too_many(self, at: int, what: str) -> LimitError:
        """The error for too many qubits or bits."""
        return LimitError(
            f"The program has more than {MAX_BITS:,} {what}, at {located(self.parsed.text, at)}",
            next_step=f"Declare fewer {what}.",
            details={"limit": MAX_BITS},
        )

    def declare(self, at: int, name: str, variable: Variable) -> None:
        """Give a name to a variable in the innermost scope."""
        if name in self.scopes[-1]:
            raise self.evaluator.refuse(at, f"The name {name} is declared twice", "Rename one of them.")
        self.scopes[-1][name] = variable

    def variable(self, value: Value, kind: str = "", *, is_const: bool = False) -> Variable:
        """A variable declared at this place."""
        return Variable(value, kind, is_const, self.runtime_depth, len(self.loops))

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Names declared inside are gone afterwards."""
        self.scopes.append({})
        try:
            yield
        finally:
            self.scopes.pop()

    def block(self, body: Iterable[syntax.Statement], *, guarded: bool = False) -> tuple[Operation, ...]:
        """The operations of a block with its own scope; `guarded` when a measured condition decides whether it runs."""
        outer, self.tape = self.tape, Tape()
        self.runtime_depth += guarded
        try:
            with self.scope():
                for statement in body:
                    self.statement(statement)
            return tuple(self.tape.operations)
        finally:
            self.runtime_depth -= guarded
            self.tape = outer

    def inline(self, body: Iterable[syntax.Statement]) -> None:
        """A block that runs for certain: its operations go onto the tape at hand, also when it stops early."""
        with self.scope():
            for statement in body:
                self.statement(statement)
