"""What lowering keeps while it reads a program: names in scopes, loops, the tape, and how much was made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from antiphon.domain.circuits import AssignBit, Measure, Operation, Register
from antiphon.errors import LimitError
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.hidden import FIRST_HIDDEN
from antiphon.frontends.openqasm_calls import GateCaller
from antiphon.frontends.openqasm_expressions import Evaluator
from antiphon.frontends.openqasm_gates import BUILTINS
from antiphon.frontends.openqasm_parser import ParsedText, located
from antiphon.frontends.openqasm_values import CONSTANTS, Qubits, Value
from antiphon.frontends.unfolding import Unfolding
from antiphon.frontends.unrolling import MAX_OPERATIONS

MAX_STEPS = 2_500_000
MAX_BITS = 100_000
"""Qubits, and classical bits, of one program."""
KEEP_IN_BITS = "Keep what depends on measurements in bits, or let fewer numbers depend on them."


@dataclass
class Variable:
    """A name's value, and where it was declared.

    A number that may be assigned is kept in the unfolding, at `place`.
    """

    value: Value
    kind: str  # of its type; "" for qubits and aliases
    is_const: bool
    runtime_depth: int  # how many measured conditions stood around the declaration
    loop_depth: int
    size: syntax.Expression | None = None
    place: int | None = None


@dataclass
class Loop:
    """A loop that is being lowered. `may_stop` once a measured condition guards a break or continue in it."""

    runtime_depth: int
    may_stop: bool = False


@dataclass
class StopReading(Exception):  # noqa: N818 - not an error
    """A break, continue or end that is reached for certain: the rest of the block is dead."""

    word: str


class Reading:
    """The state of lowering one program; subclasses give the statements their meaning."""

    def __init__(self, parsed: ParsedText, *, traced: bool = False) -> None:
        self.parsed = parsed
        # Operations are kept beside their place, so that no other gets their address.
        self.trace: dict[int, tuple[Operation, int]] | None = {} if traced else None
        self.unfolding = Unfolding(FIRST_HIDDEN, self.spend)
        self.evaluator = Evaluator(parsed.text, parsed.version, self.look_up, self.unfolding)
        self.caller = GateCaller(self.evaluator, BUILTINS[parsed.version], self.spend, self.step)
        self.scopes: list[dict[str, Variable]] = [{}]
        self.loops: list[Loop] = []
        self.runtime_depth = 0
        self.num_qubits = 0
        self.hardware_qubits = False
        self.registers: list[Register] = []
        self.outputs: set[str] = set()
        self.parameters: list[str] = []
        self.subroutines: dict[str, syntax.DefineSubroutine] = {}
        self.calls: list[tuple[int, int]] = []  # of each call under way: measured conditions and loops around it
        self.num_places = 0
        self.at = 0
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
        if isinstance(operation, Measure | AssignBit):
            if any(loop.may_stop for loop in self.loops) and self.unfolding.depends_on(operation.clbit):
                what = "a bit that a number depends on, written again behind a break or continue on a measurement"
                raise self.evaluator.cannot(self.at, what, "Measure into another bit.")
            self.unfolding.keep(operation.clbit)
        self.unfolding.emit(operation)

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
                return self.held(variable)
        if name.name in CONSTANTS:
            return CONSTANTS[name.name]
        if name.name.startswith("$"):
            return self._hardware_qubit(name)
        raise self.evaluator.refuse(name.at, f"There is nothing of the name {name.name}", "Declare it first.")

    def held(self, variable: Variable) -> Value:
        """What a variable holds now; a value that was lost matters only where something looks at it."""
        if variable.place is None:
            return variable.value
        return self.unfolding.values[variable.place]  # type: ignore[return-value]

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

    def number(self, value: Value, kind: str, size: syntax.Expression | None) -> Variable:
        """A number that may be assigned, declared at this place."""
        self.num_places += 1
        self.unfolding.values[self.num_places] = value
        return Variable(value, kind, False, self.runtime_depth, len(self.loops), size, self.num_places)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Names declared inside are gone afterwards."""
        self.scopes.append({})
        try:
            yield
        finally:
            self.scopes.pop()

    def guarded(self, fill: Callable[[], None]) -> None:
        """Read what measured bits decide whether it runs."""
        self.runtime_depth += 1
        try:
            fill()
        finally:
            self.runtime_depth -= 1

    def inline(self, body: Iterable[syntax.Statement]) -> None:
        """A block that runs for certain: its operations go onto the tape at hand, also when it stops early."""
        with self.scope():
            for statement in body:
                self.statement(statement)
