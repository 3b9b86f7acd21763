"""From the statements of an OpenQASM program to a circuit.

What is known while the text is read is decided then: `for` loops are unrolled, conditions on numbers choose their
branch. Conditions on measured bits become `If` and `While`; numbers computed from them are followed through all of
their cases (see `unfolding`). Nothing is dropped: what a circuit cannot say is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from antiphon.domain.circuits import Barrier, Circuit, Delay, Reset
from antiphon.domain.decisions import Choice, Decision
from antiphon.domain.programs import Profile
from antiphon.domain.returned import Returns
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.decisions import Lost, TooManyCasesError
from antiphon.frontends.hidden import FIRST_HIDDEN, hidden_behind
from antiphon.frontends.openqasm_control import Controlling
from antiphon.frontends.openqasm_declare import Declaring
from antiphon.frontends.openqasm_scope import KEEP_IN_BITS, StopReading
from antiphon.frontends.openqasm_subroutines import Calling
from antiphon.frontends.openqasm_values import Seconds
from antiphon.frontends.profile import smallest_profile


@dataclass(frozen=True, slots=True)
class Lowered:
    """A program as a circuit, what its bits mean, and the smallest profile that it needs."""

    circuit: Circuit
    returns: Returns | None
    profile: Profile


class Lowering(Declaring, Controlling, Calling):
    """Lowers one program; `lowered()` is the result."""

    def lowered(self) -> Lowered:
        """The whole program as a circuit.

        Raises:
            ProgramError: A name is unknown, or operands do not fit.
            UnsupportedProgramError: A statement that a circuit cannot express.
            LimitError: More operations, qubits or bits than are accepted.
        """
        try:
            for statement in self.parsed.statements:
                self.statement(statement)
        except StopReading as stop:
            if stop.word != "end":
                raise
        registers, operations, returns = hidden_behind(
            self.registers,
            self.unfolding.operations,
            self.unfolding.num_bits - FIRST_HIDDEN,
            self.outputs or None,
        )
        circuit = Circuit(self.num_qubits, registers, tuple(self.parameters), operations)
        return Lowered(circuit, returns, self._profile(circuit))

    def _profile(self, circuit: Circuit) -> Profile:
        profile = smallest_profile(circuit)
        needed = Profile.ADAPTIVE_RIF if self.evaluator.real else Profile.ADAPTIVE_RI
        return max(profile, needed, key=lambda one: one.rank) if self.evaluator.computes else profile

    def statement(self, statement: syntax.Statement) -> None:
        """Lower one statement."""
        self.step(1)
        self.at = statement.at
        if self.trace is None:
            _HANDLERS[type(statement)](self, statement)
            return
        operations, before = self.unfolding.operations, len(self.unfolding.operations)
        try:
            _HANDLERS[type(statement)](self, statement)
        finally:
            for operation in operations[before:]:
                self.trace.setdefault(id(operation), (operation, statement.at))

    def places(self) -> Iterator[int | None]:
        """Where each operation of a traced program stands, nested ones included and in program order."""
        for operation in Circuit(0, (), (), tuple(self.unfolding.operations)).walk():
            found = (self.trace or {}).get(id(operation))
            yield None if found is None else found[1]

    def gate(self, statement: syntax.GateCall) -> None:
        """Apply a gate."""
        angles = self.evaluator.angles(statement.arguments)
        if not isinstance(angles, Choice | Lost):
            # `apply` has counted what it made.
            self.unfolding.operations.extend(self.caller.apply(statement, angles))  # type: ignore[arg-type]
            return
        try:
            self.unfolding.spread(angles, lambda values: self._gate(statement, values))
        except TooManyCasesError as error:
            raise self.evaluator.cannot(statement.at, f"a gate of so many cases ({error})", KEEP_IN_BITS) from None

    def _gate(self, statement: syntax.GateCall, angles: Decision) -> None:
        self.unfolding.operations.extend(self.caller.apply(statement, angles))  # type: ignore[arg-type]

    def define_gate(self, statement: syntax.DefineGate) -> None:
        """Take up a gate definition."""
        if len(self.scopes) > 1:
            raise self.evaluator.refuse(statement.at, "A gate is defined inside a block", "Move it to the top.")
        self.caller.define(statement)

    def reset(self, statement: syntax.ResetOf) -> None:
        """Reset qubits."""
        for qubit in self.evaluator.qubits(statement.qubits).indices:
            self.emit(Reset(qubit))

    def barrier(self, statement: syntax.BarrierOn) -> None:
        """A barrier on the named qubits, or on all."""
        operands = [self.evaluator.qubits(operand) for operand in statement.qubits]
        named = dict.fromkeys(index for operand in operands for index in operand.indices)
        self.emit(Barrier(tuple(named) if statement.qubits else tuple(range(self.num_qubits))))

    def delay(self, statement: syntax.DelayOn) -> None:
        """Idle time on each named qubit, or on all."""
        duration = self.evaluator.value(statement.duration)
        if not isinstance(duration, Seconds):
            raise self.evaluator.refuse(statement.at, "A delay takes a duration", "Write it with its unit, as 100ns.")
        if not 0 <= duration.value < 1e6:
            raise self.evaluator.refuse(statement.at, "The delay is not a length of time", "Use 0 s or more.")
        operands = [self.evaluator.qubits(operand) for operand in statement.qubits]
        indices = [i for operand in operands for i in operand.indices] if operands else range(self.num_qubits)
        for qubit in indices:
            self.emit(Delay(qubit, duration.value))

    def unsupported(self, statement: syntax.Unsupported) -> None:
        """Refuse what a circuit cannot say."""
        raise self.evaluator.cannot(statement.at, statement.what, statement.way_out)

    def scoped(self, statement: syntax.Block) -> None:
        """A block with names of its own."""
        self.inline(statement.body)


_HANDLERS: dict[type, Callable[..., None]] = {
    syntax.Include: Lowering.include,
    syntax.DeclareQubits: Lowering.declare_qubits,
    syntax.Declare: Lowering.declare_classical,
    syntax.Alias: Lowering.alias,
    syntax.GateCall: Lowering.gate,
    syntax.DefineGate: Lowering.define_gate,
    syntax.DefineSubroutine: Lowering.define_subroutine,
    syntax.Return: Lowering.give_back,
    syntax.CallAlone: Lowering.call_alone,
    syntax.MeasureInto: Lowering.measure,
    syntax.ResetOf: Lowering.reset,
    syntax.BarrierOn: Lowering.barrier,
    syntax.DelayOn: Lowering.delay,
    syntax.Assign: Lowering.assign,
    syntax.Block: Lowering.scoped,
    syntax.Branch: Lowering.branch,
    syntax.Switch: Lowering.switch,
    syntax.ForEach: Lowering.for_each,
    syntax.Repeat: Lowering.repeat,
    syntax.Leave: Lowering.leave,
    syntax.Unsupported: Lowering.unsupported,
}
