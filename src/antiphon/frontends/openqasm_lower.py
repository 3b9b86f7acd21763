"""From the statements of an OpenQASM program to a circuit.

What is known while the text is read is decided then: `for` loops are unrolled, conditions on numbers choose their
branch. Conditions on measured bits become `If` and `While`; numbers computed from them are followed through all of
their cases (see `unfolding`). Nothing is dropped: what a circuit cannot say is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from antiphon.domain.circuits import Barrier, Circuit, Delay, Register, Reset
from antiphon.domain.decisions import Choice, Decision
from antiphon.domain.programs import Profile
from antiphon.domain.returned import HIDDEN, Returns
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.conditions import with_bits
from antiphon.frontends.decisions import TooManyCasesError
from antiphon.frontends.openqasm_control import Controlling
from antiphon.frontends.openqasm_declare import Declaring
from antiphon.frontends.openqasm_scope import FIRST_HIDDEN, KEEP_IN_BITS, StopReading
from antiphon.frontends.openqasm_values import Seconds
from antiphon.frontends.profile import smallest_profile


@dataclass(frozen=True, slots=True)
class Lowered:
    """A program as a circuit, what its bits mean, and the smallest profile that it needs."""

    circuit: Circuit
    returns: Returns | None
    profile: Profile


class Lowering(Declaring, Controlling):
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
        num_hidden = self.unfolding.num_bits - FIRST_HIDDEN
        registers = list(self.registers)
        num_shown = sum(register.size for register in registers)
        operations = tuple(self.unfolding.operations)
        if num_hidden:
            operations = with_bits(
                operations, lambda bit: bit if bit < FIRST_HIDDEN else bit - FIRST_HIDDEN + num_shown
            )
            registers.append(Register(HIDDEN, num_hidden, num_shown))
        circuit = Circuit(self.num_qubits, tuple(registers), tuple(self.parameters), operations)
        return Lowered(circuit, self._returns(num_hidden), self._profile(circuit))

    def _returns(self, num_hidden: int) -> Returns | None:
        """How the result is read from the circuit's bits; None when they are the result."""
        shown = [register for register in self.registers if not self.outputs or register.name in self.outputs]
        if len(shown) == len(self.registers) and not num_hidden:
            return None
        bits = [Choice(register.offset + i, zero=False, one=True) for register in shown for i in range(register.size)]
        registers, offset = [], 0
        for register in shown:
            registers.append(Register(register.name, register.size, offset))
            offset += register.size
        return Returns(tuple(registers), tuple(bits))

    def _profile(self, circuit: Circuit) -> Profile:
        profile = smallest_profile(circuit)
        needed = Profile.ADAPTIVE_RIF if self.evaluator.real else Profile.ADAPTIVE_RI
        return max(profile, needed, key=lambda one: one.rank) if self.evaluator.computes else profile

    def statement(self, statement: syntax.Statement) -> None:
        """Lower one statement."""
        self.step(1)
        self.at = statement.at
        _HANDLERS[type(statement)](self, statement)

    def gate(self, statement: syntax.GateCall) -> None:
        """Apply a gate."""
        angles = self.evaluator.angles(statement.arguments)
        if not isinstance(angles, Choice):
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
